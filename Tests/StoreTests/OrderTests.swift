import GameModel
import Jobs
import Records
import Redis
import TestSupport
import Testing

@testable import Store

@Suite("Orders")
struct OrderTests {
    @Test("an order ends paid, with one ledger transfer and one entitlement")
    func paid() async throws {
        try await StoreHouse.open { house in
            let placed = try await house.place()
            #expect(placed.state == .pending && placed.money == Money(minorUnits: 799, currency: .eur))
            let order = try await house.verdict(on: placed)
            #expect(order.state == .paid && order.providerReference == "pi_\(order.orderId)")
            let owned = try await house.store.inventory.entitlements(of: StoreHouse.player)
            #expect(owned.map(\.productId) == [StoreHouse.skin] && owned.first?.orderId == order.orderId)
            #expect(try await house.store.orders.orders(OrderFilter(player: StoreHouse.player)) == [order])
            #expect(
                try await house.store.inventory.skins(of: [StoreHouse.player])[StoreHouse.player] == [StoreHouse.skin])
            try await house.expectSettled()
        }
    }

    @Test("a declined order grants nothing and can be tried again")
    func declined() async throws {
        try await StoreHouse.open { house in
            house.provider.plan(.decline)
            let order = try await house.verdict(on: try await house.place())
            #expect(order.state == .declined && order.reason == "insufficient_funds")
            #expect(try await house.store.inventory.entitlements(of: StoreHouse.player).isEmpty)
            #expect(try await house.verdict(on: try await house.place()).state == .paid)
            try await house.expectSettled()
        }
    }

    @Test(
        "a charge that doesn't fit the order is for a person to look at, and grants nothing",
        arguments: [
            FaultyProvider.Fault.wrongAmount, .wrongCurrency, .wrongOrder, .refuse,
        ])
    func review(fault: FaultyProvider.Fault) async throws {
        try await StoreHouse.open { house in
            house.provider.plan(fault)
            let order = try await house.verdict(on: try await house.place())
            #expect(order.state == .review && order.reason != nil)
            #expect(try await house.store.inventory.entitlements(of: StoreHouse.player).isEmpty)
            #expect(try await house.database.read { try Outbox.openCount(in: $0) } == 0)
        }
    }

    @Test("an answer lost after charging and an outage before it don't charge twice")
    func lostAnswer() async throws {
        try await StoreHouse.open { house in
            house.provider.plan(.unreachable, .lostAnswer, .lostAnswer)
            let order = try await house.verdict(on: try await house.place())
            #expect(order.state == .paid)
            #expect(house.provider.calls == 4 && house.provider.charges.count == 1)
            try await house.expectSettled()
        }
    }

    @Test("a charge that is not decided at once is looked up later")
    func undecided() async throws {
        try await StoreHouse.open { house in
            house.provider.plan(.undecided)
            #expect(try await house.verdict(on: try await house.place()).state == .paid)
            #expect(house.provider.calls == 1)
            try await house.expectSettled()
        }
    }

    @Test("an order whose job Redis lost is still paid, once")
    func flushedRedis() async throws {
        try await StoreHouse.open(verifiers: 0) { house in
            let placed = try await house.place()
            try await eventually("the job is in Redis") { try await house.queue.counts().waiting == 1 }
            // Not the job itself: the relay may have offered it again by the time that one looks.
            _ = try await house.redis.send(["SET", "mark", "1"])
            try await house.server.flush()
            #expect(try await house.redis.send(["EXISTS", "mark"]).int == 0)
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask { try await house.worker().run() }
                let order = try await house.verdict(on: placed)
                #expect(order.state == .paid)
                group.cancelAll()
            }
            #expect(house.provider.charges.count == 1)
            try await house.expectSettled()
        }
    }

    @Test("many verifications of one order at once have one effect")
    func race() async throws {
        try await StoreHouse.open(verifiers: 2) { house in
            let placed = try await house.place()
            let jobs = (0..<20).map {
                (id: JobID("again-\($0)") as JobID?, job: VerifyPayment(orderId: placed.orderId))
            }
            _ = try await house.queue.enqueue(jobs)
            #expect(try await house.verdict(on: placed).state == .paid)
            try await eventually("every job is done") {
                let counts = try await house.queue.counts()
                return counts.waiting + counts.leased + counts.later == 0
            }
            #expect(house.provider.charges.count == 1)
            #expect(try await house.store.inventory.entitlements(of: StoreHouse.player).count == 1)
            try await house.expectSettled()
        }
    }

    @Test("an attempt that lost its lease can't write its verdict")
    func fenced() async throws {
        try await withRecords(schemas: StoreHouse.schemas) { database in
            let repository = StoreRepository(database: database)
            let placed = try await StoreService(repository: repository).orders.place(
                Wish(productId: StoreHouse.skin), player: StoreHouse.player, payment: .provider(nil, method: "pm"),
                expected: nil, idempotencyKey: "k")
            let (id, job) = (placed.order.orderId, VerifyPayment.jobId(of: placed.order.orderId).rawValue)
            let now = Instant.now
            let attempts = (0...3).map { SettlementsRepository.Attempt(jobId: job, token: $0, at: now) }
            #expect(try await repository.settlements.beginVerifying(id, attempts[1]) != nil)
            #expect(try await repository.settlements.beginVerifying(id, attempts[2]) != nil)
            await #expect(throws: StoreError.self) {
                try await repository.settlements.conclude(id, .declined(code: "late", reference: nil), attempts[1])
            }
            let charge = Charge(reference: "pi", orderId: id, minorUnits: 799, currency: "EUR")
            for _ in 0..<2 {
                #expect(try await repository.settlements.conclude(id, .paid(charge), attempts[2])?.state == .paid)
            }
            #expect(try await repository.settlements.beginVerifying(id, attempts[3]) == nil)
        }
    }

    @Test("a repeated idempotency key gets the first answer, and with another body none")
    func idempotency() async throws {
        try await StoreHouse.open { house in
            let first = try await house.place(key: "key-1")
            _ = try await house.verdict(on: first)
            let again = try await house.store.orders.place(
                Wish(productId: StoreHouse.skin), player: StoreHouse.player,
                payment: .provider(nil, method: "pm_card_visa"), expected: nil, idempotencyKey: "key-1")
            #expect(again.order == first && again.isRepeated)
            await #expect(throws: StoreError.idempotencyMismatch) {
                try await house.place(paymentMethod: "pm_card_mastercard", key: "key-1")
            }
            await #expect(throws: StoreError.idempotencyMismatch) {
                try await house.place(ProductID("skin-star-pilot"), key: "key-1")
            }
            // The key is the player's own: another one may use the same.
            let other = try await house.place(by: PlayerID("01OTHER"), key: "key-1")
            #expect(other.orderId != first.orderId)
            _ = try await house.verdict(on: other)
            try await house.expectSettled()
        }
    }

    @Test("of many requests at once with one key, one places an order")
    func concurrentKeys() async throws {
        try await StoreHouse.open { house in
            let store = house.store
            let orders = try await withThrowingTaskGroup(of: OrderID.self) { group in
                for _ in 0..<16 {
                    group.addTask {
                        try await store.orders.place(
                            Wish(productId: StoreHouse.skin), player: StoreHouse.player,
                            payment: .provider(nil, method: "pm"), expected: nil, idempotencyKey: "k"
                        ).order.orderId
                    }
                }
                return try await group.reduce(into: Set()) { $0.insert($1) }
            }
            #expect(orders.count == 1)
        }
    }

    @Test("what is owned or being bought can't be bought again")
    func owned() async throws {
        try await StoreHouse.open(verifiers: 0) { house in
            let first = try await house.place()
            await #expect(throws: StoreError.orderOpen(StoreHouse.skin, first.orderId)) { try await house.place() }
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask { try await house.worker().run() }
                _ = try await house.verdict(on: first)
                group.cancelAll()
            }
            await #expect(throws: StoreError.alreadyOwned(StoreHouse.skin, by: first.orderId.rawValue)) {
                try await house.place()
            }
        }
    }

    @Test("unknown products, strange keys and card numbers are refused, and other players' orders are unknown")
    func refused() async throws {
        try await StoreHouse.open(verifiers: 0) { house in
            await #expect(throws: StoreError.unknownProduct(ProductID("nope"))) {
                try await house.place(ProductID("nope"))
            }
            for (method, key) in [("", "k"), ("pm", ""), ("pm", "a b"), ("4242424242424242", "k")] {
                let error = await #expect(throws: StoreError.self) {
                    try await house.place(paymentMethod: method, key: key)
                }
                guard case .invalidField = error else {
                    Issue.record("unexpected \(String(describing: error))")
                    continue
                }
            }
            let order = try await house.place()
            await #expect(throws: StoreError.unknownOrder(order.orderId)) {
                try await house.store.orders.order(order.orderId, of: PlayerID("01OTHER"))
            }
        }
    }
}
