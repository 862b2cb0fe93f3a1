import GameModel
import Records
import Testing

@testable import Store

@Suite("The store's books, at random")
struct LedgerPropertyTests {
    /// Steps that players, operators, providers and servers may take in any order. A refusal is an answer, too: the
    /// books must hold after it.
    private struct Trade {
        let desk: StoreDesk
        var random: SplitMix64
        var orders: [Order] = []
        var taken: [String: Int] = [:]
        let players = (1...4).map { PlayerID("01PLAYER\($0)") }

        init(desk: StoreDesk, seed: UInt64) {
            self.desk = desk
            random = SplitMix64(seed: seed)
        }

        mutating func step() async throws {
            desk.clock.advance(by: .milliseconds(Int.random(in: 0...90_000, using: &random)))
            switch Int.random(in: 0..<100, using: &random) {
            case 0..<35: try await place()
            case 35..<60: try await settle()
            case 60..<70: try await consume()
            case 70..<80: try await giveBack()
            case 80..<88: try await refund()
            case 88..<94: try await grant()
            default: try await resolve()
            }
        }

        private mutating func pick<T>(_ values: [T]) -> T? { values.randomElement(using: &random) }

        private mutating func place() async throws {
            guard let payer = pick(players), let other = pick(players),
                let product = pick(StoreDesk.products.map(\.productId))
            else { return }
            let isGift = other != payer && Int.random(in: 0..<4, using: &random) == 0
            let isWallet = Int.random(in: 0..<3, using: &random) == 0
            let codes = Int.random(in: 0..<3, using: &random) == 0 ? ["HALF-OFF"] : []
            let quantity = Int.random(in: 1...2, using: &random)
            try await attempt("placed") { desk in
                try await desk.place(
                    product, quantity: quantity, by: payer, for: isGift ? other : nil, codes: codes,
                    payment: isWallet ? .wallet : .provider(nil, method: "pm"))
            }
        }

        private mutating func settle() async throws {
            let open = orders.filter(\.state.isOpen)
            guard let order = pick(open) else { return }
            let state: OrderState = pick([.paid, .paid, .paid, .declined, .review]) ?? .paid
            let obstacle = try await desk.database.read { try OrderBooks.obstacle(order, in: $0) }
            try await attempt("settled") { desk in
                try await desk.settle(order, as: state == .paid && obstacle != nil ? .review : state)
            }
        }

        private mutating func giveBack() async throws {
            guard let order = pick(orders.filter { $0.state == .paid && $0.provider != nil }) else { return }
            let left = order.amount - order.refunded
            let isPartial = left > 1 && Bool.random(using: &random)
            let amount = isPartial ? Int64.random(in: 1..<left, using: &random) : left
            let kind: Transfer.Kind = !isPartial && Bool.random(using: &random) ? .chargeback : .refund
            try await attempt("given back") { desk in try await desk.giveBack(order, amount, as: kind) }
        }

        private mutating func refund() async throws {
            guard let order = pick(orders) else { return }
            try await attempt("refund asked for") { desk in
                try await desk.store.orders.requestRefund(order.orderId, reason: "at random", by: "test")
            }
        }

        private mutating func resolve() async throws {
            guard let order = pick(orders.filter { $0.state == .review }) else { return }
            let state: OrderState = Bool.random(using: &random) ? .paid : .declined
            try await attempt("resolved") { desk in
                try await desk.store.orders.resolve(
                    order.orderId, as: state, reason: "at random", charged: order.money, by: "test")
            }
        }

        private mutating func consume() async throws {
            guard let player = pick(players), let product = pick([StoreDesk.potion, StoreDesk.starter]) else { return }
            let (quantity, round) = (Int.random(in: 1...4, using: &random), Int.random(in: 0..<40, using: &random))
            do {
                let left = try await desk.store.inventory.consume(
                    product, quantity: quantity, of: player, reference: "round \(round)")
                let owned = try await desk.owned(player)
                #expect(owned[product, default: 0] == left)
                taken["consumed", default: 0] += 1
            } catch is StoreError {
                taken["refused", default: 0] += 1
            }
        }

        private mutating func grant() async throws {
            guard let player = pick(players), let product = pick(StoreDesk.products.map(\.productId)) else { return }
            let reference = "sorry \(Int.random(in: 0..<5, using: &random))"
            do {
                try await desk.store.inventory.grant(
                    product, quantity: 1, to: player, reference: reference, by: "test")
                taken["granted", default: 0] += 1
            } catch {
                taken["refused", default: 0] += 1
            }
        }

        /// Takes a step with an order and remembers the order as it is now.
        private mutating func attempt(_ name: String, _ body: (StoreDesk) async throws -> Order) async throws {
            do {
                let order = try await body(desk)
                if let place = orders.firstIndex(where: { $0.orderId == order.orderId }) {
                    orders[place] = order
                } else {
                    orders.append(order)
                }
                taken[name, default: 0] += 1
            } catch is StoreError {
                taken["refused", default: 0] += 1
            }
        }
    }

    @Test("after every step of a random trade, every rule of the books holds", arguments: [UInt64(1), 2, 3, 4])
    func holds(seed: UInt64) async throws {
        let half = Promotion(
            promotionId: "half", name: "Half", percentOff: 50, code: "HALF-OFF", startsAt: Instant(milliseconds: 0),
            endsAt: Instant(milliseconds: .max), limitPerPlayer: 4, limitTotal: 10)
        try await StoreDesk.open(promotions: [half]) { desk in
            var trade = Trade(desk: desk, seed: seed)
            for step in 0..<150 {
                try await trade.step()
                let broken = try await desk.broken()
                guard broken.isEmpty else {
                    Issue.record("seed \(seed), step \(step): \(broken)")
                    return
                }
            }
            let kinds = [
                "placed", "settled", "given back", "refund asked for", "resolved", "consumed", "granted", "refused",
            ]
            for kind in kinds { #expect(trade.taken[kind, default: 0] > 0, "seed \(seed): no step was '\(kind)'") }
        }
    }
}
