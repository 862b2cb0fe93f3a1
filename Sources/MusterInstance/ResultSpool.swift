import Dispatch
import Foundation
import GameModel
import Glibc
import Logging

/// Results that the API has not taken yet, one file each, so that the end of this process loses none.
///
/// Each instance has a folder of its own under `results/` and holds its lock while it lives. An instance takes over the
/// folders whose lock is free: their owner has ended.
final class ResultSpool: Sendable {
    private let root: String
    private let folder: String
    private let lock: FileLock
    private let logger: Logger

    enum Failure: Error { case taken(String) }

    init(dataFolder: String, instance: InstanceID, logger: Logger) throws {
        root = "\(dataFolder)/results"
        folder = "\(root)/\(instance)"
        self.logger = logger
        lock = try Self.claim(folder)
    }

    /// Another instance that finds the folder before its lock is held takes it for one that was left, and removes it:
    /// then it is made anew.
    private static func claim(_ folder: String) throws -> FileLock {
        for attempt in 0..<20 {
            if attempt > 0 { usleep(10_000) }
            try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
            if let lock = FileLock(path: "\(folder)/lock") { return lock }
        }
        throw Failure.taken(folder)
    }

    /// Where files are synced, which can take long: a thread that waits for the disk is no use to others.
    private static let queue = DispatchQueue(label: "results", attributes: .concurrent)

    /// Keeps a result until it is settled: written aside, synced and moved into place, so that no half file is found.
    func keep(_ match: MatchID, _ report: Data) async throws {
        try await withCheckedThrowingContinuation { continuation in
            Self.queue.async { continuation.resume(with: Result { try self.write(match, report) }) }
        }
    }

    private func write(_ match: MatchID, _ report: Data) throws {
        let aside = "\(folder)/\(match).part"
        let file = open(aside, O_WRONLY | O_CREAT | O_TRUNC, 0o644)
        guard file >= 0 else { throw CocoaError(.fileWriteUnknown) }
        let handle = FileHandle(fileDescriptor: file, closeOnDealloc: true)
        try handle.write(contentsOf: report)
        try handle.synchronize()
        try handle.close()
        guard rename(aside, path(match)) == 0 else { throw CocoaError(.fileWriteUnknown) }
        try syncFolder()
    }

    /// The name of a file is on disk when its folder is.
    private func syncFolder() throws {
        let descriptor = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard descriptor >= 0 else { throw CocoaError(.fileReadUnknown) }
        defer { _ = Glibc.close(descriptor) }
        guard fsync(descriptor) == 0 else { throw CocoaError(.fileWriteUnknown) }
    }

    /// The API has taken the result, or refused it for good.
    func settle(_ match: MatchID) {
        if unlink(path(match)) != 0, errno != ENOENT {
            logger.warning("can't remove a spooled result", metadata: ["match": "\(match)", "errno": "\(errno)"])
        }
    }

    /// Sets a refused result aside for a person to look at.
    func reject(_ match: MatchID) {
        if rename(path(match), "\(folder)/\(match).rejected") != 0 { settle(match) }
    }

    /// Results left by instances that have ended; they are moved into this one's folder first.
    func adopt() throws -> [(match: MatchID, report: Data)] {
        let files = FileManager.default
        for name in try files.contentsOfDirectory(atPath: root) where "\(root)/\(name)" != folder {
            let other = "\(root)/\(name)"
            guard let lock = FileLock(path: "\(other)/lock") else { continue }
            for file in try files.contentsOfDirectory(atPath: other) where file.hasSuffix(".json") {
                if rename("\(other)/\(file)", "\(folder)/\(file)") != 0 {
                    logger.warning("can't adopt a result", metadata: ["file": "\(other)/\(file)", "errno": "\(errno)"])
                }
            }
            if try !files.contentsOfDirectory(atPath: other).contains(where: { $0.hasSuffix(".rejected") }) {
                try files.removeItem(atPath: other)
            }
            withExtendedLifetime(lock) {}
        }
        return try pending()
    }

    /// Removes the folder when nothing is left in it; for the end of this process.
    func close() {
        do {
            let left = try FileManager.default.contentsOfDirectory(atPath: folder)
            if left == ["lock"] { try FileManager.default.removeItem(atPath: folder) }
        } catch {
            logger.debug("spool folder stays", metadata: ["error": "\(error)"])
        }
    }

    private func pending() throws -> [(match: MatchID, report: Data)] {
        try FileManager.default.contentsOfDirectory(atPath: folder).filter { $0.hasSuffix(".json") }.sorted()
            .compactMap { name in
                guard let match = MatchID(rawValue: String(name.dropLast(".json".count))) else { return nil }
                return (match, try Data(contentsOf: URL(fileURLWithPath: "\(folder)/\(name)")))
            }
    }

    private func path(_ match: MatchID) -> String { "\(folder)/\(match).json" }
}

/// An advisory lock on a file, held until this value goes or the process ends in whatever way.
final class FileLock: Sendable {
    private let descriptor: Int32

    /// `nil` where another process, or another value of this one, holds it, or has removed it meanwhile.
    init?(path: String) {
        let descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o644)
        guard descriptor >= 0 else { return nil }
        guard flock(descriptor, LOCK_EX | LOCK_NB) == 0, Self.isFile(descriptor, at: path) else {
            close(descriptor)
            return nil
        }
        self.descriptor = descriptor
    }

    /// A lock on a file that has lost its name locks nobody out.
    private static func isFile(_ descriptor: Int32, at path: String) -> Bool {
        var (open, named) = (stat(), stat())
        guard fstat(descriptor, &open) == 0, stat(path, &named) == 0 else { return false }
        return open.st_ino == named.st_ino && open.st_dev == named.st_dev
    }

    deinit { close(descriptor) }
}
