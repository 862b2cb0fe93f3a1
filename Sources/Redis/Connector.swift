import NIOCore
import NIOPosix
import NIOSSL

/// Opens connections: finds the master where sentinels know it, connects, encrypts where asked to, gives the password,
/// chooses the database, tells the client's name, and waits until the server answers a PING, so that one that accepts
/// but does not serve (stopped, or loading its data) is not taken as ready.
struct Connector: Sendable {
    let configuration: RedisConfiguration
    let eventLoop: any EventLoop
    private let tls: TLSContexts?
    /// Finds the master; `nil` where the address is known.
    let locator: SentinelLocator?

    init(configuration: RedisConfiguration, eventLoop: any EventLoop) {
        self.configuration = configuration
        self.eventLoop = eventLoop
        tls = configuration.tls.map { TLSContexts($0) }
        locator = SentinelLocator(configuration, eventLoop: eventLoop)
    }

    /// Reads the certificates, so that a wrong path is told before anything is tried.
    ///
    /// - Throws: `invalidConfiguration`.
    func prepare() throws(RedisError) { _ = try tls?.context() }

    /// Bytes that may wait for the socket before no further commands are written.
    private static let waterMark = ChannelOptions.Types.WriteBufferWaterMark(
        low: 256 * 1024, high: 1024 * 1024)

    /// A connection ready for commands, or `unavailable` with the reason in words.
    func connect() -> EventLoopFuture<RedisConnection> {
        guard let locator else { return connect(to: configuration.address) }
        return eventLoop.flatSubmit { locator.locate() }.flatMap { connect(to: $0) }
    }

    func connect(to address: RedisConfiguration.Address) -> EventLoopFuture<RedisConnection> {
        let connection = RedisConnection(configuration: configuration, address: address)
        let bootstrap = ClientBootstrap(group: eventLoop)
            .connectTimeout(configuration.connectTimeout.timeAmount)
            .channelOption(.writeBufferWaterMark, value: Self.waterMark)
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    if let tls { try channel.pipeline.syncOperations.addHandler(tls.handler(for: address)) }
                    try channel.pipeline.syncOperations.addHandler(connection)
                }
            }
        let channel =
            switch address {
            case .tcp(let host, let port):
                bootstrap.channelOption(.tcpOption(.tcp_nodelay), value: 1)
                    .channelOption(.socketOption(.so_keepalive), value: 1).connect(host: host, port: port)
            case .unix(let path):
                bootstrap.connect(unixDomainSocketPath: path)
            }
        return channel.flatMap { _ in greet(connection) }
            .flatMapErrorThrowing { error in
                tls?.forget()
                throw RedisError.unavailable(
                    "connecting to \(address): \(Self.words(connection.fault ?? error))")
            }
    }

    private func greet(_ connection: RedisConnection) -> EventLoopFuture<RedisConnection> {
        let promise = eventLoop.makePromise(of: RedisConnection.self)
        let greeting = PendingCommand(commands, timeout: configuration.connectTimeout.timeAmount)
        let timer = eventLoop.scheduleTask(deadline: greeting.deadline) {
            greeting.end(.timedOut(mayHaveRun: true))
            connection.close(because: .timedOut(mayHaveRun: true))
        }
        greeting.whenEnded { outcome in
            timer.cancel()
            if let failure = failure(of: outcome) {
                promise.fail(failure)
                connection.close(because: failure)
            } else {
                promise.succeed(connection)
            }
        }
        connection.append(greeting, at: .now())
        connection.flush()
        if connection.isClosed { greeting.end(.connectionLost(mayHaveRun: true)) }
        return promise.futureResult
    }

    private var commands: [RedisCommand] {
        var commands: [RedisCommand] = []
        if let password = configuration.password {
            let user = configuration.username.map { [RedisArgument($0)] } ?? []
            commands.append(RedisCommand(["AUTH"] + user + [RedisArgument(password)]))
        }
        if configuration.database != 0 {
            commands.append(["SELECT", RedisArgument(configuration.database)])
        }
        if let name = configuration.clientName {
            commands.append(["CLIENT", "SETNAME", RedisArgument(name)])
        }
        // The sentinels' answer can be old: a former master may have come back as a replica.
        if locator != nil { commands.append(["ROLE"]) }
        commands.append(["PING"])
        return commands
    }

    private func failure(of outcome: PendingCommand.Outcome) -> RedisError? {
        switch outcome {
        case .failure(let error): return error
        case .success(.one): return nil
        case .success(.many(let replies)):
            for (command, reply) in zip(commands, replies) {
                if command == ["ROLE"], let role = reply.array?.first?.string, role != "master" {
                    return .unavailable("the sentinels call it the master, and it calls itself a \(role)")
                }
                guard case .error(let text) = reply else { continue }
                // A user without the right to name itself or to PING can still be a user of everything else.
                let isOptional = command.arguments.first == "CLIENT" || text.hasPrefix("NOPERM")
                if isOptional && command.arguments.first != "SELECT" { continue }
                return .server(text)
            }
            return nil
        }
    }

    private static func words(_ error: any Error) -> String {
        switch error {
        case let error as RedisError: error.description
        case let error as ChannelError: "\(error)"
        case let error as IOError: error.description
        case is NIOSSLError, is NIOSSLExtraError, is BoringSSLError: "TLS: \(error)"
        case let error as NIOConnectionError:
            error.connectionErrors.first.map { words($0.error) } ?? "no address for \(error.host)"
        default: "\(error)"
        }
    }
}

extension RedisCommand: ExpressibleByArrayLiteral {
    public init(arrayLiteral elements: RedisArgument...) { self.init(elements) }
}
