import GameModel
import Logging
import Redis

/// Which ticket a player has, and that it is the only one.
extension MatchmakingService {
    /// Claims a player for a ticket.
    /// - Throws: ``MatchmakingError/ticketActive(_:)`` and ``MatchmakingError/coolingDown(until:)``.
    func claim(_ player: PlayerID, for id: TicketID, lifeMs: Int64) async throws(MatchmakingError) {
        var replacing: TicketID?
        // Each round replaces the claim that the last one saw; a third player's process can't interfere for ever.
        for _ in 0..<3 {
            let reply: PlayerClaims.Reply
            do throws(RedisError) {
                reply = try await claims.claim(player, for: id, lifeMs: lifeMs, replacing: replacing)
            } catch {
                throw .redis(error)
            }
            switch reply {
            case .claimed: return
            case .coolingDown(let until): throw .coolingDown(until: until)
            case .held(let holder):
                replacing = holder
                try await look(at: holder, of: player)
            }
        }
        throw .ticketActive(replacing ?? id)
    }

    /// Returns where the ticket that claims the player holds nobody back.
    private func look(at holder: TicketID, of player: PlayerID) async throws(MatchmakingError) {
        // No ticket's name. One of a pool that these rules lack may well be in a running match.
        guard holder.pool != nil else { return }
        guard let ticket = try await createdTicket(holder) else {
            // Where it can't be declared void, it was created at this moment.
            if try await !void(holder) { throw .ticketActive(holder) }
            return
        }
        guard ticket.state.isFinal else { throw .ticketActive(holder) }
        // Whoever ended the ticket died before it could free the player, and give the cooldown that goes with it.
        guard ticket.guilty.contains(player) else { return }
        do throws(RedisError) {
            try await claims.release([.init(player: player, ticket: holder, isGuilty: true)], rule: cooldownRule)
        } catch {
            throw .redis(error)
        }
    }

    /// The ticket, which may be on its way: of two requests at once, the second must not void the first one's.
    private func createdTicket(_ id: TicketID) async throws(MatchmakingError) -> Ticket? {
        if let ticket = try await ticket(id) { return ticket }
        do {
            try await Task.sleep(for: Self.creationTime)
        } catch {
            throw .redis(.cancelled)
        }
        return try await ticket(id)
    }

    /// Makes sure that a ticket which is not there will never be; `false` where it is there by now.
    private func void(_ id: TicketID) async throws(MatchmakingError) -> Bool {
        let reply = try await run(
            MatchmakingScripts.void, keys: [try keys(of: id).ticket(id)], arguments: [RedisArgument(Self.endedSeconds)])
        return reply.int == 1
    }

    /// Frees players after their tickets ended, and cools down the guilty. That this fails is no failure of the step it
    /// follows: a claim whose ticket ended is replaced by the player's next ticket, and the cooldown given then.
    func release(_ freed: [PlayerClaims.Freed]) async {
        do throws(RedisError) {
            try await claims.release(freed, rule: cooldownRule)
        } catch {
            logger.warning("claims stay until they are replaced", metadata: ["error": "\(error)"])
        }
    }

    /// The rule of a ticket's mode.
    func cooldownRule(_ ticket: TicketID) -> CooldownRule? { ticket.pool.flatMap(rules.rules(of:))?.cooldown }
}
