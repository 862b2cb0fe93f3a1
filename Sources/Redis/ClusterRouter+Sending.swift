import NIOCore

extension ClusterRouter {
    /// Sends one command to the node that has its keys, and follows where it is sent on to.
    ///
    /// - Throws: as `RedisClient.send`; `invalidConfiguration` where the keys are in several slots.
    nonisolated(nonsending) func send(
        _ command: RedisCommand, timeout: TimeAmount, isBlocking: Bool
    ) async throws(RedisError) -> RESPValue {
        let slot = try CommandKeys.slot(of: command)
        let deadline = NIODeadline.now() + timeout
        var asked: Address?
        var attempt = 0
        while true {
            let node = try await node(for: slot, asked: asked, before: deadline)
            let remaining = deadline - NIODeadline.now()
            guard remaining > .zero else { throw .timedOut(mayHaveRun: false) }
            let pending =
                asked == nil
                ? PendingCommand(command, timeout: remaining)
                : PendingCommand([Self.asking, command], timeout: remaining)
            asked = nil
            let outcome = await node.perform(pending, isBlocking: isBlocking)
            let reason: String
            switch outcome {
            case .success(let replies):
                let reply = replies.last
                guard case .error(let text) = reply else { return reply }
                guard let redirection = ClusterRedirection(text, asked: node.address) else { throw .server(text) }
                take(redirection)
                if case .ask(let address) = redirection { asked = address }
                reason = text
                if redirection != .later, attempt < Self.straightAwayMax {
                    attempt += 1
                    continue
                }
            case .failure(let error):
                guard canRetry(error, of: node, isSafeToRepeat: command.isSafeToRepeat) else { throw error }
                reason = "\(error)"
            }
            try await pause(attempt, before: deadline, reason: reason)
            attempt += 1
        }
    }

    /// Sends commands to the nodes that have their keys: one write for each node, uninterrupted there. A transaction
    /// (from MULTI on) must have all its keys in one slot and goes whole to one node.
    ///
    /// - Throws: as `RedisClient.pipeline`; when one node fails, what the others answered is lost.
    nonisolated(nonsending) func pipeline(
        _ commands: [RedisCommand], timeout: TimeAmount
    ) async throws(RedisError) -> [RESPValue] {
        var slots: [Int?] = []
        for command in commands { slots.append(try CommandKeys.slot(of: command)) }
        if commands.contains(where: { $0.arguments.first?.text.uppercased() == "MULTI" }) {
            return try await transaction(commands, slots, timeout: timeout)
        }
        var line = ClusterLine(commands: commands, slots: slots)
        let deadline = NIODeadline.now() + timeout
        var attempt = 0
        while !line.waiting.isEmpty {
            var batches: [ClusterBatch] = []
            for index in line.waiting {
                let asked = line.asked[index]
                let node = try await node(for: slots[index], asked: asked, before: deadline)
                if let known = batches.firstIndex(where: { $0.node === node && $0.isAsking == (asked != nil) }) {
                    batches[known].indices.append(index)
                } else {
                    batches.append(ClusterBatch(node: node, isAsking: asked != nil, indices: [index]))
                }
            }
            let remaining = deadline - NIODeadline.now()
            guard remaining > .zero else { throw .timedOut(mayHaveRun: attempt > 0) }
            let reason = try await exchange(batches, &line, timeout: remaining)
            if let reason { try await pause(attempt, before: deadline, reason: reason) }
            attempt += 1
            if attempt > Self.straightAwayMax, reason == nil, !line.waiting.isEmpty {
                try await pause(attempt, before: deadline, reason: "the cluster sends commands round in circles")
            }
        }
        return line.replies
    }

    /// - Returns: why to wait before what is left is sent again, or `nil`.
    private nonisolated(nonsending) func exchange(
        _ batches: [ClusterBatch], _ line: inout ClusterLine, timeout: TimeAmount
    ) async throws(RedisError) -> String? {
        let outcomes = await outcomes(of: batches, line.commands, timeout: timeout)
        line.waiting.removeAll()
        var reason: String?
        for (batch, outcome) in zip(batches, outcomes) {
            switch outcome {
            case .failure(let error):
                let isSafe = batch.indices.allSatisfy { line.commands[$0].isSafeToRepeat }
                guard canRetry(error, of: batch.node, isSafeToRepeat: isSafe) else { throw error }
                line.waiting += batch.indices
                reason = "\(error)"
            case .success(let replies):
                for (index, reply) in zip(batch.indices, batch.isAsking ? replies.everySecond : replies.all) {
                    line.replies[index] = reply
                    line.asked[index] = nil
                    guard case .error(let text) = reply,
                        let redirection = ClusterRedirection(text, asked: batch.node.address)
                    else { continue }
                    take(redirection)
                    line.waiting.append(index)
                    if case .ask(let address) = redirection { line.asked[index] = address }
                    if redirection == .later { reason = text }
                }
            }
        }
        // In the order of the call, so that commands of one key stay in theirs.
        line.waiting.sort()
        return reason
    }

    private nonisolated(nonsending) func outcomes(
        of batches: [ClusterBatch], _ commands: [RedisCommand], timeout: TimeAmount
    ) async -> [PendingCommand.Outcome] {
        let pendings = batches.map { batch in
            let own = batch.indices.flatMap { batch.isAsking ? [Self.asking, commands[$0]] : [commands[$0]] }
            return PendingCommand(own, timeout: timeout)
        }
        if pendings.count == 1 { return [await batches[0].node.perform(pendings[0], isBlocking: false)] }
        return await withTaskGroup(of: (Int, PendingCommand.Outcome).self) { group in
            for (place, pending) in pendings.enumerated() {
                let node = batches[place].node
                group.addTask { (place, await node.perform(pending, isBlocking: false)) }
            }
            var outcomes = [PendingCommand.Outcome](repeating: .failure(.cancelled), count: pendings.count)
            for await (place, outcome) in group { outcomes[place] = outcome }
            return outcomes
        }
    }

    private nonisolated(nonsending) func transaction(
        _ commands: [RedisCommand], _ slots: [Int?], timeout: TimeAmount
    ) async throws(RedisError) -> [RESPValue] {
        let ends = [commands.first, commands.last].map { $0?.arguments.first?.text.uppercased() ?? "" }
        guard ends == ["MULTI", "EXEC"] else {
            throw .invalidConfiguration("in a cluster a transaction is a pipeline of its own, from MULTI to EXEC")
        }
        let known = Set(slots.compactMap { $0 })
        guard known.count <= 1 else {
            throw .invalidConfiguration(
                "CROSSSLOT: the transaction has keys in \(known.count) slots; give them one tag")
        }
        let deadline = NIODeadline.now() + timeout
        var attempt = 0
        while true {
            let node = try await node(for: known.first, asked: nil, before: deadline)
            let remaining = deadline - NIODeadline.now()
            guard remaining > .zero else { throw .timedOut(mayHaveRun: false) }
            let outcome = await node.perform(PendingCommand(commands, timeout: remaining), isBlocking: false)
            let reason: String
            switch outcome {
            case .success(let replies):
                // A command that was sent on makes EXEC refuse all of them, so that nothing ran.
                let redirection = replies.all.lazy.compactMap { reply -> ClusterRedirection? in
                    if case .error(let text) = reply { ClusterRedirection(text, asked: node.address) } else { nil }
                }.first
                guard let redirection else { return replies.all }
                take(redirection)
                reason = "the transaction's slot is being moved"
            case .failure(let error):
                let isSafe = commands.allSatisfy(\.isSafeToRepeat)
                guard canRetry(error, of: node, isSafeToRepeat: isSafe) else { throw error }
                reason = "\(error)"
            }
            try await pause(attempt, before: deadline, reason: reason)
            attempt += 1
        }
    }

    /// Whether another node can be asked instead, without running anything twice.
    func canRetry(_ error: RedisError, of node: ClusterNode, isSafeToRepeat: Bool) -> Bool {
        guard node.isRetired else { return false }
        switch error {
        case .unavailable: return true
        case .connectionLost: return isSafeToRepeat
        default: return false
        }
    }

    static var asking: RedisCommand { RedisCommand("ASKING", isSafeToRepeat: true) }

    /// Redirections that are followed without a pause.
    static let straightAwayMax = 5
}

/// The commands of one call and what has come of them so far.
private struct ClusterLine {
    let commands: [RedisCommand]
    var replies: [RESPValue]
    var asked: [RedisConfiguration.Address?]
    /// Those that are not answered, in order.
    var waiting: [Int]

    init(commands: [RedisCommand], slots: [Int?]) {
        self.commands = commands
        replies = Array(repeating: .null, count: commands.count)
        asked = Array(repeating: nil, count: commands.count)
        waiting = Array(commands.indices)
    }
}

/// What goes to one node in one write.
private struct ClusterBatch {
    let node: ClusterNode
    let isAsking: Bool
    var indices: [Int]
}

extension PendingCommand.Replies {
    var all: [RESPValue] {
        switch self {
        case .one(let reply): [reply]
        case .many(let replies): replies
        }
    }

    fileprivate var last: RESPValue { all.last ?? .null }

    /// Without the answers to ASKING.
    var everySecond: [RESPValue] { stride(from: 1, to: all.count, by: 2).map { all[$0] } }
}
