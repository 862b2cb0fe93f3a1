import NIOCore

extension RedisClient {
    /// Sends a command without keys (`DBSIZE`, `CONFIG GET`, `SCRIPT FLUSH`, `INFO`) to every master of a cluster, at
    /// the same time; elsewhere to the one server.
    ///
    /// - Returns: one reply for each master, in the order of their slots; never an error reply.
    /// - Throws: as `send`, when one of them fails; the others may have run it. `invalidConfiguration` where it has
    ///   keys.
    public nonisolated(nonsending) func everyMaster(
        _ command: RedisCommand, timeout: Duration? = nil
    ) async throws(RedisError) -> [RESPValue] {
        guard CommandKeys.keys(of: command).isEmpty else {
            throw .invalidConfiguration("a command with keys has one master; send it by itself")
        }
        guard let cluster else { return [try await send(command, timeout: timeout)] }
        if let refusal = CommandRules.refusal(of: command) { throw refusal }
        let timeout = (timeout ?? configuration.commandTimeout).timeAmount
        let nodes = try await cluster.masterNodes(before: .now() + timeout)
        let outcomes = await withTaskGroup(of: (Int, PendingCommand.Outcome).self) { group in
            for (place, node) in nodes.enumerated() {
                group.addTask {
                    (place, await node.perform(PendingCommand(command, timeout: timeout), isBlocking: false))
                }
            }
            var outcomes = [PendingCommand.Outcome](repeating: .failure(.cancelled), count: nodes.count)
            for await (place, outcome) in group { outcomes[place] = outcome }
            return outcomes
        }
        var replies: [RESPValue] = []
        for outcome in outcomes { replies.append(try outcome.single()) }
        return replies
    }

    /// The keys of that pattern, of every master, in pieces (`SCAN`).
    ///
    /// A key that is there from the beginning to the end is found, though maybe more than once; one that comes or goes
    /// meanwhile may be. A master that is replaced meanwhile ends it with `unavailable`: begin anew then.
    ///
    /// - Parameters:
    ///   - pattern: as of `KEYS`: `*`, `?`, `[…]`.
    ///   - effort: how many keys the server looks at for each piece; it serves nobody else meanwhile.
    public func scan(matching pattern: String, effort: Int = 1_000) -> RedisScan {
        RedisScan(client: self, pattern: pattern, effort: effort)
    }
}

/// The pieces of `RedisClient.scan`; some of them are empty.
public struct RedisScan: AsyncSequence, Sendable {
    public typealias Element = [RedisKey]
    public typealias Failure = RedisError

    let client: RedisClient
    let pattern: String
    let effort: Int

    public func makeAsyncIterator() -> AsyncIterator { AsyncIterator(scan: self) }

    public struct AsyncIterator: AsyncIteratorProtocol, Sendable {
        private let scan: RedisScan
        private var isBegun = false
        /// The nodes of a cluster that are still to be looked at, the current one last.
        private var nodes: [ClusterNode] = []
        /// `nil` once the last node told its last.
        private var cursor: String? = "0"

        fileprivate init(scan: RedisScan) { self.scan = scan }

        public mutating func next() async throws(RedisError) -> [RedisKey]? {
            guard let cursor else { return nil }
            let timeout = scan.client.configuration.commandTimeout.timeAmount
            if let cluster = scan.client.cluster, !isBegun {
                nodes = try await cluster.masterNodes(before: .now() + timeout).reversed()
            }
            isBegun = true
            let command = RedisCommand(
                [
                    "SCAN", RedisArgument(cursor), "MATCH", RedisArgument(scan.pattern), "COUNT",
                    RedisArgument(scan.effort),
                ],
                isSafeToRepeat: true)
            let reply: RESPValue
            if let node = nodes.last {
                let pending = PendingCommand(command, timeout: timeout)
                reply = try await node.perform(pending, isBlocking: false).single()
            } else {
                reply = try await scan.client.send(command)
            }
            guard let parts = reply.array, parts.count == 2, let next = parts[0].string, let keys = parts[1].array
            else { throw .unexpectedReply("SCAN answers a cursor and keys") }
            self.cursor = next
            if next == "0" {
                _ = nodes.popLast()
                if nodes.isEmpty { self.cursor = nil }
            }
            return keys.compactMap { $0.string.map { RedisKey($0) } }
        }
    }
}
