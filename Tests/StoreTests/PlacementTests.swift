import GameModel
import Jobs
import Records
import Testing

@testable import Store

@Suite("Placing orders")
struct PlacementTests {
    @Test("an order is on disk with its quote, what it gives and the job that has it charged")
    func placed() async throws {
        try await StoreDesk.open { desk in
            let order = try await desk.place(StoreDesk.bundle)
            #expect(order.state == .pending && order.provider == "stripe" && order.amount == 999)
            #expect(try await desk.order(order) == order)
            let (parts, job) = try await desk.database.read { db in
                (
                    try OrderBooks.parts(of: order.orderId, in: db),
                    try Outbox.entry(jobId: VerifyPayment.jobId(of: order.orderId).rawValue, in: db)
                )
            }
            #expect(job != nil)
            #expect(
                parts.map { "\($0.kind) \($0.item) \($0.quantity)" } == [
                    "credit gems 1000", "item potion 6", "skin skin-knight 1",
                ])
            #expect(try await desk.broken().isEmpty)
        }
    }

    @Test("what a provider can't charge is refused before anything is placed, and taken by one that can")
    func chargeable() async throws {
        try await StoreDesk.open { desk in
            let lamp = Product(
                productId: ProductID("lamp"), name: "Lamp", kind: .item,
                prices: [Money(minorUnits: 1_000, currency: .kwd)])
            try await desk.publish(CatalogDocument(products: [lamp], promotions: []))
            let error = await #expect(throws: StoreError.self) {
                try await desk.place(lamp.productId, payment: .provider("paypal", method: "vault_1"))
            }
            guard case .invalidField("unit", _) = error else {
                Issue.record("unexpected \(String(describing: error))")
                return
            }
            #expect(try await desk.store.orders.orders(OrderFilter(player: StoreDesk.player)).isEmpty)
            #expect(try await desk.place(lamp.productId).provider == "stripe")
        }
    }

    @Test("any field that differs makes another body of the same key")
    func digest() async throws {
        try await StoreDesk.open { desk in
            let first = try await desk.place(StoreDesk.potion, expected: 99, key: "k")
            let again = try await desk.store.orders.place(
                Wish(productId: StoreDesk.potion), player: StoreDesk.player,
                payment: .provider(nil, method: "pm_card_visa"), expected: 99, idempotencyKey: "k")
            #expect(again.isRepeated && again.order == first)
            let card = PaymentChoice.provider(nil, method: "pm_card_visa")
            let others: [(Wish, PaymentChoice, Int64?)] = [
                (Wish(productId: StoreDesk.knight), card, 99),
                (Wish(productId: StoreDesk.potion, quantity: 2), card, 99),
                (Wish(productId: StoreDesk.potion, unit: "EUR"), card, 99),
                (Wish(productId: StoreDesk.potion, codes: ["CODE"]), card, 99),
                (Wish(productId: StoreDesk.potion, recipient: StoreDesk.friend), card, 99),
                (Wish(productId: StoreDesk.potion), .provider(nil, method: "pm_other"), 99),
                (Wish(productId: StoreDesk.potion), .provider("paypal", method: "pm_card_visa"), 99),
                (Wish(productId: StoreDesk.potion), .wallet, 99),
                (Wish(productId: StoreDesk.potion), card, 98),
                (Wish(productId: StoreDesk.potion), card, nil),
            ]
            for (wish, payment, expected) in others {
                await #expect(throws: StoreError.idempotencyMismatch) {
                    try await desk.store.orders.place(
                        wish, player: StoreDesk.player, payment: payment, expected: expected, idempotencyKey: "k")
                }
            }
        }
    }

    @Test("fields out of their range are refused by name")
    func fields() async throws {
        try await StoreDesk.open { desk in
            func field(_ body: () async throws -> Order) async -> String? {
                do {
                    _ = try await body()
                    return nil
                } catch {
                    guard case StoreError.invalidField(let name, _) = error else { return "\(error)" }
                    return name
                }
            }
            for quantity in [0, -1, 101] {
                #expect(
                    await field { try await desk.place(StoreDesk.potion, quantity: quantity) }
                        == "quantity")
            }
            #expect(
                await field { try await desk.place(StoreDesk.knight, quantity: 2) }
                    == "quantity")
            #expect(
                await field { try await desk.place(StoreDesk.bundle, quantity: 2) }
                    == "quantity")
            #expect(
                await field {
                    try await desk.place(StoreDesk.potion, codes: ["A1B2", "B1B2", "C1B2", "D1B2", "E1B2", "F1B2"])
                } == "codes")
            #expect(
                await field { try await desk.place(StoreDesk.potion, for: StoreDesk.player) }
                    == "recipient")
            #expect(
                await field {
                    try await desk.place(StoreDesk.potion, payment: .provider("cash", method: "pm"))
                } == "provider")
            #expect(
                await field {
                    try await desk.place(StoreDesk.potion, payment: .provider(nil, method: "4242 4242"))
                } == "paymentMethod")
            let gems = Wish(productId: StoreDesk.potion, unit: "gems")
            #expect(
                await field {
                    try await desk.store.orders.place(
                        gems, player: StoreDesk.player, payment: .provider(nil, method: "pm"), expected: nil,
                        idempotencyKey: "k"
                    ).order
                } == "unit")
            let euros = Wish(productId: StoreDesk.potion, unit: "EUR")
            #expect(
                await field {
                    try await desk.store.orders.place(
                        euros, player: StoreDesk.player, payment: .wallet, expected: nil, idempotencyKey: "k"
                    ).order
                } == "unit")
            let none = try await desk.store.orders.orders(OrderFilter())
            #expect(none.isEmpty)
        }
    }

    @Test("another price than the player saw is refused with the quote of now")
    func expected() async throws {
        try await StoreDesk.open { desk in
            let error = await #expect(throws: StoreError.self) { try await desk.place(StoreDesk.potion, expected: 98) }
            guard case .priceChanged(let quote) = error else {
                Issue.record("unexpected \(String(describing: error))")
                return
            }
            #expect(quote.total == 99 && quote.unit == "EUR")
            let placed = try await desk.place(StoreDesk.potion, expected: 99)
            #expect(placed.amount == 99)
        }
    }

    @Test("a code that doesn't hold refuses the order; one that does is used, until its limit is reached")
    func codes() async throws {
        let promotion = Promotion(
            promotionId: "half", name: "Half", percentOff: 50, code: "HALF-OFF",
            startsAt: Instant(milliseconds: 0), endsAt: Instant(milliseconds: .max), limitPerPlayer: 1, limitTotal: 2)
        try await StoreDesk.open(promotions: [promotion]) { desk in
            await #expect(throws: StoreError.self) { try await desk.place(StoreDesk.knight, codes: ["NO-SUCH"]) }
            let first = try await desk.place(StoreDesk.knight, codes: ["HALF-OFF"])
            #expect(first.amount == 250 || first.amount == 249)
            try await refuses(desk, StoreDesk.giant, by: StoreDesk.player)
            // A declined order gives its use back.
            try await desk.settle(first, as: .declined)
            let second = try await desk.place(StoreDesk.giant, codes: ["HALF-OFF"])
            _ = try await desk.place(StoreDesk.giant, by: StoreDesk.friend, codes: ["HALF-OFF"])
            try await refuses(desk, StoreDesk.giant, by: PlayerID("01THIRD"))
            // A refunded one does not.
            try await desk.giveBack(try await desk.settle(second, as: .paid))
            try await refuses(desk, StoreDesk.giant, by: StoreDesk.player)
            #expect(try await desk.broken().isEmpty)
        }
    }

    private func refuses(_ desk: StoreDesk, _ product: ProductID, by player: PlayerID) async throws {
        let error = await #expect(throws: StoreError.self) {
            try await desk.place(product, by: player, codes: ["HALF-OFF"])
        }
        guard case .codeRefused("HALF-OFF", _) = error else {
            Issue.record("unexpected \(String(describing: error))")
            return
        }
    }

    @Test("what can be owned once is sold once to its owner: alone, in a bundle, as a gift")
    func once() async throws {
        try await StoreDesk.open { desk in
            let open = try await desk.place(StoreDesk.knight)
            await #expect(throws: StoreError.orderOpen(StoreDesk.knight, open.orderId)) {
                try await desk.place(StoreDesk.bundle)
            }
            await #expect(throws: StoreError.orderOpen(StoreDesk.knight, open.orderId)) {
                try await desk.place(StoreDesk.knight, by: StoreDesk.friend, for: StoreDesk.player)
            }
            // The friend does not own it: they can buy it, or be given it.
            let gift = try await desk.place(StoreDesk.knight, for: StoreDesk.friend)
            try await desk.settle(open, as: .review)
            await #expect(throws: StoreError.orderOpen(StoreDesk.knight, open.orderId)) {
                try await desk.place(StoreDesk.knight)
            }
            try await desk.settle(gift, as: .paid)
            await #expect(throws: StoreError.alreadyOwned(StoreDesk.knight, by: gift.orderId.rawValue)) {
                try await desk.place(StoreDesk.bundle, by: StoreDesk.friend)
            }
            #expect(try await desk.owned(StoreDesk.friend) == [StoreDesk.knight: 1])
            #expect(try await desk.owned().isEmpty)
            let owned = try await desk.store.inventory.entitlements(of: StoreDesk.friend)
            #expect(owned.map(\.source) == [.gift])
            #expect(try await desk.broken().isEmpty)
        }
    }

    @Test("a skin that was given back can be bought again")
    func again() async throws {
        try await StoreDesk.open { desk in
            try await desk.giveBack(try await desk.buy(StoreDesk.knight))
            #expect(try await desk.owned().isEmpty)
            _ = try await desk.buy(StoreDesk.knight)
            #expect(try await desk.owned() == [StoreDesk.knight: 1])
            #expect(try await desk.broken().isEmpty)
        }
    }

    @Test("the limit per player is the owner's, and counts pieces; what was declined or given back doesn't count")
    func limit() async throws {
        try await StoreDesk.open { desk in
            let reached = StoreError.limitReached(StoreDesk.starter, limit: 2)
            await #expect(throws: reached) { try await desk.place(StoreDesk.starter, quantity: 3) }
            let first = try await desk.place(StoreDesk.starter)
            let gift = try await desk.place(StoreDesk.starter, by: StoreDesk.friend, for: StoreDesk.player)
            await #expect(throws: reached) { try await desk.place(StoreDesk.starter) }
            #expect(try await desk.place(StoreDesk.starter, for: StoreDesk.friend).state == .pending)
            try await desk.settle(first, as: .declined)
            _ = try await desk.buy(StoreDesk.starter)
            await #expect(throws: reached) { try await desk.place(StoreDesk.starter) }
            try await desk.giveBack(try await desk.settle(gift, as: .paid), as: .chargeback)
            #expect(try await desk.place(StoreDesk.starter).state == .pending)
            #expect(try await desk.broken().isEmpty)
        }
    }

    @Test("the wallet pays at once, or not at all; a refund puts it back")
    func wallet() async throws {
        try await StoreDesk.open { desk in
            let needed = VirtualMoney(amount: 400, currency: "gems")
            await #expect(throws: StoreError.insufficientFunds(needed: needed, held: 0)) {
                try await desk.place(StoreDesk.knight, payment: .wallet)
            }
            _ = try await desk.buy(StoreDesk.gems)
            let order = try await desk.place(StoreDesk.knight, payment: .wallet, key: "k")
            #expect(order.state == .paid && order.unit == "gems" && order.provider == nil)
            #expect(try await desk.gems() == 100)
            #expect(try await desk.owned() == [StoreDesk.knight: 1])
            #expect(try await desk.database.read { try Outbox.openCount(in: $0) } == 0)
            let repeated = try await desk.place(StoreDesk.knight, payment: .wallet, key: "k")
            #expect(repeated == order)
            #expect(try await desk.broken().isEmpty)

            let refunded = try await desk.store.orders.requestRefund(order.orderId, reason: "a mistake", by: "cli:me")
            #expect(refunded.state == .refunded && refunded.flag == nil && refunded.refunded == 400)
            #expect(try await desk.gems() == 500)
            #expect(try await desk.owned().isEmpty)
            let kinds = try await desk.store.inventory.transfers(of: StoreDesk.player, limit: 10).map(\.kind)
            #expect(Set(kinds) == [.credit, .spend, .unspend])
            #expect(try await desk.broken().isEmpty)
        }
    }

    @Test("of many wallet orders at once, those that the balance covers are paid")
    func contended() async throws {
        try await StoreDesk.open { desk in
            _ = try await desk.buy(StoreDesk.gems)
            let paid = await withTaskGroup(of: Bool.self) { group in
                for _ in 0..<20 {
                    group.addTask {
                        do {
                            return try await desk.place(StoreDesk.potion, payment: .wallet).state == .paid
                        } catch {
                            return false
                        }
                    }
                }
                return await group.reduce(0) { $0 + ($1 ? 1 : 0) }
            }
            #expect(paid == 5)
            #expect(try await desk.gems() == 50)
            #expect(try await desk.owned() == [StoreDesk.potion: 15])
            #expect(try await desk.broken().isEmpty)
        }
    }

    @Test("orders are listed newest first, narrowed by what is asked, page by page")
    func listed() async throws {
        try await StoreDesk.open { desk in
            var orders: [Order] = []
            for index in 0..<6 {
                desk.clock.advance(by: .seconds(1))
                orders.append(
                    try await desk.place(StoreDesk.potion, by: index % 2 == 0 ? StoreDesk.player : StoreDesk.friend))
            }
            orders[0] = try await desk.settle(orders[0], as: .declined)
            let list = desk.store.orders
            #expect(try await list.orders(OrderFilter()) == orders.reversed())
            #expect(try await list.orders(OrderFilter(states: [.declined, .paid])) == [orders[0]])
            #expect(try await list.orders(OrderFilter(states: [])).isEmpty)
            #expect(
                try await list.orders(OrderFilter(player: StoreDesk.friend)).map(\.orderId)
                    == [5, 3, 1].map { orders[$0].orderId })
            #expect(try await list.orders(OrderFilter(productId: StoreDesk.gems)).isEmpty)
            let mine = OrderFilter(states: [.pending], player: StoreDesk.player, productId: StoreDesk.potion)
            #expect(try await list.orders(mine) == [orders[4], orders[2]])
            let page = try await list.orders(OrderFilter(before: orders[4].orderId, limit: 2))
            #expect(page == [orders[3], orders[2]])
            await #expect(throws: StoreError.self) { try await list.orders(OrderFilter(limit: 0)) }
        }
    }
}
