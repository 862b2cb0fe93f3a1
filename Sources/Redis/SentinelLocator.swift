import NIOCore

/// Asks the sentinels where the master is: one after the other, the one that knew it last first. Connections that are
/// opened at the same moment share one question.
// @unchecked. Proof: all mutable state is private and touched on `eventLoop` only. `observe` hands its work to that
// loop; `locate` is called there, by the connector of that loop, and asserts it in debug builds; the futures that it
// waits for complete there, as its own connector works on the same loop.
final class SentinelLocator: @unchecked Sendable {
    typealias Address = RedisConfiguration.Address

    private let connector: Connector
    private let eventLoop: any EventLoop
    private let master: String
    private var addresses: [Address]
    private var question: EventLoopFuture<Address>?
    private var known: Address?
    /// Called when the master is found at another place than before.
    private var whenMoved: [(Address) -> Void] = []

    /// - Returns: `nil` where the configuration names no sentinels.
    init?(_ configuration: RedisConfiguration, eventLoop: any EventLoop) {
        guard case .sentinel(let addresses, let master) = configuration.discovery else { return nil }
        self.addresses = addresses
        self.master = master
        self.eventLoop = eventLoop
        var sentinel = configuration
        sentinel.discovery = .none
        sentinel.database = 0
        sentinel.username = configuration.sentinelUsername
        sentinel.password = configuration.sentinelPassword
        connector = Connector(configuration: sentinel, eventLoop: eventLoop)
    }

    func observe(_ whenMoved: @escaping @Sendable (Address) -> Void) {
        eventLoop.execute { self.whenMoved.append(whenMoved) }
    }

    /// The master's address, or `unavailable` with what each sentinel said. Called on the event loop.
    func locate() -> EventLoopFuture<Address> {
        eventLoop.assertInEventLoop()
        if let question { return question }
        let asked = ask(addresses, reasons: [])
        question = asked
        asked.whenComplete { result in
            self.question = nil
            guard case .success(let address) = result else { return }
            if let known = self.known, known != address { for observer in self.whenMoved { observer(address) } }
            self.known = address
        }
        return asked
    }

    private func ask(_ sentinels: [Address], reasons: [String]) -> EventLoopFuture<Address> {
        guard let sentinel = sentinels.first else {
            let text = "no sentinel knows the master \(master): \(reasons.joined(separator: "; "))"
            return eventLoop.makeFailedFuture(RedisError.unavailable(text))
        }
        return connector.connect(to: sentinel).flatMap { self.ask($0) }
            .map { address in
                self.addresses.removeAll { $0 == sentinel }
                self.addresses.insert(sentinel, at: 0)
                return address
            }
            .flatMapError { self.ask(Array(sentinels.dropFirst()), reasons: reasons + ["\(sentinel): \($0)"]) }
    }

    private func ask(_ connection: RedisConnection) -> EventLoopFuture<Address> {
        let promise = eventLoop.makePromise(of: Address.self)
        let timeout = connector.configuration.connectTimeout.timeAmount
        let question = PendingCommand(
            ["SENTINEL", "GET-MASTER-ADDR-BY-NAME", RedisArgument(master)], timeout: timeout)
        let timer = eventLoop.scheduleTask(in: timeout) { question.end(.timedOut(mayHaveRun: true)) }
        question.whenEnded { outcome in
            timer.cancel()
            promise.completeWith(outcome.flatMap(Self.address).mapError { $0 })
            connection.close(because: .cancelled)
        }
        connection.append(question, at: .now())
        connection.flush()
        if connection.isClosed { question.end(.connectionLost(mayHaveRun: true)) }
        return promise.futureResult
    }

    private static func address(_ replies: PendingCommand.Replies) -> Result<Address, RedisError> {
        guard case .one(let reply) = replies else { return .failure(.unexpectedReply("several replies")) }
        if case .error(let text) = reply { return .failure(.server(text)) }
        if reply.isNull { return .failure(.unavailable("it knows no master of that name")) }
        guard let parts = reply.array, parts.count == 2, let host = parts[0].string, let port = parts[1].int else {
            return .failure(.unexpectedReply("wanted a host and a port, got \(reply.kind)"))
        }
        return .success(.tcp(host: host, port: port))
    }
}
