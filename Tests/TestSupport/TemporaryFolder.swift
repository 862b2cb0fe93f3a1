import Foundation

/// A folder of its own directly under `/tmp`, with a path short enough for unix sockets (107 bytes).
public struct TemporaryFolder: Sendable {
    public let path: String

    public init() throws {
        var template = Array("/tmp/muster-test-XXXXXX".utf8CString)
        let made = template.withUnsafeMutableBufferPointer { buffer in
            buffer.baseAddress.flatMap { mkdtemp($0) } != nil
        }
        guard made else { throw TestSupportError("mkdtemp failed: \(String(cString: strerror(errno)))") }
        path = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    /// The path of a file in it.
    public func file(_ name: String) -> String { path + "/" + name }

    /// Removes it and everything in it. What is already gone is no error.
    public func remove() {
        do {
            try FileManager.default.removeItem(atPath: path)
        } catch CocoaError.fileNoSuchFile {
            return
        } catch {
            print("could not remove \(path): \(error)")
        }
    }
}

/// What went wrong in the test's own machinery, in words.
public struct TestSupportError: Error, CustomStringConvertible {
    public let description: String

    public init(_ description: String) { self.description = description }
}
