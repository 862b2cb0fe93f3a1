import Foundation
import GameModel

/// What is written down of an instance that runs on this host, so that the next allocator can take it over: one JSON
/// file each. No secret is in it.
struct InstanceNote: Codable, Equatable, Sendable {
    var instance: InstanceID
    var region: Region
    var slots: Int
    var build: String?
    /// The port that it was told to listen on; `nil`: any.
    var port: Int?
    var executable: String
    /// Its log file; `nil`: the allocator's standard error.
    var log: String?
    /// Its process; `nil` while it is being started.
    var pid: Int32?
    /// When that process started, clock ticks since boot.
    var startTicks: UInt64?
    /// The boot of the host that both are of: after another one they say nothing.
    var boot: String

    /// The host's boot now.
    static func currentBoot() -> String {
        let bytes = FileManager.default.contents(atPath: "/proc/sys/kernel/random/boot_id") ?? Data()
        return String(decoding: bytes, as: UTF8.self).trimmingCharacters(in: .whitespacesAndNewlines)
    }

    /// The process, where it still runs. One that was started but never noted is found by what it was told: its
    /// allocator was killed between the two.
    func process() -> ProcessHandle? {
        guard boot == Self.currentBoot() else { return nil }
        if let pid, let startTicks { return ProcessHandle(pid: pid, startTicks: startTicks) }
        return Self.process(told: instance)
    }

    private static func process(told instance: InstanceID) -> ProcessHandle? {
        let needle = Data("MUSTER_INSTANCE_ID=\(instance)\0".utf8)
        let names: [String]
        do { names = try FileManager.default.contentsOfDirectory(atPath: "/proc") } catch { return nil }
        for pid in names.compactMap({ Int32($0) }) {
            guard let handle = ProcessHandle(pid: pid),
                let environment = FileManager.default.contents(atPath: "/proc/\(pid)/environ"),
                environment.range(of: needle) != nil,
                // Not what the instance itself has started: it was told to lead its group.
                getpgid(pid) == pid
            else { continue }
            return handle
        }
        return nil
    }
}

/// The notes of this host's instances: a folder with a file and a lock for each.
///
/// Who holds an instance's lock owns it, and nobody else touches its note: the lock goes with the process that holds
/// it, however that ends. A note appears whole or not at all, and is on the disk before the instance is started.
struct InstanceFolder: Sendable {
    let path: String

    /// The instances with a note; none where the folder is not there.
    func instances() -> [InstanceID] {
        let names: [String]
        do { names = try FileManager.default.contentsOfDirectory(atPath: path) } catch { return [] }
        return names.filter { $0.hasSuffix(Self.suffix) }.map { InstanceID(String($0.dropLast(Self.suffix.count))) }
            .sorted()
    }

    func note(of instance: InstanceID) throws -> InstanceNote? {
        guard let bytes = FileManager.default.contents(atPath: file(of: instance)) else { return nil }
        return try JSONDecoder().decode(InstanceNote.self, from: bytes)
    }

    /// Takes the instance's lock; `nil` where another driver has it.
    func lock(_ instance: InstanceID) throws -> FileLock? {
        try FileManager.default.createDirectory(
            atPath: path, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
        return try FileLock(path: lockFile(of: instance))
    }

    /// Replaces the note in one step; on the disk when this returns.
    func write(_ note: InstanceNote) throws {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        let new = "\(path)/.\(note.instance).new"
        let descriptor = open(new, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw Self.failure(new) }
        do {
            let file = FileHandle(fileDescriptor: descriptor, closeOnDealloc: false)
            try file.write(contentsOf: encoder.encode(note))
            guard fsync(descriptor) == 0 else { throw Self.failure(new) }
        } catch {
            close(descriptor)
            unlink(new)
            throw error
        }
        close(descriptor)
        guard rename(new, file(of: note.instance)) == 0 else { throw Self.failure(new) }
        sync(path)
    }

    /// Strikes an instance off. The caller holds its lock.
    func remove(_ instance: InstanceID) {
        // A note that can't be removed is found stale by the next who looks.
        unlink(file(of: instance))
        unlink(lockFile(of: instance))
    }

    private func sync(_ folder: String) {
        let descriptor = open(folder, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return }
        fsync(descriptor)
        close(descriptor)
    }

    private static let suffix = ".json"
    private func file(of instance: InstanceID) -> String { "\(path)/\(instance)\(Self.suffix)" }
    private func lockFile(of instance: InstanceID) -> String { "\(path)/\(instance).lock" }

    static func failure(_ path: String) -> ProcessDriverError {
        .file(path: path, reason: String(cString: strerror(errno)))
    }
}

/// A lock on a file (flock(2)), held until it is released or this process ends.
final class FileLock: Sendable {
    private let descriptor: Int32

    /// `nil` where someone else holds it.
    init?(path: String) throws {
        descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw InstanceFolder.failure(path) }
        if flock(descriptor, LOCK_EX | LOCK_NB) != 0 { return nil }
    }

    deinit {
        guard descriptor >= 0 else { return }
        // Said, not only closed: a child forked at this moment has a copy of the file until it runs its program.
        flock(descriptor, LOCK_UN)
        close(descriptor)
    }
}
