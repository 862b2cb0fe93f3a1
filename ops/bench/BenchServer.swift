import Foundation
import Redis

/// A redis-server of the benchmark's own: on a unix socket in a temporary folder, AOF everysec. It ends, and its
/// folder goes, with `stop` or with this process, however that ends.
struct BenchServer {
    let url: String
    private let guardian: Process
    private let leash: Pipe

    /// Starts it; it may need a moment before it answers.
    static func start() throws -> BenchServer {
        let folder = FileManager.default.temporaryDirectory.appending(path: "muster-bench-\(UUID().uuidString)").path
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        let guardian = Process()
        let leash = Pipe()
        guardian.executableURL = URL(filePath: "/bin/sh")
        // The shell reads until the pipe's other end is closed, which the kernel does when this process is gone.
        guardian.arguments = [
            "-c", "redis-server \"$@\" & server=$!; cat > /dev/null; kill -9 $server; wait; rm -rf \"$0\"", folder,
            "--port", "0", "--unixsocket", folder + "/r.sock", "--dir", folder, "--save", "", "--appendonly", "yes",
            "--appendfsync", "everysec", "--auto-aof-rewrite-percentage", "0",
        ]
        guardian.standardInput = leash
        guardian.standardOutput = FileHandle.nullDevice
        guardian.standardError = FileHandle.nullDevice
        try guardian.run()
        return BenchServer(url: "unix://\(folder)/r.sock", guardian: guardian, leash: leash)
    }

    /// Lends a server, and a folder of the benchmark's own beside it, by URL and path; both are gone afterwards,
    /// however the body ends.
    static func withFolder(_ body: (_ url: String, _ folder: String) async throws -> Void) async throws {
        let folder = FileManager.default.temporaryDirectory.appending(path: "muster-bench-\(UUID().uuidString)").path
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        let server = try start()
        let outcome: Result<Void, any Error>
        do {
            try await body(server.url, folder)
            outcome = .success(())
        } catch {
            outcome = .failure(error)
        }
        try server.stop()
        try FileManager.default.removeItem(atPath: folder)
        try outcome.get()
    }

    func stop() throws {
        try leash.fileHandleForWriting.close()
        guardian.waitUntilExit()
    }
}
