import Foundation
import Redis
import Synchronization

/// A redis-server of the test's own: on a unix socket in its own folder, without persistence unless asked for, gone
/// when the test process is.
public final class RedisServer: Sendable {
    /// `unix:///…`, for `RedisConfiguration(url:)`.
    public let url: String
    public let socketPath: String
    public let folder: String
    /// The TCP port on 127.0.0.1 or the host's inside address, where asked for.
    public let port: Int?
    private let address: String

    /// `redis://address:port`, where TCP was asked for; otherwise the socket's URL.
    public var tcpURL: String { port.map { "redis://\(address):\($0)" } ?? url }

    private let arguments: [String]
    private let temporary: TemporaryFolder
    private let process = Mutex<GuardedProcess?>(nil)

    /// Starts a server and waits until it answers.
    ///
    /// - Parameters:
    ///   - arguments: put after the defaults, so that they win: `["--appendonly", "yes", "--appendfsync", "always"]`.
    ///   - tcp: listen on a free port of 127.0.0.1 too.
    ///   - host: where it runs, and listens on port 6379 of its inside address; `nil`: on this machine itself.
    public static func start(
        arguments: [String] = [], tcp: Bool = false, on host: NetworkHost? = nil
    ) async throws -> RedisServer {
        let server = RedisServer(
            folder: try TemporaryFolder(), port: host != nil ? 6_379 : tcp ? try freePort() : nil,
            arguments: arguments, host: host)
        try await server.launch()
        return server
    }

    private init(folder: TemporaryFolder, port: Int?, arguments: [String], host: NetworkHost?) {
        temporary = folder
        address = host?.address(.inside) ?? "127.0.0.1"
        self.folder = folder.path
        self.port = port
        socketPath = folder.file("r.sock")
        url = "unix://\(socketPath)"
        self.arguments =
            (host?.prefix ?? []) + [
                "/usr/bin/redis-server", "--save", "", "--port", String(port ?? 0), "--bind", address,
                "--unixsocket", socketPath, "--dir", folder.path, "--daemonize", "no", "--enable-debug-command", "yes",
                // Others than this machine reach it only on a host that is a test's own.
                "--protected-mode", "no",
            ] + arguments
    }

    deinit { stop() }

    /// The configuration of a client of it.
    public func configuration() throws -> RedisConfiguration { try RedisConfiguration(url: url) }

    /// Ends it and removes its folder. Does nothing the second time.
    public func stop() {
        kill()
        temporary.remove()
    }

    /// SIGKILL, as a crash or a power cut would. The folder stays, for `restart`.
    public func kill() {
        let running = process.withLock { process in
            defer { process = nil }
            return process
        }
        running?.end()
    }

    /// Starts it again on the same socket and folder, killing it first where it runs. What it knew is gone, unless it
    /// was started with `--appendonly yes`.
    public func restart() async throws {
        kill()
        try await launch()
    }

    /// SIGSTOP: it accepts connections (the kernel does) and answers nothing, until `resume`.
    public func pause() { process.withLock { $0?.signal(SIGSTOP) } }

    /// SIGCONT.
    public func resume() { process.withLock { $0?.signal(SIGCONT) } }

    /// `FLUSHALL`, as an operator's accident would.
    public func flush() async throws { _ = try await command("FLUSHALL") }

    /// One command over a connection of its own, apart from any client; the first line of the reply.
    @discardableResult
    public func command(_ line: String) async throws -> String {
        guard let reply = try Self.exchange(line, socketPath: socketPath) else {
            throw TestSupportError("redis-server at \(socketPath) does not answer \(line)")
        }
        return reply
    }

    private func launch() async throws {
        unlink(socketPath)
        let log = temporary.file("redis.log")
        let started = try await GuardedProcess.start(arguments, log: log)
        process.withLock { $0 = started }
        // A disk that is flushing for others has held a server up for longer than ten seconds.
        for _ in 0..<12_000 {
            if try Self.exchange("PING", socketPath: socketPath)?.hasPrefix("-LOADING") == false { return }
            try await Task.sleep(for: .milliseconds(5))
        }
        kill()
        let text = FileManager.default.contents(atPath: log).map { String(decoding: $0, as: UTF8.self) } ?? ""
        throw TestSupportError("redis-server did not answer within 60 s; its log: \(text)")
    }

    /// `nil` where nothing listens or nothing comes back within 30 s.
    private static func exchange(_ line: String, socketPath: String) throws -> String? {
        let descriptor = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        guard descriptor >= 0 else { throw TestSupportError("socket: \(String(cString: strerror(errno)))") }
        defer { close(descriptor) }
        var limit = timeval(tv_sec: 30, tv_usec: 0)
        setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &limit, socklen_t(MemoryLayout<timeval>.size))
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: socketPath.utf8) }
        let connected = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_un>.size)) == 0
            }
        }
        guard connected else { return nil }
        let request = Array((line + "\r\n").utf8)
        guard send(descriptor, request, request.count, Int32(MSG_NOSIGNAL)) == request.count else {
            return nil
        }
        var reply = [UInt8](repeating: 0, count: 4096)
        let count = recv(descriptor, &reply, reply.count, 0)
        guard count > 0 else { return nil }
        return String(decoding: reply[..<count].prefix { $0 != UInt8(ascii: "\r") }, as: UTF8.self)
    }

    /// Below those that the kernel gives to whoever wants any port (Linux: from 32768), and beside those that
    /// `muster up` chooses from, so that nobody gets one of these by chance between the choice and the use.
    private static let portsToChoose = 10_000..<20_000
    private static let chosenPorts = Mutex<Set<Int>>([])

    /// A TCP port of 127.0.0.1 where nobody listens now; another one with each call in this process.
    public static func freePort() throws -> Int {
        for _ in 0..<1_000 {
            // By chance, as other test processes choose too.
            let port = Int.random(in: portsToChoose)
            if chosenPorts.withLock({ $0.insert(port).inserted }), try isFree(port) { return port }
        }
        throw TestSupportError("no free port from \(portsToChoose.lowerBound) to \(portsToChoose.upperBound)")
    }

    private static func isFree(_ port: Int) throws -> Bool {
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        guard descriptor >= 0 else { throw TestSupportError("socket: \(String(cString: strerror(errno)))") }
        defer { close(descriptor) }
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = UInt16(port).bigEndian
        address.sin_addr.s_addr = inet_addr("127.0.0.1")
        return withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size)) == 0
            }
        }
    }
}
