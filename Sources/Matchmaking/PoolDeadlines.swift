import GameModel
import Logging
import Redis

/// Ends what is past its deadline in one pool: tickets that waited too long, proposals not accepted in time, matches
/// that found no instance, matches that never ended, and what running matches asked for that run no more. Each by a
/// script that judges by Redis `TIME` whether it is due.
struct PoolDeadlines: Sendable {
    /// The most that one round ends.
    private static let batchMax = 200
    /// Rounds without a pause, so that a flood of deadlines does not keep the ranker from matching.
    private static let roundsMax = 5

    let keys: MatchmakingKeys
    let service: MatchmakingService
    let logger: Logger

    /// Ends what is due; answers the time of Redis.
    func settle() async throws(RedisError) -> RedisClock {
        var clock: RedisClock?
        for _ in 0..<Self.roundsMax {
            let reply = try await service.redis.run(
                MatchmakingScripts.due, keys: [keys.deadlines], arguments: [RedisArgument(Self.batchMax)],
                isSafeToRepeat: true)
            guard let items = reply.array, let now = items.first?.int else { throw .unexpectedReply("due") }
            clock = RedisClock(Instant(milliseconds: Int64(now)))
            let members = items.dropFirst().compactMap(\.string)
            if members.isEmpty { break }
            try await end(members)
            if members.count < Self.batchMax { break }
        }
        guard let clock else { throw .unexpectedReply("due") }
        return clock
    }

    private func end(_ members: [String]) async throws(RedisError) {
        let tickets = members.filter { $0.hasPrefix("t:") }.map { TicketID(String($0.dropFirst(2))) }
        let matches = members.filter { $0.hasPrefix("m:") }.map { MatchID(String($0.dropFirst(2))) }
        let asking = members.filter { $0.hasPrefix("b:") }.map { TicketID(String($0.dropFirst(2))) }
        try await lookAtBackfills(asking)
        var replies = try await service.redis.pipeline(
            MatchmakingScripts.expire,
            calls: tickets.map { id in
                (
                    keys: keys.common + [keys.ticket(id)],
                    arguments: [RedisArgument(id.rawValue), RedisArgument(MatchmakingService.endedSeconds)]
                )
            })
        let (matchNames, matchReplies) = try await endMatches(matches)
        replies += matchReplies
        // In the order of the replies: first the tickets, then the matches as they were sorted.
        let ended = zip(tickets.map { "t:\($0)" } + matchNames, replies)
        await service.release(ended.flatMap { PlayerClaims.freed(in: $1) })
        try await passOver(ended)
    }

    /// Ends what asks for players of matches that run no more.
    private func lookAtBackfills(_ asking: [TicketID]) async throws(RedisError) {
        guard !asking.isEmpty else { return }
        let running = try await service.redis.pipeline(
            asking.map { RedisCommand("HGET", RedisArgument(keys.ticket($0)), "running", isSafeToRepeat: true) })
        let replies = try await service.redis.pipeline(
            BackfillScripts.look,
            calls: zip(asking, running).map { id, match in
                (
                    keys: keys.common + [keys.ticket(id), keys.match(MatchID(match.string ?? "none"))],
                    arguments: [
                        RedisArgument(id.rawValue), RedisArgument(MatchmakingService.backfillLook.milliseconds),
                        RedisArgument(MatchmakingService.endedSeconds),
                    ]
                )
            })
        try await passOver(zip(asking.map { "b:\($0)" }, replies))
    }

    /// Takes off the list whose keys hold something else than they should, so that one of them does not stop the pool;
    /// what is the server's own trouble is thrown, for it passes.
    private func passOver(_ ended: some Sequence<(String, RESPValue)>) async throws(RedisError) {
        var passing: String?
        for case (let member, .error(let reason)) in ended {
            guard reason.hasPrefix("WRONGTYPE") || (reason.hasPrefix("ERR") && reason.contains("user_script")) else {
                passing = reason
                continue
            }
            logger.error("deadline given up", metadata: ["member": "\(member)", "error": "\(reason)"])
            _ = try await service.redis.send(
                RedisCommand("ZREM", RedisArgument(keys.deadlines), RedisArgument(member), isSafeToRepeat: true))
        }
        if let passing { throw .server(passing) }
    }

    /// The names of the matches' deadlines, and the reply to each.
    private func endMatches(_ matches: [MatchID]) async throws(RedisError) -> ([String], [RESPValue]) {
        guard !matches.isEmpty else { return ([], []) }
        let found = try await service.redis.pipeline(
            matches.map {
                RedisCommand("HMGET", RedisArgument(keys.match($0)), "state", "roster", isSafeToRepeat: true)
            })
        var silent: [String] = []
        var failed: [String] = []
        var timeouts: [(keys: [RedisKey], arguments: [RedisArgument])] = []
        var failures: [(keys: [RedisKey], arguments: [RedisArgument])] = []
        for (match, reply) in zip(matches, found) {
            let values = reply.array ?? []
            let state = values.first?.string.flatMap(MatchState.init(rawValue:))
            let roster = values.last?.string?.split(separator: ",").map { TicketID(String($0)) } ?? []
            let callKeys = keys.common(match, roster)
            switch state {
            case .placing, .ready:
                let reason = state == .placing ? "no-instance" : "no-result"
                let arguments = service.failArguments(match, roster, reason: reason, onlyWhenDue: true)
                failed.append("m:\(match)")
                failures.append((keys: callKeys, arguments: arguments))
            default:
                let arguments =
                    [RedisArgument(match.rawValue), RedisArgument(MatchmakingService.endedSeconds)]
                    + roster.map { RedisArgument($0.rawValue) }
                silent.append("m:\(match)")
                timeouts.append((keys: callKeys, arguments: arguments))
            }
        }
        let ended = try await service.redis.pipeline(MatchmakingScripts.timeout, calls: timeouts)
        let endedByFailing = try await service.redis.pipeline(MatchmakingScripts.fail, calls: failures)
        return (silent + failed, ended + endedByFailing)
    }
}
