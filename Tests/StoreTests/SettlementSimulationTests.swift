import GRDB
import GameModel
import Records
import Testing

@testable import Store

/// Orders, faults, webhooks, refunds and disputes at random, from a seed: whatever happened, in the end the books hold
/// what the provider does.
@Suite("Whatever fails, the books come to agree with the provider")
struct SettlementSimulationTests {
    private struct World {
        let verifiers: Verifiers
        var random: SplitMix64
        var orders: [Order] = []
        var events = 0

        mutating func draw(_ range: Range<Int>) -> Int { .random(in: range, using: &random) }
        mutating func chance(_ percent: Int) -> Bool { draw(0..<100) < percent }
        mutating func order() -> Order? { orders.isEmpty ? nil : orders[draw(0..<orders.count)] }
    }

    @Test("of 40 steps with every fault that we know, for each of 30 seeds", arguments: 1...30)
    func everything(seed: Int) async throws {
        try await Verifiers.open(timeOut: .seconds(3_600)) { verifiers in
            var world = World(verifiers: verifiers, random: SplitMix64(seed: UInt64(seed)))
            for _ in 0..<40 { try await step(&world) }
            verifiers.provider.planNothing()
            try await verifiers.run()
            try await resolve(world)
            // What no webhook told is found, and settled.
            let clock = verifiers.desk.clock
            let reconciler = Reconciler(
                repository: verifiers.desk.repository, orderTimeOut: .seconds(3_600), clock: { clock.now })
            _ = try await reconciler.run(
                with: verifiers.provider, since: Instant(milliseconds: 0), settling: true)
            try await verifiers.run()
            try await check(world)
        }
    }

    // MARK: What happens

    private func step(_ world: inout World) async throws {
        world.verifiers.desk.clock.advance(by: .milliseconds(1))
        switch world.draw(0..<100) {
        case 0..<35: try await place(&world)
        case 35..<50: planFault(&world)
        case 50..<55: world.verifiers.provider.isAway.toggle()
        case 55..<65: try await happenAtProvider(&world)
        case 65..<75: try await askRefund(&world)
        case 75..<80: try await consume(&world)
        default: try await world.verifiers.run(atMost: .seconds(world.draw(0..<900)))
        }
    }

    private func place(_ world: inout World) async throws {
        let products = [StoreDesk.knight, StoreDesk.potion, StoreDesk.gems, StoreDesk.bundle]
        let (product, player) = (products[world.draw(0..<4)], PlayerID("p-\(world.draw(0..<4))"))
        do {
            world.orders.append(try await world.verifiers.desk.place(product, by: player))
        } catch {
            // Owned already, or on its way.
        }
    }

    private func planFault(_ world: inout World) {
        let provider = world.verifiers.provider
        switch world.draw(0..<10) {
        case 0: provider.plan(.unreachable)
        case 1, 2: provider.plan(.lostAnswer)
        case 3: provider.plan(.decline)
        case 4: provider.plan(.undecided)
        case 5: provider.plan(world.chance(50) ? .stuck : .lostAndStuck)
        case 6: provider.plan(.wrongAmount)
        case 7:
            let (verifiers, orders) = (world.verifiers, world.orders)
            // A lease that runs out while the provider is asked.
            provider.plan(
                .meanwhile { charge in
                    guard let order = orders.first(where: { $0.orderId == charge.orderId }) else { return }
                    await verifiers.takeOver(order)
                })
        case 8: provider.planRefunds(.lostAnswer)
        default: provider.planRefunds(world.chance(50) ? .refuse : .unreachable)
        }
    }

    /// Refunds and disputes, of which webhooks tell never, once or twice.
    private func happenAtProvider(_ world: inout World) async throws {
        let verifiers = world.verifiers
        let charges = verifiers.provider.charges.sorted { $0.reference < $1.reference }
        guard !charges.isEmpty else { return }
        let charge = charges[world.draw(0..<charges.count)]
        let left = charge.isDisputed ? 0 : charge.minorUnits - charge.refundedMinorUnits
        guard left > 0, let order = world.orders.first(where: { $0.orderId == charge.orderId }) else { return }
        if world.chance(30) {
            verifiers.provider.dispute(charge.reference)
        } else {
            verifiers.provider.refundOutside(
                charge.reference, world.chance(50) ? left : Int64(world.draw(1..<Int(left) + 1)))
        }
        world.events += 1
        for _ in 0..<world.draw(0..<3) { try await verifiers.hear("evt_\(world.events)", of: order) }
    }

    private func askRefund(_ world: inout World) async throws {
        guard let order = world.order() else { return }
        do {
            _ = try await world.verifiers.desk.store.orders.requestRefund(
                order.orderId, reason: "asked", by: "test")
        } catch StoreError.orderState {
            // Not paid, or given back already.
        }
    }

    private func consume(_ world: inout World) async throws {
        let player = PlayerID("p-\(world.draw(0..<4))")
        do {
            _ = try await world.verifiers.desk.store.inventory.consume(
                StoreDesk.potion, quantity: 1, of: player, reference: "use-\(world.draw(0..<1_000))")
        } catch StoreError.insufficientItems {
            // None left.
        }
    }

    /// A person goes through what is in review: what was charged is given back, also where the provider refused it at
    /// first; what was not charged, or what the bank took back, is closed.
    private func resolve(_ world: World) async throws {
        let (verifiers, orders) = (world.verifiers, world.verifiers.desk.store.orders)
        for _ in 0..<2 {
            for order in world.orders {
                let now = try await verifiers.now(order)
                guard now.state == .review else { continue }
                let charge = verifiers.provider.charges.first { $0.orderId == order.orderId }
                if let charge, !charge.isDisputed {
                    _ = try await orders.requestRefund(order.orderId, reason: "differs", by: "test")
                } else {
                    _ = try await orders.resolve(order.orderId, as: .declined, reason: "no money", by: "test")
                }
            }
            try await verifiers.run()
            verifiers.desk.clock.advance(by: .seconds(1))
        }
    }

    // MARK: What must hold

    private func check(_ world: World) async throws {
        let verifiers = world.verifiers
        try await verifiers.expectSettled()
        for order in world.orders {
            let now = try await verifiers.now(order)
            #expect(now.state.isSettled && now.refundRequestedAt == nil, "\(now)")
        }
        let charges = verifiers.provider.charges
        #expect(Set(charges.map(\.orderId)).count == charges.count, "an order was charged twice")
        let held = charges.filter { !$0.isDisputed }.map { $0.minorUnits - $0.refundedMinorUnits }.reduce(0, +)
        let booked = try await verifiers.desk.database.read { db in
            try Int64.fetchOne(
                db, sql: "SELECT COALESCE(SUM(amount), 0) FROM balances WHERE account = 'provider:stripe'")
        }
        #expect(booked == held)
    }
}
