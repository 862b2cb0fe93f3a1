import Foundation
import GameModel
import NIOHTTP1

/// What one simulated player wants, drawn before the run so that the same seed gives the same players.
struct PlayerWish: Sendable {
    let number: Int
    /// When the player means to arrive, from the start of the run.
    let arrival: Duration
    let mode: Mode
    /// Where the player is at home.
    let region: Region
    /// In ms, to each region of the run.
    let latencies: [String: Double]
    /// The player's place in a party; `nil` for who plays alone.
    let party: PartyPlace?
    let paymentMethod: String
    /// Turns the first proposal down, to try what happens to the others.
    let declinesOnce: Bool
}

/// Which party, how many are in it, and which of them one is, from 0.
struct PartyPlace: Sendable, Hashable {
    let party: Int
    let size: Int
    let member: Int
}

/// A player's way from the log-in screen to the result of a match, each step timed.
struct PlayerJourney: Sendable {
    let wish: PlayerWish
    let api: APIClient
    let recorder: StepRecorder
    /// Where the player's party meets.
    let room: PartyRoom?
    /// Makes e-mail addresses of one run differ from those of another.
    let runName: String
    let start: ContinuousClock.Instant

    /// A player queues again at most this often (a lost ticket, a match that failed) before giving up.
    private static let queueingsMax = 12

    func run() async {
        let meant = start + wish.arrival
        do {
            recorder.count { $0.arrived += 1 }
            let session = try await arrive(meant: meant)
            try await shop(token: session.accessToken)
            try await playMatch(session)
            recorder.succeeded(.journey, took: ContinuousClock.now - meant)
        } catch is CancellationError {
            recorder.count { $0.gaveUp += 1 }
            recorder.failed(.journey, reason: "the run ended first, with nobody left to be matched with or too late")
        } catch {
            recorder.count { $0.gaveUp += 1 }
            recorder.failed(.journey, reason: "\(error)")
        }
        if let room, let place = wish.party { await room.leave(place.member) }
    }

    // MARK: Account

    struct Session: Decodable {
        let playerId: String
        let accessToken: String
    }

    private struct Credentials: Encodable {
        let email: String
        let password: String
        var displayName: String?
    }

    private func arrive(meant: ContinuousClock.Instant) async throws -> Session {
        let email = "player\(wish.number).\(runName)@load.example"
        let password = "correct horse \(wish.number)"
        // Answered alike whether it is new or was made by a call whose answer was lost.
        let _: APIClient.Nothing = try await api.call(
            .register, .POST, "/v1/accounts",
            body: Credentials(email: email, password: password, displayName: "Player \(wish.number)"))
        recorder.succeeded(.register, took: ContinuousClock.now - meant)
        return try await recorder.timed(.logIn) {
            try await api.call(.logIn, .POST, "/v1/sessions", body: Credentials(email: email, password: password))
        }
    }

    // MARK: Store

    private struct Catalog: Decodable {
        struct Price: Decodable { let currency: String }
        struct Product: Decodable {
            let productId: String
            let kind: String
            let prices: [Price]
            let virtualPrices: [Price]
        }
        let products: [Product]
    }

    /// A wish, and as an order how it is paid.
    private struct OrderRequest: Encodable {
        let productId: String
        var unit: String?
        var paymentMethod: String?
        var wallet: Bool?
        var expectedTotal: Int64?
    }

    private struct Quote: Decodable { let total: Int64 }

    private struct Order: Decodable {
        let orderId: String
        let state: String
    }

    /// One in so many players buys virtual currency, and something for it.
    private static let walletShare = 10

    private func shop(token: String) async throws {
        let catalog: Catalog = try await recorder.timed(.catalog) {
            try await api.call(.catalog, .GET, "/v1/store/products", token: token)
        }
        let forMoney = catalog.products.filter { !$0.prices.isEmpty }
        guard !forMoney.isEmpty else { return }
        let packs = forMoney.filter { $0.kind == "currency_pack" }
        let choice = wish.number % Self.walletShare == 0 && !packs.isEmpty ? packs : forMoney
        let product = choice[wish.number % choice.count]
        let state = try await buy(product, token: token)
        recorder.count { state == "paid" ? ($0.paid += 1) : ($0.declined += 1) }
        if state == "paid", product.kind == "currency_pack" {
            try await spend(catalog.products.filter { $0.kind == "item" }, token: token)
        }
    }

    /// Asks for the price, orders at that, and waits for the verdict.
    private func buy(_ product: Catalog.Product, token: String) async throws -> String {
        var request = OrderRequest(productId: product.productId)
        let quote: Quote = try await recorder.timed(.quote) {
            try await api.call(.quote, .POST, "/v1/store/quotes", token: token, body: request)
        }
        request.paymentMethod = wish.paymentMethod
        request.expectedTotal = quote.total
        let order: Order = try await recorder.timed(.order) {
            try await api.call(
                .order, .POST, "/v1/store/orders", token: token, body: request,
                headers: [("Idempotency-Key", "\(runName)-\(wish.number)")])
        }
        return try await recorder.timed(.paid) { try await settled(order, token: token) }
    }

    /// Buys the first of some products that has a price in virtual currency. With too little of it, nothing is bought.
    private func spend(_ products: [Catalog.Product], token: String) async throws {
        guard let product = products.first(where: { !$0.virtualPrices.isEmpty }) else { return }
        let request = OrderRequest(
            productId: product.productId, unit: product.virtualPrices.first?.currency, wallet: true)
        do {
            let _: Order = try await recorder.timed(.wallet) {
                try await api.call(
                    .wallet, .POST, "/v1/store/orders", token: token, body: request,
                    headers: [("Idempotency-Key", "\(runName)-\(wish.number)-wallet")])
            }
        } catch let refusal as APIClient.Refusal where refusal.status == 409 {
            recorder.failed(.wallet, reason: refusal.description)
        }
    }

    private func settled(_ order: Order, token: String) async throws -> String {
        var pause = Duration.milliseconds(100)
        while true {
            let seen: Order = try await api.call(.paid, .GET, "/v1/store/orders/\(order.orderId)", token: token)
            if ["paid", "declined", "review", "refunded", "charged_back"].contains(seen.state) { return seen.state }
            try await Task.sleep(for: pause)
            pause = min(pause * 2, .seconds(1))
        }
    }

    // MARK: Match

    struct Ticket: Decodable {
        struct Connection: Decodable {
            let host: String
            let port: Int
            let joinToken: String
        }
        let ticketId: String
        let state: String
        let matchId: String?
        let connection: Connection?
    }

    private enum Outcome {
        case finished(matchId: String?)
        case again
    }

    private func playMatch(_ session: Session) async throws {
        let token = session.accessToken
        var declines = wish.declinesOnce
        let queueing = Queueing(
            wish: wish, api: api, recorder: recorder, room: room, player: session.playerId, token: token)
        for round in 1...Self.queueingsMax {
            if round == 1 { recorder.count { $0.queuedEver += 1 } } else { recorder.count { $0.requeued += 1 } }
            guard let ticketId = try await queueing.ticket() else { continue }
            if case .finished(let matchId) = try await follow(ticketId, declines: &declines, token: token) {
                recorder.count { $0.finished += 1 }
                if try await isResultRead(matchId, token: token) { return }
                recorder.count { $0.finished -= 1 }
            }
        }
        throw APIClient.GaveUp(description: "queued \(Self.queueingsMax) times without a match")
    }

    /// Follows a ticket by long poll until it is played out, or until the player has to queue again.
    ///
    /// A player whose instance died is told by the ticket that the match failed, and can't queue before: so the ticket
    /// is followed on, and the instance tried again while the ticket stays ready.
    private func follow(_ ticketId: String, declines: inout Bool, token: String) async throws -> Outcome {
        recorder.count { $0.inQueue += 1 }
        var isInQueue = true
        defer { if isInQueue { recorder.count { $0.inQueue -= 1 } } }
        var since: String?
        let entered = ContinuousClock.now
        var wait = TicketWait(begin: entered)
        var acceptedAt: ContinuousClock.Instant?
        while true {
            let query = since.map { "?wait=\(isInQueue ? 20 : 2)&since=\($0)" } ?? ""
            let ticket: Ticket = try await api.call(
                .matched, .GET, "/v1/matchmaking/tickets/\(ticketId)\(query)", token: token)
            defer { since = ticket.state }
            if ticket.state == since, ticket.state != "ready" { continue }
            if let waited = wait.see(ticket.state, at: .now) {
                recorder.succeeded(.matched, took: waited)
                // A party waits once, not once a member.
                if (wish.party?.member ?? 0) == 0 { recorder.waited(waited, partyOf: wish.party?.size ?? 1) }
            }
            switch ticket.state {
            case "queued":
                if since == "forming" { recorder.succeeded(.party, took: ContinuousClock.now - entered) }
                acceptedAt = nil
            case "proposed":
                let verb = declines ? "decline" : "accept"
                try await answerProposal(ticketId, verb: verb, token: token)
                if declines {
                    declines = false
                    return .again
                }
                acceptedAt = .now
            case "ready":
                if let accepted = acceptedAt { recorder.succeeded(.placed, took: ContinuousClock.now - accepted) }
                acceptedAt = nil
                guard let connection = ticket.connection else { return .again }
                if isInQueue { recorder.count { $0.inQueue -= 1 } }
                isInQueue = false
                if case .finished(let id) = try await fight(connection, matchId: ticket.matchId) {
                    return .finished(matchId: id)
                }
            case "finished":
                return .finished(matchId: ticket.matchId)
            case "expired", "failed", "declined", "cancelled":
                return .again
            default:
                continue
            }
        }
    }

    private func answerProposal(_ ticketId: String, verb: String, token: String) async throws {
        do {
            let _: Ticket = try await recorder.timed(.accept) {
                try await api.call(.accept, .POST, "/v1/matchmaking/tickets/\(ticketId)/\(verb)", token: token)
            }
        } catch let refusal as APIClient.Refusal where refusal.status == 409 || refusal.status == 404 {
            // The proposal ended first (another declined, or the time ran out): the next read of the ticket tells.
        }
    }

    private func fight(_ connection: Ticket.Connection, matchId: String?) async throws -> Outcome {
        recorder.count { $0.playing += 1 }
        defer { recorder.count { $0.playing -= 1 } }
        let connecting = ContinuousClock.now
        do {
            let times = JoinTime()
            _ = try await GameConnection.play(
                host: connection.host, port: connection.port, token: connection.joinToken
            ) {
                times.joined = .now
                recorder.succeeded(.join, took: ContinuousClock.now - connecting)
            }
            recorder.succeeded(.play, took: ContinuousClock.now - (times.joined ?? connecting))
            return .finished(matchId: matchId)
        } catch is CancellationError {
            throw CancellationError()
        } catch {
            recorder.failed(.play, reason: "\(error)")
            return .again
        }
    }

    private struct Match: Decodable { let state: String }

    /// The match is over for the player; its result shows once ratings are applied. `false` where the instance died
    /// with the result: the match then was abandoned.
    private func isResultRead(_ matchId: String?, token: String) async throws -> Bool {
        guard let matchId else { return true }
        return try await recorder.timed(.result) {
            var pause = Duration.milliseconds(100)
            while true {
                do {
                    let match: Match = try await api.call(.result, .GET, "/v1/matches/\(matchId)", token: token)
                    if match.state == "finished" { return true }
                    if match.state == "abandoned" { return false }
                } catch let refusal as APIClient.Refusal where refusal.status == 404 {
                    // Not written yet.
                }
                try await Task.sleep(for: pause)
                pause = min(pause * 2, .seconds(1))
            }
        }
    }
}
