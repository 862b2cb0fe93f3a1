import GameModel
import Synchronization
import Testing

@testable import Store

@Suite("Rules against fraud")
struct FraudTests {
    private func attempt(
        minute: Int = 0, hour: Int = 0, declined: Int = 0, spent: Int64 = 0, total: Int64 = 499
    ) -> PurchaseAttempt {
        let quote = Quote(
            productId: StoreDesk.knight, quantity: 1, unit: "EUR", list: total, total: total, lines: [],
            catalogVersion: 1)
        return PurchaseAttempt(
            player: StoreDesk.player, quote: quote, isGift: false, ordersLastMinute: minute, ordersLastHour: hour,
            ordersLastDay: hour, declinedLastHour: declined, spentLastDay: spent)
    }

    private func wait(_ attempt: PurchaseAttempt) -> Duration? {
        guard case .refuse(_, let retryAfter) = VelocityRules().judge(attempt) else { return nil }
        return retryAfter
    }

    @Test("each rule allows up to its number, and refuses what goes past it")
    func rules() {
        let rules = VelocityRules()
        #expect(wait(attempt(minute: rules.ordersPerMinute - 1)) == nil)
        #expect(wait(attempt(minute: rules.ordersPerMinute)) == .seconds(60))
        #expect(wait(attempt(hour: rules.ordersPerHour - 1)) == nil)
        #expect(wait(attempt(hour: rules.ordersPerHour)) == .seconds(3600))
        #expect(wait(attempt(declined: rules.declinedPerHour - 1)) == nil)
        #expect(wait(attempt(declined: rules.declinedPerHour)) == .seconds(3600))
        #expect(wait(attempt(spent: 100_000 - 499)) == nil)
        #expect(wait(attempt(spent: 100_000 - 498)) == .seconds(24 * 3600))
        #expect(wait(attempt(spent: .max, total: .max)) == .seconds(24 * 3600))
    }

    @Test("what a player may spend in a day is worth about the same in each currency")
    func currencies() {
        let rules = VelocityRules()
        let most = ["EUR", "KRW", "KWD", "HUF"].map { rules.spentPerDay(in: $0) }
        #expect(most == [100_000, 2_000_000, 500_000, 35_000_000])
    }

    /// Remembers what it was asked.
    private final class Listening: FraudRules {
        let heard = Mutex<[PurchaseAttempt]>([])

        func judge(_ attempt: PurchaseAttempt) -> FraudVerdict {
            heard.withLock { $0.append(attempt) }
            return .allow
        }
    }

    @Test("the rules are told of the player's orders for money in the last minute, hour and day")
    func counts() async throws {
        let rules = Listening()
        try await StoreDesk.open(fraud: rules) { desk in
            _ = try await desk.buy(StoreDesk.gems)
            desk.clock.advance(by: .seconds(2 * 3600))
            try await desk.settle(try await desk.place(StoreDesk.potion), as: .declined)
            desk.clock.advance(by: .seconds(120))
            _ = try await desk.place(StoreDesk.potion, quantity: 2)
            _ = try await desk.place(StoreDesk.potion, by: StoreDesk.friend)
            // The wallet is no money: it is neither asked about nor counted.
            _ = try await desk.place(StoreDesk.potion, payment: .wallet)
            desk.clock.advance(by: .seconds(1))
            _ = try await desk.place(StoreDesk.knight, for: StoreDesk.friend)
            let heard = rules.heard.withLock { $0 }
            #expect(heard.count == 5)
            guard let last = heard.last else { return }
            #expect(last.player == StoreDesk.player && last.quote.total == 499 && last.isGift)
            #expect(last.ordersLastMinute == 1 && last.ordersLastHour == 2 && last.ordersLastDay == 3)
            #expect(last.declinedLastHour == 1 && last.spentLastDay == 499 + 198)
            desk.clock.advance(by: .seconds(24 * 3600))
            _ = try await desk.place(StoreDesk.giant)
            #expect(rules.heard.withLock { $0.last?.ordersLastDay } == 0)
        }
    }

    @Test("an order that the rules refuse leaves nothing behind, and may come again with its key")
    func refused() async throws {
        var rules = VelocityRules()
        rules.ordersPerMinute = 2
        try await StoreDesk.open(fraud: rules) { desk in
            for _ in 0..<2 { _ = try await desk.place(StoreDesk.potion) }
            let error = await #expect(throws: StoreError.self) { try await desk.place(StoreDesk.potion, key: "k") }
            guard case .tooManyOrders(_, retryAfter: .seconds(60)) = error else {
                Issue.record("unexpected \(String(describing: error))")
                return
            }
            let count = try await desk.store.orders.orders(OrderFilter()).count
            #expect(count == 2)
            desk.clock.advance(by: .seconds(61))
            let placed = try await desk.place(StoreDesk.potion, key: "k")
            #expect(placed.state == .pending)
            #expect(try await desk.broken().isEmpty)
        }
    }
}
