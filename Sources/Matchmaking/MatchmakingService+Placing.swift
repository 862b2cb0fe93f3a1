import GameModel
import Jobs
import Redis

/// What the allocator asks and tells of many matches at once: one round trip, and what is wrong with one match is said
/// of that one alone.
extension MatchmakingService {
    /// Reads matches, in the order given, each as ``match(_:)`` does.
    public func matches(_ ids: [MatchID]) async -> [Result<Match?, MatchmakingError>] {
        var keys = KeysByPool()
        let known = ids.map { id in id.pool.map { keys[$0].match(id) } }
        var replies: [RESPValue]
        do throws(RedisError) {
            replies = try await redis.pipeline(known.compactMap { $0.map(Self.read) })
        } catch {
            return ids.map { _ in .failure(.redis(error)) }
        }
        replies.reverse()
        return zip(ids, known).map { id, key in
            guard key != nil, let reply = replies.popLast() else { return .success(nil) }
            if case .error(let text) = reply { return .failure(.redis(.server(text))) }
            return .success(Self.match(id, reply))
        }
    }

    /// placing → ready for matches that were read before: tells their players where to connect, each as
    /// ``markReady(_:_:)`` does. Their tickets are still the same: none joins or leaves a match that is being placed.
    /// - Returns: in the order given, what kept a match from it; `nil` where it is ready.
    public func markReady(_ matches: [(match: Match, assignment: Assignment)]) async -> [MatchmakingError?] {
        var keys = KeysByPool()
        var calls: [(keys: [RedisKey], arguments: [RedisArgument])] = []
        let rules = rules
        for (match, assignment) in matches {
            guard let pool = match.id.pool else { continue }
            let matchMs = Int64((rules.rules(of: pool)?.matchSecondsMax ?? 3_600) * 1_000)
            calls.append(
                (
                    keys[pool].common(match.id, match.tickets),
                    [
                        RedisArgument(match.id.rawValue), RedisArgument(assignment.instanceId.rawValue),
                        RedisArgument(assignment.host), RedisArgument(assignment.port), RedisArgument(matchMs),
                    ]
                ))
        }
        guard calls.count == matches.count else { return matches.map { .matchGone($0.match.id) } }
        do throws(RedisError) {
            let replies = try await ready(calls)
            return zip(matches, replies).map { known, reply in
                if case .error(let text) = reply { return .redis(.server(text)) }
                return Self.isDone(reply) ? nil : refusal(reply, of: known.match.id, action: "make ready")
            }
        } catch {
            return matches.map { _ in .redis(error) }
        }
    }

    /// Once more where the connection was lost: the script finds the state that it led to, and changes nothing.
    private func ready(
        _ calls: [(keys: [RedisKey], arguments: [RedisArgument])]
    ) async throws(RedisError) -> [RESPValue] {
        do throws(RedisError) {
            return try await redis.pipeline(MatchmakingScripts.ready, calls: calls)
        } catch .connectionLost {
            return try await redis.pipeline(MatchmakingScripts.ready, calls: calls)
        }
    }
}

/// The keys of the pools that a call meets: most are of one, and their names are put together once.
private struct KeysByPool {
    private var known: [Pool: MatchmakingKeys] = [:]

    subscript(pool: Pool) -> MatchmakingKeys {
        mutating get {
            if let keys = known[pool] { return keys }
            let keys = MatchmakingKeys(pool)
            known[pool] = keys
            return keys
        }
    }
}
