import Foundation
import GameModel
import Glibc
import SystemPackage

/// The log file of one instance: written by the instance itself, so that it goes on when the allocator is gone, and
/// kept within bounds by whoever owns the instance.
///
/// A file past its size is copied to `….log.1` and emptied. The instance appends, so it goes on at the new end; lines
/// that it writes between the two steps are lost.
struct InstanceLog: Sendable {
    let path: String
    let bytesMax: Int

    private var old: String { path + ".1" }

    /// Opens it for an instance to be started.
    func open() throws -> FileDescriptor {
        let descriptor = Glibc.open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0o640)
        guard descriptor >= 0 else { throw InstanceFolder.failure(path) }
        return FileDescriptor(rawValue: descriptor)
    }

    /// Starts the file anew where it has grown past its size.
    func bound() throws {
        var status = stat()
        guard stat(path, &status) == 0, Int(status.st_size) > bytesMax else { return }
        if FileManager.default.fileExists(atPath: old) { try FileManager.default.removeItem(atPath: old) }
        try FileManager.default.copyItem(atPath: path, toPath: old)
        guard truncate(path, 0) == 0 else { throw InstanceFolder.failure(path) }
    }

    /// Removes the oldest logs of a folder, of instances that have ended, until no more than so many are left.
    static func prune(_ folder: String, keep: Int, sparing running: Set<String>) throws {
        // Other processes may have their logs there too; an instance's is known by its name.
        let files = try FileManager.default.contentsOfDirectory(atPath: folder).filter {
            let name = String($0.dropLast(4))
            return $0.hasSuffix(".log") && InstanceID(name).region != nil && !running.contains(name)
        }
        guard files.count > keep else { return }
        let dated = files.map { name -> (name: String, at: Int) in
            var status = stat()
            return (name, stat("\(folder)/\(name)", &status) == 0 ? Int(status.st_mtim.tv_sec) : 0)
        }
        for file in dated.sorted(by: { ($0.at, $0.name) < ($1.at, $1.name) }).prefix(files.count - keep) {
            unlink("\(folder)/\(file.name)")
            unlink("\(folder)/\(file.name).1")
        }
    }
}
