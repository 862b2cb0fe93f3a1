import NIOCore

/// What a script answered, and how many replicas have what it wrote.
public struct ReplicatedReply: Sendable, Hashable {
    public let reply: RESPValue
    public let acknowledged: Int

    public init(reply: RESPValue, acknowledged: Int) {
        self.reply = reply
        self.acknowledged = acknowledged
    }
}

extension RedisClient {
    /// Sends commands in one write on a connection that no other command uses meanwhile, so that the last ones may
    /// block (`WAIT`) and speak of the first ones.
    ///
    /// Of such calls as many as `blockingConnectionsMax` run at once (in a cluster, at each node), whatever
    /// `sendBlocking` has in use; further ones wait in line, at most `commandTimeout`.
    ///
    /// - Parameters:
    ///   - commands: in a cluster, of one slot. When one of them is sent on to another node, those after it are sent
    ///     there too; so all but the first must be safe to repeat.
    ///   - timeout: from sending to the last reply: what the commands block for and some grace.
    /// - Returns: the replies in the order of the commands; error replies stay in their place.
    /// - Throws: as `sendBlocking`, but no `server`; `invalidConfiguration` where a command must not be sent so.
    public nonisolated(nonsending) func pipelineBlocking(
        _ commands: [RedisCommand], timeout: Duration
    ) async throws(RedisError) -> [RESPValue] {
        if commands.isEmpty { return [] }
        for command in commands {
            if let refusal = CommandRules.refusal(of: command) { throw refusal }
        }
        guard commands.dropFirst().allSatisfy(\.isSafeToRepeat) else {
            throw .invalidConfiguration("all commands but the first must be safe to repeat")
        }
        if let cluster { return try await cluster.pipelineApart(commands, timeout: timeout.timeAmount) }
        return try await apart.perform(PendingCommand(commands, timeout: timeout.timeAmount)).all()
    }

    /// Runs a script and waits until so many replicas have what it wrote, or until the time is up (`WAIT`).
    ///
    /// - Parameters:
    ///   - witness: a write that always writes, to a key of the script's slot; harmless when it runs more than once.
    ///     What
    ///     `WAIT` answers is as of the connection's last write. A script that found its work done wrote nothing, and
    ///     would be answered at once though what it found may have no replica yet.
    ///   - replicas: 1 or more.
    ///   - within: how long is waited for them, 1 ms or more. The whole call takes at most `commandTimeout` longer.
    /// - Returns: also where too few acknowledged: the script ran then, on the master.
    /// - Throws: as `run`; after `connectionLost` and `timedOut` the script may have run.
    public nonisolated(nonsending) func run(
        _ script: RedisScript, keys: [RedisKey], arguments: [RedisArgument], witness: RedisCommand, replicas: Int,
        within: Duration, isSafeToRepeat: Bool = false
    ) async throws(RedisError) -> ReplicatedReply {
        let milliseconds = within.timeAmount.nanoseconds / 1_000_000
        guard replicas >= 1, milliseconds >= 1 else {
            throw .invalidConfiguration("1 replica or more is waited for, 1 ms or longer")
        }
        var witness = witness
        witness.isSafeToRepeat = true
        let tail = [
            witness,
            RedisCommand(["WAIT", RedisArgument(replicas), RedisArgument(milliseconds)], isSafeToRepeat: true),
        ]
        let timeout = within + configuration.commandTimeout
        let call = script.call(keys: keys, arguments: arguments, isSafeToRepeat: isSafeToRepeat)
        var replies = try await pipelineBlocking([call] + tail, timeout: timeout)
        if case .error(let text) = replies[0], text.hasPrefix("NOSCRIPT") {
            let call = script.introduction(keys: keys, arguments: arguments, isSafeToRepeat: isSafeToRepeat)
            replies = try await pipelineBlocking([call] + tail, timeout: timeout)
        }
        for reply in replies {
            if case .error(let text) = reply { throw .server(text) }
        }
        return ReplicatedReply(reply: replies[0], acknowledged: try replies[2].expectInt())
    }
}
