import Foundation
import GameModel
import Testing

@Suite struct PoolAndIdentifierTests {
    @Test("a ticket's name gives its pool back")
    func ticketPool() throws {
        let pool = try #require(Pool("duel:eu"))
        let id = TicketID(in: pool, ULID())
        #expect(id.pool == pool)
        #expect(TicketID("duel.eu.short").pool == nil)
        #expect(TicketID("DUEL.eu.\(ULID())").pool == nil)
    }

    @Test(
        "names from outside are refused when empty, too long or not visible ASCII", arguments: ["", "a b", "é", "\n"])
    func badIdentifier(_ text: String) {
        #expect(PlayerID(rawValue: text) == nil)
        #expect(PlayerID(rawValue: String(repeating: "a", count: 201)) == nil)
    }

    @Test("a ULID holds its time in its first ten digits and its randomness in the rest")
    func ulidLayout() {
        struct Fixed: RandomNumberGenerator {
            var value: UInt64
            mutating func next() -> UInt64 { value }
        }
        var zeros = Fixed(value: 0)
        var ones = Fixed(value: .max)
        // 1469918176385 ms is the published example 01ARYZ6S41.
        let instant = Instant(milliseconds: 1_469_918_176_385)
        #expect(ULID(at: instant, using: &zeros).description == "01ARYZ6S410000000000000000")
        #expect(ULID(at: instant, using: &ones).description == "01ARYZ6S41ZZZZZZZZZZZZZZZZ")
        #expect(ULID("01ARYZ6S41ZZZZZZZZZZZZZZZZ") != nil)
        #expect(ULID("81ARYZ6S41ZZZZZZZZZZZZZZZZ") == nil)
        #expect(ULID("01ARYZ6S41ZZZZZZZZZZZZZZZU") == nil)
    }

    @Test("money is written with its currency's digits")
    func money() {
        #expect(Money(minorUnits: 499, currency: .eur).description == "4.99 EUR")
        #expect(Money(minorUnits: -5, currency: .usd).description == "-0.05 USD")
        #expect(Money(minorUnits: 500, currency: .jpy).description == "500 JPY")
    }

    @Test("an instant is a bare number of milliseconds on the wire")
    func instant() throws {
        let instant = Instant(milliseconds: 1_700_000_000_123)
        #expect(String(decoding: try JSONEncoder().encode([instant]), as: UTF8.self) == "[1700000000123]")
        #expect((instant + .milliseconds(7)) - instant == .milliseconds(7))
    }

    @Test("an instant's text has its own millisecond, and not the one before")
    func milliseconds() {
        let second: Int64 = 1_764_193_044
        for millisecond in Int64(0)..<1_000 {
            let text = Instant(milliseconds: second * 1_000 + millisecond).textWithMilliseconds
            let digits = String(1_000 + millisecond).dropFirst()
            #expect(text == "2025-11-26T21:37:24.\(digits)Z")
        }
    }
}
