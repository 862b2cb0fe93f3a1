import Foundation
import TestSupport
import Testing

/// A file system in memory of a fixed size.
enum SmallDisk {
    /// Whether this process has CAP_SYS_ADMIN (capability 21).
    static let mayMount: Bool = {
        let status = FileManager.default.contents(atPath: "/proc/self/status") ?? Data()
        let line = String(decoding: status, as: UTF8.self).split(separator: "\n").first { $0.hasPrefix("CapEff:") }
        let mask = line.flatMap { UInt64($0.dropFirst(7).trimmingCharacters(in: .whitespaces), radix: 16) } ?? 0
        return mask & (1 << 21) != 0
    }()

    /// Mounts it for the body.
    static func with(kilobytes: Int, _ body: (String) async throws -> Void) async throws {
        let folder = try TemporaryFolder()
        defer { folder.remove() }
        let mounted = try await ForeignProgram.run(
            "/bin/mount", ["-t", "tmpfs", "-o", "size=\(kilobytes)k", "tmpfs", folder.path])
        try #require(mounted.status == 0, "mount: \(mounted.errors)")
        let outcome: Result<Void, any Error>
        do {
            outcome = .success(try await body(folder.path))
        } catch {
            outcome = .failure(error)
        }
        let unmounted = try await ForeignProgram.run("/bin/umount", ["--lazy", folder.path])
        #expect(unmounted.status == 0, "umount: \(unmounted.errors)")
        try outcome.get()
    }

    /// Writes zeros until there is no room.
    static func fill(_ file: URL) {
        guard let stream = fopen(file.path, "w") else { return }
        let zeros = [UInt8](repeating: 0, count: 4_096)
        while fwrite(zeros, 1, zeros.count, stream) == zeros.count, fflush(stream) == 0 {}
        fclose(stream)
    }
}
