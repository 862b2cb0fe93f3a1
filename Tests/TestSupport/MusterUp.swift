import Foundation

/// A whole Muster for a test: `muster up` in a folder of its own, on free ports, with its own redis-server.
///
/// Its processes end with the test process, however that ends: the supervisor is guarded, and its children watch it.
public final class MusterUp: Sendable {
    /// What `up.json` says, as far as tests need it.
    public struct State: Decodable, Sendable {
        public struct Member: Decodable, Sendable {
            public let name: String
            public let role: String
            public let pid: Int32?
            public let restarts: Int
        }
        public let pid: Int32
        public let isReady: Bool
        public let redisUrl: String
        public let apiUrl: String
        public let apiUrls: [String]
        public let developerTokenFile: String
        public let processes: [Member]
    }

    /// How a command ended, and what it said.
    public struct Ending: Sendable {
        public let status: Int32
        public let output: String
        public let errors: String
    }

    public let folder: TemporaryFolder
    private let process: GuardedProcess
    /// Where it runs; `nil`: on this machine itself.
    private let host: NetworkHost?

    private init(folder: TemporaryFolder, process: GuardedProcess, host: NetworkHost?) {
        self.folder = folder
        self.process = process
        self.host = host
    }

    /// The `muster` that was built together with the running tests, or the one that `MUSTER_EXECUTABLE` names: a
    /// release for the large loads.
    public static func executable() throws -> String {
        if let path = ProcessInfo.processInfo.environment["MUSTER_EXECUTABLE"] { return path }
        let tests = try FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")
        let path = URL(filePath: tests).deletingLastPathComponent().appending(path: "muster").path
        guard FileManager.default.isExecutableFile(atPath: path) else {
            throw TestSupportError("\(path) is not there: build the product muster")
        }
        return path
    }

    /// Starts everything and waits until all of it is ready.
    ///
    /// - Parameters:
    ///   - environment: beside the variables of this process.
    ///   - host: where all of it runs; `nil`: on this machine itself.
    public static func start(
        _ arguments: [String] = [], environment more: [String: String] = [:], on host: NetworkHost? = nil
    ) async throws -> MusterUp {
        let folder = try TemporaryFolder()
        var environment = ProcessInfo.processInfo.environment.merging(more) { $1 }
        // Cheap password hashes: a test machine has other work to do.
        environment["MUSTER_PASSWORD_SCRYPT_LOG_N"] = "10"
        environment["MUSTER_PASSWORD_SCRYPT_P"] = "1"
        let process = try await GuardedProcess.start(
            (host?.prefix ?? []) + [try executable(), "up", "--data", folder.path, "--exit-with-parent"]
                + (arguments.contains("--port") ? [] : ["--port", "0"]) + arguments,
            log: folder.file("up.log"), environment: environment)
        let up = MusterUp(folder: folder, process: process, host: host)
        do {
            try await eventually(within: .seconds(180), "muster up is ready") { try up.state()?.isReady == true }
        } catch {
            throw TestSupportError("\(error); its log ends:\n\(up.log(lines: 30))")
        }
        return up
    }

    /// `nil` before it is written and after the end.
    public func state() throws -> State? {
        guard let text = FileManager.default.contents(atPath: folder.file("up.json")) else { return nil }
        return try JSONDecoder().decode(State.self, from: text)
    }

    /// The last lines of everything's log.
    public func log(lines: Int) -> String {
        let text = FileManager.default.contents(atPath: folder.file("up.log")) ?? Data()
        return String(decoding: text, as: UTF8.self).split(separator: "\n").suffix(lines).joined(separator: "\n")
    }

    /// Runs a `muster` command on this data folder to its end, on the host where all of it runs.
    public func muster(_ arguments: [String], onData: Bool = true) async throws -> Ending {
        let arguments = arguments + (onData ? ["--data", folder.path] : [])
        guard let host else { return try await Self.run(arguments) }
        return try await host.run([try Self.executable()] + arguments)
    }

    /// Runs a `muster` command to its end.
    public static func run(_ arguments: [String]) async throws -> Ending {
        try await ForeignProgram.run(try executable(), arguments)
    }

    /// kill -9 of one process by its name (`verifier-1`), and answers how often it had been restarted before.
    @discardableResult
    public func killProcess(_ name: String) throws -> Int {
        let member = try member(name)
        if let pid = member.pid { kill(pid, SIGKILL) }
        return member.restarts
    }

    /// The process id of one process by its name.
    public func pid(of name: String) throws -> Int32 {
        guard let pid = try member(name).pid else { throw TestSupportError("no process \(name) is running") }
        return pid
    }

    private func member(_ name: String) throws -> State.Member {
        guard let member = try state()?.processes.first(where: { $0.name == name }), member.pid != nil else {
            throw TestSupportError("no process \(name) is running")
        }
        return member
    }

    /// SIGSTOP of processes, and SIGCONT after a while, also where the caller is cancelled: a stopped process would not
    /// notice the end of its supervisor.
    public static func pause(_ pids: [Int32], for duration: Duration) async throws {
        for pid in pids { kill(pid, SIGSTOP) }
        defer { for pid in pids { kill(pid, SIGCONT) } }
        try await Task.sleep(for: duration)
    }

    /// The process ids of the game instances that run, as their allocators have noted them: also of those that an
    /// allocator which is gone has started.
    public func instances() throws -> [Int32] {
        struct Note: Decodable {
            let pid: Int32?
        }
        let notes = folder.file("instances")
        guard FileManager.default.fileExists(atPath: notes) else { return [] }
        return try FileManager.default.contentsOfDirectory(atPath: notes).filter { $0.hasSuffix(".json") }.compactMap {
            // One that ended meanwhile has no note.
            guard let text = FileManager.default.contents(atPath: "\(notes)/\($0)"),
                let pid = try JSONDecoder().decode(Note.self, from: text).pid, kill(pid, 0) == 0
            else { return nil }
            return pid
        }.sorted()
    }

    /// Ends as ^C would, and waits until everything has stopped; then removes the folder.
    public func stop() async throws {
        let pids = try state()?.processes.compactMap(\.pid) ?? []
        process.signal(SIGTERM)
        // Each of its stages has 30 s before it is killed.
        try await eventually(within: .seconds(240), "muster up has stopped") { try self.state() == nil }
        try await eventually("no child of muster up is left") {
            pids.allSatisfy { kill($0, 0) != 0 }
        }
        process.end()
        folder.remove()
    }

    /// Ends at once and leaves the folder, for a test that failed.
    public func abandon() {
        var pids: [Int32] = []
        do {
            pids = try state()?.processes.compactMap(\.pid) ?? []
        } catch {
            print("up.json could not be read: \(error)")
        }
        process.end()
        // The children watch the supervisor and end by themselves, but redis-server does not.
        for pid in pids { kill(pid, SIGKILL) }
    }
}

/// Runs the body with a whole Muster, and stops it in order afterwards.
public func withMuster<T>(
    _ arguments: [String] = [], environment: [String: String] = [:], on host: NetworkHost? = nil,
    isolation: isolated (any Actor)? = #isolation, _ body: (MusterUp) async throws -> T
) async throws -> T {
    let up = try await MusterUp.start(arguments, environment: environment, on: host)
    let value: T
    do {
        value = try await body(up)
    } catch {
        let log = up.log(lines: 40)
        up.abandon()
        throw TestSupportError("\(error); the log ends:\n\(log)")
    }
    do {
        try await up.stop()
    } catch {
        throw TestSupportError("\(error); the log ends:\n\(up.log(lines: 40))")
    }
    return value
}
