import Foundation

/// What a browser's form sends, read within bounds: `application/x-www-form-urlencoded` or `multipart/form-data`.
struct FormBody: Sendable {
    static let fieldsMax = 100

    struct File: Sendable {
        var name: String
        var content: [UInt8]
    }

    private(set) var fields: [String: String] = [:]
    private(set) var file: File?

    init(_ fields: [String: String] = [:]) { self.fields = fields }

    /// What a field holds, without white space around it; empty where it is absent.
    subscript(name: String) -> String {
        (fields[name] ?? "").trimmingCharacters(in: .whitespacesAndNewlines)
    }

    func has(_ name: String) -> Bool { fields[name] != nil }

    /// - Throws: `malformed-json`'s status, 400, for anything that a browser would not send.
    init(_ bytes: [UInt8], contentType: String) throws(Problem) {
        let kind = contentType.prefix { $0 != ";" }.trimmingCharacters(in: .whitespaces).lowercased()
        switch kind {
        case "application/x-www-form-urlencoded": try readPairs(String(decoding: bytes, as: UTF8.self))
        case "multipart/form-data": try readParts(bytes, contentType: contentType)
        default: throw .malformedJSON("A form is sent as application/x-www-form-urlencoded or multipart/form-data.")
        }
    }

    // MARK: application/x-www-form-urlencoded

    private mutating func readPairs(_ text: String) throws(Problem) {
        guard !text.isEmpty else { return }
        let pairs = text.split(separator: "&", omittingEmptySubsequences: true)
        guard pairs.count <= Self.fieldsMax else { throw Self.malformed("more than \(Self.fieldsMax) fields") }
        for pair in pairs {
            let parts = pair.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            let name = try Self.decoded(parts[0])
            try put(parts.count > 1 ? try Self.decoded(parts[1]) : "", as: name)
        }
    }

    private static func decoded(_ text: Substring) throws(Problem) -> String {
        guard let value = text.replacing("+", with: " ").removingPercentEncoding else {
            throw malformed("a field is not UTF-8")
        }
        return value
    }

    /// A name that comes twice is none of our forms': which of the two would count?
    private mutating func put(_ value: String, as name: String) throws(Problem) {
        guard fields.updateValue(value, forKey: name) == nil else {
            throw Self.malformed("the field '\(name.prefix(40))' comes twice")
        }
    }

    // MARK: multipart/form-data (RFC 7578)

    private mutating func readParts(_ bytes: [UInt8], contentType: String) throws(Problem) {
        guard let boundary = Self.attribute("boundary", of: contentType), (1...70).contains(boundary.utf8.count) else {
            throw Self.malformed("there is no boundary")
        }
        let delimiter = Array("\r\n--\(boundary)".utf8)
        // The first delimiter may stand at the very beginning, where no line ended before it.
        var rest = ([0x0D, 0x0A] + bytes)[...]
        guard rest.starts(with: delimiter) else { throw Self.malformed("it does not begin with its boundary") }
        rest = rest.dropFirst(delimiter.count)
        var count = 0
        while !rest.starts(with: Array("--".utf8)) {
            count += 1
            guard count <= Self.fieldsMax, rest.starts(with: [0x0D, 0x0A]),
                let end = rest.firstRange(of: delimiter)
            else { throw Self.malformed("a part is not complete") }
            try readPart(rest[rest.startIndex + 2..<end.lowerBound])
            rest = rest[end.upperBound...]
        }
    }

    private mutating func readPart(_ part: ArraySlice<UInt8>) throws(Problem) {
        guard let gap = part.firstRange(of: Array("\r\n\r\n".utf8)) else {
            throw Self.malformed("a part has no headers")
        }
        let headers = String(decoding: part[..<gap.lowerBound], as: UTF8.self).split(whereSeparator: \.isNewline)
        let content = part[gap.upperBound...]
        guard let disposition = headers.first(where: { $0.lowercased().hasPrefix("content-disposition:") }),
            let name = Self.attribute("name", of: String(disposition))
        else { throw Self.malformed("a part has no name") }
        if let fileName = Self.attribute("filename", of: String(disposition)) {
            guard file == nil else { throw Self.malformed("more than one file") }
            file = File(name: fileName, content: Array(content))
        } else {
            guard let text = String(validating: content, as: UTF8.self) else {
                throw Self.malformed("a field is not UTF-8")
            }
            try put(text, as: name)
        }
    }

    /// `name="picture"` of a header; browsers write a quote within a value as `%22`.
    static func attribute(_ name: String, of header: String) -> String? {
        for piece in header.split(separator: ";").dropFirst() {
            let parts = piece.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            guard parts.count == 2, parts[0].trimmingCharacters(in: .whitespaces).lowercased() == name else { continue }
            return parts[1].trimmingCharacters(in: .whitespaces).trimmingCharacters(in: ["\""])
        }
        return nil
    }

    private static func malformed(_ reason: String) -> Problem {
        .malformedJSON("The form could not be read: \(reason).")
    }
}
