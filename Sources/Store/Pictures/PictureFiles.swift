import Foundation
import GameModel

#if canImport(Glibc)
    import Glibc
#endif

/// Files that appear complete and on disk, or not at all. The names are the caller's to check: they must be those of
/// files, without a slash. Everything blocks on a queue of its own, never on one of Swift's threads.
struct PictureFiles: Sendable {
    let folder: String

    private static let queue = DispatchQueue(label: "pictures", attributes: .concurrent)
    /// What a process that died left half written is removed after this long.
    private static let leftoverAge: TimeInterval = 3_600

    /// Does nothing where the file is there: what lies under a name never changes.
    func write(_ content: [UInt8], as name: String) async throws(StoreError) {
        try await blocking { try writeNow(content, as: name) }
    }

    /// Bytes; `nil` where there is no such file.
    func size(of name: String) async throws(StoreError) -> Int? {
        try await blocking {
            var status = stat()
            guard stat(path(of: name), &status) == 0 else {
                if errno == ENOENT { return nil }
                throw failure("look at", name)
            }
            return Int(status.st_size)
        }
    }

    /// `nil` where there is no such file, or a larger one.
    func read(_ name: String, bytesMax: Int) async throws(StoreError) -> [UInt8]? {
        try await blocking {
            let file = open(path(of: name), O_RDONLY | O_CLOEXEC)
            guard file >= 0 else {
                if errno == ENOENT { return nil }
                throw failure("open", name)
            }
            defer { close(file) }
            var status = stat()
            guard fstat(file, &status) == 0 else { throw failure("look at", name) }
            let size = Int(status.st_size)
            guard size <= bytesMax else { return nil }
            var filled = 0
            var isBroken = false
            let content = [UInt8](unsafeUninitializedCapacity: size) { buffer, count in
                while filled < size {
                    let read = pread(file, buffer.baseAddress?.advanced(by: filled), size - filled, off_t(filled))
                    if read < 0, errno == EINTR { continue }
                    if read <= 0 {
                        isBroken = true
                        break
                    }
                    filled += read
                }
                count = filled
            }
            guard !isBroken else { throw failure("read", name) }
            return content
        }
    }

    // MARK: On the queue

    /// By the first two digits of the name, so that no folder gets too long.
    private func path(of name: String) -> String { "\(folder)/\(name.prefix(2))/\(name)" }

    private func writeNow(_ content: [UInt8], as name: String) throws(StoreError) {
        guard access(path(of: name), F_OK) != 0 else { return }
        let parent = "\(folder)/\(name.prefix(2))"
        let asides = "\(folder)/.aside"
        do {
            for folder in [parent, asides] {
                try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
            }
        } catch {
            throw .unavailable("can't make a folder for pictures in \(folder): \(error)")
        }
        removeLeftovers(in: asides)
        let aside = "\(asides)/\(UUID().uuidString)"
        let file = open(aside, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o644)
        guard file >= 0 else { throw failure("make", aside) }
        defer { unlink(aside) }
        var written = 0
        while written < content.count {
            let count = content.withUnsafeBytes {
                Glibc.write(file, $0.baseAddress?.advanced(by: written), $0.count - written)
            }
            if count < 0, errno == EINTR { continue }
            guard count > 0 else {
                close(file)
                throw failure("write", aside)
            }
            written += count
        }
        let isSynced = fsync(file) == 0
        guard close(file) == 0, isSynced else { throw failure("write", aside) }
        guard rename(aside, path(of: name)) == 0 else { throw failure("name", name) }
        // The name itself has to last: products may point at it from now on.
        try sync(parent)
        try sync(folder)
    }

    private func sync(_ folder: String) throws(StoreError) {
        let directory = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard directory >= 0 else { throw failure("open", folder) }
        defer { close(directory) }
        guard fsync(directory) == 0 else { throw failure("write", folder) }
    }

    private func removeLeftovers(in asides: String) {
        // A folder that can't be listed has nothing that could be removed; the write itself tells what is wrong.
        let names = (try? FileManager.default.contentsOfDirectory(atPath: asides)) ?? []
        for name in names {
            var status = stat()
            guard stat("\(asides)/\(name)", &status) == 0 else { continue }
            if Double(time(nil)) - Double(status.st_mtim.tv_sec) > Self.leftoverAge { unlink("\(asides)/\(name)") }
        }
    }

    private func failure(_ what: String, _ name: String) -> StoreError {
        .unavailable("can't \(what) the picture file \(name): \(String(cString: strerror(errno)))")
    }

    private func blocking<Value: Sendable>(
        _ body: @escaping @Sendable () throws -> Value
    ) async throws(StoreError) -> Value {
        let result: Result<Value, any Error> = await withCheckedContinuation { continuation in
            Self.queue.async { continuation.resume(returning: Result { try body() }) }
        }
        switch result {
        case .success(let value): return value
        case .failure(let error): throw error as? StoreError ?? .unavailable("\(error)")
        }
    }
}
