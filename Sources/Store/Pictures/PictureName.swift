import Crypto
import Foundation

/// The kinds of pictures that are taken, told from each other by their first bytes.
public enum PictureFormat: String, Sendable, Hashable, CaseIterable {
    case png, jpg, webp

    /// - Parameter contentType: exactly one of ``contentTypes``.
    public init?(contentType: String) {
        guard let format = Self.allCases.first(where: { $0.contentType == contentType }) else { return nil }
        self = format
    }

    /// What a file begins with: the signatures of PNG (RFC 2083, 3.1), JPEG (SOI and the next marker) and WebP (RFC
    /// 9649, 2.4); `nil` for anything else.
    public init?(of content: some Collection<UInt8>) {
        let head = Array(content.prefix(12))
        if head.starts(with: [0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A]) {
            self = .png
        } else if head.starts(with: [0xFF, 0xD8, 0xFF]) {
            self = .jpg
        } else if head.count == 12, head.starts(with: Array("RIFF".utf8)), head[8...].elementsEqual("WEBP".utf8) {
            self = .webp
        } else {
            return nil
        }
    }

    public var contentType: String {
        switch self {
        case .png: "image/png"
        case .jpg: "image/jpeg"
        case .webp: "image/webp"
        }
    }

    public static let contentTypes = allCases.map(\.contentType).joined(separator: ", ")
}

/// What a picture is called: the SHA-256 of its bytes, and its format. So a name never means two pictures, the same
/// picture is kept once, and what lies under a name can be checked.
public struct PictureName: Sendable, Hashable, CustomStringConvertible {
    /// 64 hexadecimal digits in lower case.
    public let sha256: String
    public let format: PictureFormat

    public init(of content: [UInt8], format: PictureFormat) {
        sha256 = Hex.encode(SHA256.hash(data: content))
        self.format = format
    }

    /// `nil` where the digest is not 64 hexadecimal digits; upper case is taken, too.
    public init?(sha256: String, format: PictureFormat) {
        let digits = sha256.lowercased()
        guard digits.utf8.count == 64, Hex.decode(digits) != nil else { return nil }
        self.sha256 = digits
        self.format = format
    }

    /// Reads a ``key``; `nil` for any other text, so that a name from outside can't lead out of a folder.
    public init?(key: String) {
        guard key.utf8.count <= 69, let dot = key.firstIndex(of: "."),
            let format = PictureFormat(rawValue: String(key[key.index(after: dot)...])),
            let name = PictureName(sha256: String(key[..<dot]), format: format), name.key == key
        else { return nil }
        self = name
    }

    /// `<sha256>.png`: how products and addresses name it.
    public var key: String { "\(sha256).\(format.rawValue)" }
    public var description: String { key }
}
