import Foundation

/// The file of the sandbox's charges: one change a line, only ever appended to.
///
/// A line is one write, so that a killed sandbox leaves at most a torn last line, which is cut off on the next start.
struct BooksFile: Sendable {
    static let name = "sandbox.jsonl"
    private static let newline = UInt8(ascii: "\n")

    private let descriptor: FileDescriptor

    /// Opens the file in a folder, making both where they are missing, and reads every change in it.
    static func open(
        folder: String, _ apply: (SandboxBooks.Change) -> Void
    ) throws(SandboxError) -> BooksFile {
        let path = folder + "/" + name
        do {
            try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
            if let data = FileManager.default.contents(atPath: path) {
                let whole = try read(data, apply)
                if whole < data.count {
                    let handle = try FileHandle(forWritingTo: URL(fileURLWithPath: path))
                    try handle.truncate(atOffset: UInt64(whole))
                    try handle.close()
                }
            }
        } catch let error as SandboxError {
            throw error
        } catch {
            throw .books("\(path): \(error.localizedDescription)")
        }
        let number = Foundation.open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0o600)
        guard number >= 0 else { throw .books("\(path): \(String(cString: strerror(errno)))") }
        return BooksFile(descriptor: FileDescriptor(number))
    }

    func append(_ change: SandboxBooks.Change) throws(SandboxError) {
        let line = Array((StripeJSON.text(change) + "\n").utf8)
        let written = line.withUnsafeBytes { write(descriptor.number, $0.baseAddress, $0.count) }
        guard written == line.count else { throw .books("can't write: \(String(cString: strerror(errno)))") }
    }

    /// Reads whole lines; answers how many bytes they are.
    private static func read(_ data: Data, _ apply: (SandboxBooks.Change) -> Void) throws(SandboxError) -> Int {
        let decoder = JSONDecoder()
        var start = data.startIndex
        var number = 0
        while let end = data[start...].firstIndex(of: newline) {
            number += 1
            do {
                apply(try decoder.decode(SandboxBooks.Change.self, from: data[start..<end]))
            } catch {
                throw .books("line \(number) of \(name) can't be read: \(error)")
            }
            start = data.index(after: end)
        }
        return start - data.startIndex
    }

    /// Closes the file with its last owner.
    private final class FileDescriptor: Sendable {
        let number: Int32
        init(_ number: Int32) { self.number = number }
        deinit { close(number) }
    }
}
