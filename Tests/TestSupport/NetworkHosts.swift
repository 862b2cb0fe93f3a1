import Foundation

/// Hosts for a test: Linux network namespaces, one each, so that programs on different hosts reach each other only by
/// the cables that are laid here, and a cable can be pulled.
///
/// Each host is on two networks, as game servers are: on the *inside* one are Redis and the API, on the *outside* one
/// are the players. Files and process ids are those of this machine, and so are the clocks.
///
/// Nothing is left behind, however the test process ends: a namespace lives as long as the process that holds it open,
/// which is guarded, and its cables go with it. The machine's own network is not touched, so any number of tests may
/// use the same addresses at once.
public final class NetworkHosts: Sendable {
    /// In the order of their numbers.
    public let hosts: [NetworkHost]
    private let anchors: [GuardedProcess]
    private let folder: TemporaryFolder

    /// Why there can be no such hosts here, in words; `nil` where there can. Needs `ip` (Debian: iproute2), and either
    /// root with the right to make network namespaces or namespaces for ordinary users.
    public static let hindrance: String? = {
        let trial = "ip link add b0 type bridge && ip link add c0 type veth peer name c1"
        let probe = Process()
        probe.executableURL = URL(filePath: "/bin/sh")
        probe.arguments = ["-c", #"exec "$@" 2>&1"#, "probe"] + newNetwork + ["/bin/sh", "-c", trial]
        let said = Pipe()
        probe.standardOutput = said
        probe.standardInput = FileHandle.nullDevice
        do {
            try probe.run()
            let words = try said.fileHandleForReading.readToEnd() ?? Data()
            probe.waitUntilExit()
            guard probe.terminationStatus != 0 else { return nil }
            let reason = String(decoding: words, as: UTF8.self).trimmingCharacters(in: .whitespacesAndNewlines)
            return "this machine makes no network namespaces: \(reason)"
        } catch {
            return "this machine makes no network namespaces: \(error)"
        }
    }()

    private static let isRoot = getuid() == 0

    /// What runs a command in a network namespace of its own, with the rights of root over it.
    private static let newNetwork =
        isRoot ? ["/usr/bin/unshare", "--net"] : ["/usr/bin/unshare", "--user", "--map-root-user", "--net"]

    /// What runs a command in the network namespace of a process.
    fileprivate static func into(_ pid: pid_t) -> [String] {
        let network = ["/usr/bin/nsenter", "--target", String(pid), "--net"]
        return isRoot ? network : network + ["--user", "--preserve-credentials"]
    }

    /// Makes hosts 1 to `count`, each with an address on both networks, and waits until they are wired up.
    public static func start(_ count: Int) async throws -> NetworkHosts {
        if let hindrance { throw TestSupportError(hindrance) }
        let folder = try TemporaryFolder()
        func anchor(_ name: String, _ enter: [String]) async throws -> GuardedProcess {
            let own = try FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/ns/net")
            let process = try await GuardedProcess.start(
                enter + ["/bin/sleep", "infinity"], log: folder.file("\(name).log"))
            try await eventually("\(name) has a network of its own") {
                // Until `unshare` has done its work the process is still in ours, or in that of the switch.
                let program = FileManager.default.contents(atPath: "/proc/\(process.pid)/comm") ?? Data()
                let isNew = try NetworkHost.network(of: process.pid) != own
                return isNew && String(decoding: program, as: UTF8.self).hasPrefix("sleep")
            }
            return process
        }
        let hub = try await anchor("hub", newNetwork)
        let atHub = into(hub.pid)
        for side in NetworkHost.Side.allCases {
            try await run(atHub, "ip link add \(side) type bridge && ip link set \(side) up")
        }
        var anchors = [hub]
        var hosts: [NetworkHost] = []
        for number in 1...count {
            let process = try await anchor("host-\(number)", atHub + ["/usr/bin/unshare", "--net"])
            let host = NetworkHost(number: number, anchor: process.pid, hub: atHub)
            try await host.wire()
            anchors.append(process)
            hosts.append(host)
        }
        return NetworkHosts(hosts: hosts, anchors: anchors, folder: folder)
    }

    private init(hosts: [NetworkHost], anchors: [GuardedProcess], folder: TemporaryFolder) {
        self.hosts = hosts
        self.anchors = anchors
        self.folder = folder
    }

    deinit { end() }

    /// Kills all that runs on the hosts, and then the hosts. Does nothing the second time.
    public func end() {
        for host in hosts { host.powerOff() }
        for anchor in anchors { anchor.end() }
        folder.remove()
    }

    fileprivate static func run(_ enter: [String], _ script: String) async throws {
        let command = enter + ["/bin/sh", "-c", script]
        _ = try await ForeignProgram.output(command[0], Array(command.dropFirst()))
    }
}

/// One of ``NetworkHosts``.
public struct NetworkHost: Sendable {
    /// A network, and the name of the host's interface in it.
    public enum Side: String, Sendable, CaseIterable { case inside, outside }

    /// From 1.
    public let number: Int
    /// A process that lives as long as the host: whoever is to end with the host may watch it.
    public let anchor: pid_t
    private let hub: [String]

    fileprivate init(number: Int, anchor: pid_t, hub: [String]) {
        self.number = number
        self.anchor = anchor
        self.hub = hub
    }

    /// Where the other hosts reach it.
    public func address(_ side: Side) -> String {
        switch side {
        case .inside: "10.77.0.\(number)"
        case .outside: "10.78.0.\(number)"
        }
    }

    /// What makes a command run on this host when it is put before it.
    public var prefix: [String] { NetworkHosts.into(anchor) }

    /// Starts a program here; its output is appended to `log`.
    public func start(
        _ command: [String], log: String, environment: [String: String] = [:]
    ) async throws -> GuardedProcess {
        try await GuardedProcess.start(
            prefix + command, log: log,
            environment: ProcessInfo.processInfo.environment.merging(environment) { $1 })
    }

    /// Runs a program here to its end.
    public func run(_ command: [String], environment: [String: String] = [:]) async throws -> MusterUp.Ending {
        let whole = prefix + command
        return try await ForeignProgram.run(whole[0], Array(whole.dropFirst()), environment: environment)
    }

    /// Pulls the host's cable to a network: what is sent is lost, and nobody is told.
    public func cut(_ side: Side) async throws { try await NetworkHosts.run(hub, "ip link set \(port(side)) down") }

    /// Plugs the cable in again.
    public func mend(_ side: Side) async throws { try await NetworkHosts.run(hub, "ip link set \(port(side)) up") }

    /// Pulls the cables of several hosts to a network for a while, and plugs them in again, also where the caller is
    /// cancelled.
    public static func cut(_ hosts: [NetworkHost], _ side: Side, for duration: Duration) async throws {
        for host in hosts { try await host.cut(side) }
        let wait = await Result { try await Task.sleep(for: duration) }
        for host in hosts { try await host.mend(side) }
        try wait.get()
    }

    /// The processes that run here, but for the anchor.
    public func processes() -> [pid_t] {
        do {
            let own = try Self.network(of: anchor)
            return try FileManager.default.contentsOfDirectory(atPath: "/proc").compactMap { pid_t($0) }
                .filter { pid in
                    do {
                        return try pid != anchor && Self.network(of: pid) == own
                    } catch {
                        return false  // It ended meanwhile, or belongs to another user.
                    }
                }
        } catch {
            return []  // The host is gone.
        }
    }

    /// Kills all that runs here at once, as the loss of its power would; the cables stay.
    public func powerOff() {
        // Some seconds: what the kernel does not let go of by then is not waited for.
        for _ in 0..<1_000 {
            let left = processes()
            if left.isEmpty { return }
            for pid in left { kill(pid, SIGKILL) }
            usleep(10_000)
        }
    }

    fileprivate static func network(of pid: pid_t) throws -> String {
        try FileManager.default.destinationOfSymbolicLink(atPath: "/proc/\(pid)/ns/net")
    }

    /// Lays a cable to each network and gives the host its addresses.
    fileprivate func wire() async throws {
        for side in Side.allCases {
            try await NetworkHosts.run(
                hub,
                """
                set -e
                ip link add \(port(side)) type veth peer name \(side) netns \(anchor)
                ip link set \(port(side)) master \(side) up
                """)
        }
        let steps = Side.allCases.map { "ip address add \(address($0))/24 dev \($0); ip link set \($0) up" }
        try await NetworkHosts.run(prefix, (["set -e", "ip link set lo up"] + steps).joined(separator: "\n"))
    }

    /// The hub's end of the cable; interfaces have names of 15 bytes at most.
    private func port(_ side: Side) -> String { "\(side)-\(number)" }
}

/// Runs the body with hosts, which are gone afterwards with all that ran on them.
public func withNetworkHosts<T>(
    _ count: Int, isolation: isolated (any Actor)? = #isolation, _ body: ([NetworkHost]) async throws -> T
) async throws -> T {
    let network = try await NetworkHosts.start(count)
    defer { network.end() }
    return try await body(network.hosts)
}

extension Result where Failure == any Error {
    fileprivate init(_ body: () async throws -> Success) async {
        do {
            self = .success(try await body())
        } catch {
            self = .failure(error)
        }
    }
}
