import Foundation

/// What `muster up` is to start, worked out before anything runs: every process with its ports and its settings.
struct UpPlan: Sendable {
    /// How many of each process, and where.
    struct Wishes: Sendable {
        var counts: [(role: String, count: Int)]
        var host: String
        /// The first API's port; the others take the ones after it. 0: any free ones.
        var apiPort: Int
        /// Redis that is there already; `nil`: one of our own.
        var redisURL: String?
        /// A payment provider that is there already; `nil`: the sandbox.
        var paymentsURL: String?
        /// A file of rules of matchmaking.
        var rulesFile: String?
        /// What the flags say, for all children.
        var overrides: [String: String]
    }

    let children: [ChildSpec]
    let redisURL: String
    let redisSpec: ChildSpec?
    let apiURLs: [String]
    let paymentsURL: String
    let folder: UpFolder
    /// The rules of matchmaking that the processes follow; `nil`: the built-in ones.
    let rulesFile: String?

    init(_ wishes: Wishes, folder: UpFolder, executable: String) throws {
        self.folder = folder
        rulesFile = wishes.rulesFile
        let redis = try RedisPlan(url: wishes.redisURL, folder: folder, takesAnyPort: wishes.apiPort == 0)
        redisURL = redis.url
        redisSpec = redis.spec
        let apiPorts = try Self.apiPorts(wishes)
        let shownHost = wishes.host == "0.0.0.0" ? "127.0.0.1" : wishes.host
        apiURLs = apiPorts.map { "http://\(shownHost):\($0)" }
        let sandboxPort = try wishes.paymentsURL == nil ? FreePort.any() : 0
        paymentsURL = wishes.paymentsURL ?? "http://127.0.0.1:\(sandboxPort)"

        var environment = wishes.overrides
        environment["MUSTER_REDIS_URL"] = redisURL
        if let rulesFile { environment["MUSTER_MATCHMAKING_RULES"] = rulesFile }
        environment["MUSTER_DATA"] = folder.path
        environment["MUSTER_API_URL"] = apiURLs[0]
        environment["MUSTER_PAYMENTS_URL"] = paymentsURL
        environment["MUSTER_INSTANCE_TOKEN"] = folder.instanceToken
        environment["MUSTER_SUPERVISOR_PID"] = String(getpid())
        if wishes.paymentsURL == nil {
            environment["MUSTER_PAYMENTS_PAYPAL_URL"] = paymentsURL
            environment.merge(folder.paymentSecrets) { given, _ in given }
        }

        var children: [ChildSpec] = []
        if wishes.paymentsURL == nil {
            children.append(
                ChildSpec(
                    name: "sandbox", role: "sandbox", stage: .outside, executable: executable,
                    arguments: [
                        "sandbox", "--port", String(sandboxPort), "--webhook-url",
                        "\(apiURLs[0])/v1/store/webhooks/stripe", "--paypal-webhook-url",
                        "\(apiURLs[0])/v1/store/webhooks/paypal",
                    ],
                    environment: environment, healthURL: "\(paymentsURL)/healthz"))
        }
        for (index, port) in apiPorts.enumerated() {
            children.append(
                ChildSpec(
                    name: "api-\(index + 1)", role: "api", stage: .api, executable: executable,
                    arguments: ["api", "--host", wishes.host, "--port", String(port)], environment: environment,
                    healthURL: "\(apiURLs[index])/readyz"))
        }
        for (role, count) in wishes.counts where role != "api" {
            for number in 1...max(count, 1) where count > 0 {
                // As a flag, not in the environment: the allocator hands its environment on to its instances.
                let port = try FreePort.any()
                children.append(
                    ChildSpec(
                        name: "\(role)-\(number)", role: role, stage: role == "allocator" ? .instances : .workers,
                        executable: executable,
                        arguments: [role, "--set", "health.port=\(port)"], environment: environment,
                        healthURL: "http://127.0.0.1:\(port)/readyz"))
            }
        }
        self.children = children
    }

    /// What `up.json` says before anything runs.
    var initialState: UpState {
        let specs = (redisSpec.map { [$0] } ?? []) + children
        return UpState(
            pid: getpid(), startedAt: Int64(Date().timeIntervalSince1970 * 1000), isReady: false, data: folder.path,
            redisUrl: redisURL, apiUrl: apiURLs[0], apiUrls: apiURLs, paymentsUrl: paymentsURL,
            paymentsKeyFile: children.contains { $0.role == "sandbox" } ? folder.paymentsKeyFile : nil,
            rulesFile: rulesFile,
            instanceTokenFile: folder.instanceTokenFile, developerTokenFile: folder.developerTokenFile,
            processes: specs.map { .init(name: $0.name, role: $0.role, pid: nil, healthUrl: $0.healthURL, restarts: 0) }
        )
    }

    private static func apiPorts(_ wishes: Wishes) throws -> [Int] {
        let count = wishes.counts.first { $0.role == "api" }?.count ?? 1
        guard wishes.apiPort > 0 else { return try (0..<count).map { _ in try FreePort.any() } }
        let ports = Array(wishes.apiPort..<wishes.apiPort + count)
        if let taken = ports.first(where: { !FreePort.isFree($0) }) {
            throw CommandFailure(
                "Port \(taken) is taken by another process.",
                nextStep: "Choose another with --port N, or let one be found: --port 0.")
        }
        return ports
    }
}

/// Where Redis is, and how to start it if it is ours.
private struct RedisPlan {
    let url: String
    let spec: ChildSpec?

    /// Linux lets a unix socket's path be 107 bytes long.
    private static let socketPathBytesMax = 107

    init(url given: String?, folder: UpFolder, takesAnyPort: Bool) throws {
        if let given {
            url = given
            spec = nil
            return
        }
        // Redis' usual one only where ports are not left to the kernel: two that start at once would both find it free.
        let port = try !takesAnyPort && FreePort.isFree(6379) ? 6379 : FreePort.any()
        let socket = "\(folder.redisFolder)/redis.sock"
        let fits = socket.utf8.count <= Self.socketPathBytesMax
        url = fits ? "unix://\(socket)" : "redis://127.0.0.1:\(port)"
        var arguments = [
            "redis-server", "--port", String(port), "--bind", "127.0.0.1", "--dir", folder.redisFolder,
            "--appendonly", "yes", "--appendfsync", "everysec", "--save", "", "--maxmemory-policy", "noeviction",
            "--daemonize", "no", "--loglevel", "notice",
        ]
        if fits { arguments += ["--unixsocket", socket, "--unixsocketperm", "700"] }
        spec = ChildSpec(
            name: "redis", role: "redis", stage: .redis, executable: "/usr/bin/env", arguments: arguments,
            environment: [:], healthURL: nil)
    }
}
