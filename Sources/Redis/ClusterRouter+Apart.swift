import NIOCore

extension ClusterRouter {
    /// Sends commands of one slot to its node, on a connection that no other command uses meanwhile. Where a command is
    /// sent on to another node, it and all that follow it are sent there.
    ///
    /// - Throws: as `RedisClient.pipelineBlocking`.
    nonisolated(nonsending) func pipelineApart(
        _ commands: [RedisCommand], timeout: TimeAmount
    ) async throws(RedisError) -> [RESPValue] {
        let slot = try Self.commonSlot(of: commands)
        let deadline = NIODeadline.now() + timeout
        var replies: [RESPValue] = []
        var asked: Address?
        var attempt = 0
        while true {
            let node = try await node(for: slot, asked: asked, before: deadline)
            let remaining = deadline - NIODeadline.now()
            guard remaining > .zero else { throw .timedOut(mayHaveRun: !replies.isEmpty) }
            let rest = commands[replies.count...]
            let isAsking = asked != nil
            let sent = isAsking ? rest.flatMap { [Self.asking, $0] } : Array(rest)
            asked = nil
            let outcome = await node.apart.perform(PendingCommand(sent, timeout: remaining))
            let reason: String
            switch outcome {
            case .success(let answers):
                let answers = isAsking ? answers.everySecond : answers.all
                guard let (text, redirection) = Self.takeUntilSentOn(answers, from: node.address, into: &replies)
                else { return replies }
                take(redirection)
                if case .ask(let address) = redirection { asked = address }
                reason = text
                if redirection != .later, attempt < Self.straightAwayMax {
                    attempt += 1
                    continue
                }
            case .failure(let error):
                guard canRetry(error, of: node, isSafeToRepeat: rest.allSatisfy(\.isSafeToRepeat)) else { throw error }
                reason = "\(error)"
            }
            try await pause(attempt, before: deadline, reason: reason)
            attempt += 1
        }
    }

    /// Adds the answers up to the first by which a command is sent on, and returns that one.
    private static func takeUntilSentOn(
        _ answers: [RESPValue], from address: Address, into replies: inout [RESPValue]
    ) -> (text: String, redirection: ClusterRedirection)? {
        for answer in answers {
            if case .error(let text) = answer, let redirection = ClusterRedirection(text, asked: address) {
                return (text, redirection)
            }
            replies.append(answer)
        }
        return nil
    }

    private static func commonSlot(of commands: [RedisCommand]) throws(RedisError) -> Int? {
        var common: Int?
        for command in commands {
            guard let slot = try CommandKeys.slot(of: command) else { continue }
            guard common == nil || common == slot else {
                throw .invalidConfiguration("CROSSSLOT: the commands have keys in several slots; give them one tag")
            }
            common = slot
        }
        return common
    }
}
