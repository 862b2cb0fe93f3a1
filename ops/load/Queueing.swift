import Foundation
import GameModel
import NIOHTTP1

/// How one simulated player comes to a ticket: alone, as a party's leader who invites, or as a member who finds the
/// invitation and joins.
struct Queueing: Sendable {
    let wish: PlayerWish
    let api: APIClient
    let recorder: StepRecorder
    let room: PartyRoom?
    let player: String
    let token: String

    private struct TicketRequest: Encodable {
        let mode: String
        let region: String
        let latencies: [String: Double]
        var party: [String]?
    }

    private struct Joining: Encodable {
        let latencies: [String: Double]
    }

    private struct Invitations: Decodable {
        struct Invitation: Decodable { let ticketId: String }
        let invitations: [Invitation]
    }

    /// The ticket that the player is part of now; `nil` where the party has to meet again.
    func ticket() async throws -> String? {
        guard let room, let place = wish.party else {
            return try await timed { try await create(inviting: []) }
        }
        let round = try await room.meet(place.member, player)
        guard round.players.first == player else {
            guard let ticket = try await room.ticket(of: round) else { return nil }
            return try await timed { try await join(ticket) }
        }
        do {
            let ticket = try await timed { try await create(inviting: Array(round.players.dropFirst())) }
            await room.announce(round, ticket)
            return ticket
        } catch {
            await room.announce(round, nil)
            throw error
        }
    }

    /// Times the attempt that led to a ticket; the cooldowns before it are the player's own.
    private func timed(_ attempt: () async throws -> String) async throws -> String {
        while true {
            let began = ContinuousClock.now
            do {
                let ticket = try await attempt()
                recorder.succeeded(.queue, took: ContinuousClock.now - began)
                return ticket
            } catch let refusal as APIClient.Refusal where refusal.coolingDownUntil != nil {
                try await coolDown(refusal)
            } catch is CancellationError {
                throw CancellationError()
            } catch {
                recorder.failed(.queue, reason: "\(error)")
                throw error
            }
        }
    }

    private func create(inviting others: [String]) async throws -> String {
        do {
            let ticket: PlayerJourney.Ticket = try await api.call(
                .queue, .POST, "/v1/matchmaking/tickets", token: token,
                body: TicketRequest(
                    mode: wish.mode.rawValue, region: wish.region.rawValue, latencies: wish.latencies,
                    party: others.isEmpty ? nil : others))
            return ticket.ticketId
        } catch let refusal as APIClient.Refusal where refusal.status == 409 {
            guard let active = refusal.ticketId else { throw refusal }
            return active
        }
    }

    private func join(_ ticket: String) async throws -> String {
        // As a client does: from the invitations, not by hearsay.
        let found: Invitations = try await api.call(.queue, .GET, "/v1/matchmaking/invitations", token: token)
        do {
            guard found.invitations.contains(where: { $0.ticketId == ticket }) else {
                // It ended by now, or an answer to an earlier call was lost and the player has joined: its state tells.
                return ticket
            }
            let joined: PlayerJourney.Ticket = try await api.call(
                .queue, .POST, "/v1/matchmaking/tickets/\(ticket)/join", token: token,
                body: Joining(latencies: wish.latencies))
            return joined.ticketId
        } catch let refusal as APIClient.Refusal where refusal.status == 409 || refusal.status == 404 {
            // The party's ticket ended first; following it tells.
            return ticket
        }
    }

    /// Waits for the end of a cooldown; any other refusal is passed on.
    private func coolDown(_ refusal: APIClient.Refusal) async throws {
        guard let until = refusal.coolingDownUntil else { throw refusal }
        recorder.count { $0.cooledDown += 1 }
        try await Task.sleep(for: max(.milliseconds(100), Instant(milliseconds: until) - .now))
    }
}
