import GRDB
import GameModel
import Records
import TestSupport
import Testing

@testable import Store

@Suite("Audit of the store")
struct StoreAuditTests {
    /// The rules that something broke, by the first words that tell them apart.
    private func broken(_ house: StoreHouse) async throws -> [String] {
        try await StoreAudit(repository: house.repository, providers: [house.provider]).run()
            .filter { !$0.holds }.map(\.rule)
    }

    @Test("orders under way break no rule, and are counted")
    func underWay() async throws {
        try await StoreHouse.open(verifiers: 0) { house in
            _ = try await house.place()
            #expect(try await broken(house).isEmpty)
            let findings = try await StoreAudit(repository: house.repository, providers: []).run()
            #expect(findings.contains { $0.note == "1 without a verdict, 0 in review" })
        }
    }

    @Test(
        "each thing that can be wrong in the books is found by its rule",
        arguments: [
            ("DELETE FROM transfers", "each paid order has exactly one ledger transfer, of its amount"),
            (
                "UPDATE transfers SET amount = amount + 1",
                "each paid order has exactly one ledger transfer, of its amount"
            ),
            ("DELETE FROM grants", "each paid order has exactly one entitlement"),
            ("UPDATE purchases SET state = 'declined'", "each entitlement comes from a paid order"),
            ("UPDATE purchases SET state = 'declined'", "each ledger transfer comes from an order that was paid"),
            ("UPDATE purchases SET state = 'verifying'", "each order without a verdict is owed its verification"),
            (
                "UPDATE purchases SET amount = amount - 1",
                "each charge has its order's amount, and the order is paid or under way"
            ),
        ])
    func found(damage: String, rule: String) async throws {
        try await StoreHouse.open { house in
            for product in FirstProducts.all.prefix(5) {
                _ = try await house.verdict(on: try await house.place(product.productId))
            }
            #expect(try await broken(house).isEmpty)
            try await house.database.write { db in try db.execute(sql: damage) }
            #expect(try await broken(house).contains(rule))
        }
    }

    @Test("a charge without an order and a paid order without a charge are found")
    func provider() async throws {
        try await StoreHouse.open { house in
            _ = try await house.verdict(on: try await house.place())
            let stranger = FaultyProvider()
            _ = try await stranger.charge(
                ChargeRequest(
                    orderId: OrderID("unknown"), playerId: StoreHouse.player,
                    amount: Money(minorUnits: 1, currency: .eur), paymentMethod: "pm"))
            let findings = try await StoreAudit(repository: house.repository, providers: [stranger]).run()
            #expect(
                findings.filter { !$0.holds }.map(\.rule) == [
                    "each charge of the provider has its order", "each paid order was charged",
                ])
        }
    }
}
