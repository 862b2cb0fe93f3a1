import GameModel
import Logging
import Redis

/// How far a waiting ticket is.
public struct TicketProgress: Sendable, Hashable {
    /// Where it is in its queue, by waiting time: 1 is the longest-waiting.
    public var position: Int
    /// How many tickets wait there.
    public var waiting: Int
    /// How long the pool's last tickets waited for their match; `nil` where none was matched yet.
    public var estimate: WaitEstimate?
}

/// Quantiles of the waits of a pool's last tickets.
public struct WaitEstimate: Sendable, Hashable {
    /// The most waits that it is made of: the last ones.
    static let waitsMax = 200

    public var p50: Duration
    public var p90: Duration

    /// By nearest rank; `nil` of none.
    init?(_ waitsMs: [Int]) {
        guard !waitsMs.isEmpty else { return nil }
        let sorted = waitsMs.sorted()
        func quantile(_ share: Double) -> Duration {
            let rank = Int((share * Double(sorted.count)).rounded(.up))
            return .milliseconds(sorted[min(max(rank, 1), sorted.count) - 1])
        }
        p50 = quantile(0.5)
        p90 = quantile(0.9)
    }
}

/// What waiting clients ask for again and again.
extension MatchmakingService {
    /// How far a ticket is; `nil` where it does not wait in its queue. What all tickets of a pool share is read once a
    /// second at most.
    public func progress(of ticket: Ticket) async throws(MatchmakingError) -> TicketProgress? {
        guard ticket.state == .queued else { return nil }
        let keys = try keys(of: ticket.id)
        // No rank: matched or ended since it was read.
        return try await progress(of: ticket, keys, rank: try await send(Self.rank(of: ticket.id, keys)).int)
    }

    /// A ticket, and how far it is where it waits: both asked for at once. `nil` where it is gone.
    public func standing(
        of id: TicketID
    ) async throws(MatchmakingError) -> (ticket: Ticket, progress: TicketProgress?)? {
        let keys = try keys(of: id)
        let replies: [RESPValue]
        do throws(RedisError) {
            replies = try await redis.pipeline([Self.fields(of: id, keys), Self.rank(of: id, keys)])
        } catch {
            throw .redis(error)
        }
        for case .error(let message) in replies { throw .redis(.server(message)) }
        guard let ticket = Ticket(id: id, fields: replies[0].fields) else { return nil }
        return (ticket, try await progress(of: ticket, keys, rank: replies[1].int))
    }

    private static func rank(of id: TicketID, _ keys: MatchmakingKeys) -> RedisCommand {
        RedisCommand("ZRANK", RedisArgument(keys.queue), RedisArgument(id.rawValue), isSafeToRepeat: true)
    }

    private func progress(
        of ticket: Ticket, _ keys: MatchmakingKeys, rank: Int?
    ) async throws(MatchmakingError) -> TicketProgress? {
        guard ticket.state == .queued, let pool = ticket.id.pool, let rank else { return nil }
        let figures = try await figures(of: pool, keys)
        return TicketProgress(
            position: rank + 1, waiting: max(figures.waiting, rank + 1), estimate: figures.estimate)
    }

    private func figures(of pool: Pool, _ keys: MatchmakingKeys) async throws(MatchmakingError) -> PoolFigures {
        if let known = clients.figures(of: pool, at: .now) { return known }
        let replies: [RESPValue]
        do throws(RedisError) {
            replies = try await redis.pipeline([
                RedisCommand("ZCARD", RedisArgument(keys.queue), isSafeToRepeat: true),
                RedisCommand(
                    "LRANGE", RedisArgument(keys.waits), "0", RedisArgument(WaitEstimate.waitsMax - 1),
                    isSafeToRepeat: true),
            ])
        } catch {
            throw .redis(error)
        }
        guard let waiting = replies[0].int, let waits = replies[1].array else {
            throw .redis(.unexpectedReply("LRANGE"))
        }
        let figures = PoolFigures(waiting: waiting, estimate: WaitEstimate(waits.compactMap { Int($0.string ?? "") }))
        clients.keep(figures, of: pool, at: .now)
        return figures
    }

    /// A client asked for its ticket, so it is not abandoned. Writes at most once in a third of the time after which a
    /// ticket counts as abandoned. That it fails is logged only: the next sign of life is another try.
    public func touch(_ ticket: Ticket) async {
        guard ticket.state == .queued, let pool = ticket.id.pool,
            // Its own, not that of the rules in force: the script puts it off by what the ticket was created with.
            let quiet = ticket.quiet, clients.isTouchDue(ticket.id, every: quiet / 3, at: .now)
        else { return }
        let keys = MatchmakingKeys(pool)
        do throws(RedisError) {
            _ = try await redis.run(
                MatchmakingScripts.touch, keys: [keys.deadlines, keys.ticket(ticket.id)],
                arguments: [RedisArgument(ticket.id.rawValue)], isSafeToRepeat: true)
        } catch {
            clients.forgetTouch(ticket.id)
            logger.warning("a ticket may count as abandoned", metadata: ["error": "\(error)"])
        }
    }
}
