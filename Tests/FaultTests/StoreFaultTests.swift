import Accounts
import AsyncHTTPClient
import Foundation
import GRDB
import GameModel
import NIOCore
import NIOFoundationCompat
import NIOHTTP1
import Records
import Redis
import Store
import Synchronization
import TestSupport
import Testing

/// Money under faults: whatever is killed, wiped, held up or full, every accepted order comes to exactly one end, and
/// the books balance with the provider's.
@Suite("Orders under faults", .serialized)
struct StoreFaultTests {
    /// Each a twenty-fifth of the calls; the last two charge and don't say so.
    static let faults =
        "decline=0.04,rate-limit=0.04,error=0.04,error-after-charge=0.04,timeout-after-charge=0.04:200ms"
        + ",duplicate-webhook=0.2,reorder-webhook=0.2"
    /// 10,000 in the long run of ops/test --full.
    static let orders = ProcessInfo.processInfo.environment["MUSTER_FULL"] == nil ? 1_000 : 10_000

    @Test("20 % of the provider's calls fail, API and verifier are killed at random, Redis is wiped twice, SQLite busy")
    func everything() async throws {
        let arguments = [
            "--api", "2", "--verifier", "2", "--ranker", "0", "--allocator", "0", "--ingest", "0", "--set",
            "sandbox.faults=\(Self.faults)", "--set", "sandbox.seed=7", "--set", "payments.timeout-ms=5000",
        ]
        try await withMuster(arguments) { up in
            let buyers = try await Buyers(up, orders: Self.orders)
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask { try await buyers.buy() }
                group.addTask { try await self.harm(up, buyers) }
                try await group.waitForAll()
            }
            let accepted = buyers.accepted
            #expect(accepted.count == Self.orders, "each order was accepted in the end")
            try await giveSomeBack(up, Array(accepted.prefix(20)))
            let audit = try await up.muster(["audit", "--wait", "240"])
            #expect(audit.status == 0, "\(audit.output)\(audit.errors)")
            try await expectEnds(up, accepted)
        }
    }

    /// Harm at steps of the way that the orders have made, so that a slow machine gets the same amount.
    private func harm(_ up: MusterUp, _ buyers: Buyers) async throws {
        let url = try #require(try up.state()).redisUrl
        var random = SplitMix64(seed: 11)
        for step in 1...8 {
            try await eventually(within: .seconds(300), "step \(step) of the orders is reached") {
                buyers.accepted.count >= Self.orders * step / 10
            }
            if step == 3 || step == 6 {
                try await withClient(RedisConfiguration(url: url)) { _ = try await $0.send(RedisCommand("FLUSHALL")) }
            }
            if step == 4 { try await holdTheFile(up, buyers) }
            let name = ["api-1", "api-2", "verifier-1", "verifier-2"][Int.random(in: 0..<4, using: &random)]
            let restarts = try up.killProcess(name)
            try await eventually(within: .seconds(180), "\(name) is back") {
                let member = try up.state()?.processes.first { $0.name == name }
                return member?.pid != nil && (member?.restarts ?? 0) > restarts
            }
        }
    }

    /// Another process has the file's one write lock until as many requests as run at once were turned away. Each waits
    /// for the lock for some seconds before that.
    private func holdTheFile(_ up: MusterUp, _ buyers: Buyers) async throws {
        var configuration = Configuration()
        configuration.allowsUnsafeTransactions = true
        let file = try DatabaseQueue(path: up.folder.file("accounts.sqlite"), configuration: configuration)
        let before = buyers.refusals
        try await file.writeWithoutTransaction { db in
            try db.execute(sql: "PRAGMA busy_timeout = 60000; BEGIN IMMEDIATE")
        }
        do {
            try await eventually(within: .seconds(180), "\(Buyers.atOnce) requests were turned away by the busy file") {
                buyers.refusals >= before + Buyers.atOnce
            }
        } catch {
            try await file.writeWithoutTransaction { try $0.execute(sql: "ROLLBACK") }
            throw error
        }
        try await file.writeWithoutTransaction { try $0.execute(sql: "ROLLBACK") }
        try file.close()
    }

    /// Refunds of those that were paid, asked for while the provider fails as before.
    private func giveSomeBack(_ up: MusterUp, _ orders: [OrderID]) async throws {
        try await eventually(within: .seconds(240), "the first orders have their verdict") {
            try await Self.states(up, orders).values.allSatisfy { !$0.isOpen }
        }
        let paid = try await Self.states(up, orders).filter { $0.value == .paid }.keys.sorted()
        try #require(paid.count > 5)
        for order in paid {
            let ending = try await up.muster(["store", "refund", order.rawValue, "--reason", "test", "--yes"])
            #expect(ending.status == 0, "\(ending.errors)")
        }
        try await eventually(within: .seconds(240), "each of them was given back") {
            try await Self.states(up, paid).values.allSatisfy { $0 == .refunded }
        }
    }

    private func expectEnds(_ up: MusterUp, _ accepted: [OrderID]) async throws {
        let states = try await Self.states(up, accepted)
        #expect(states.count == accepted.count, "no 202 is forgotten")
        let ends: Set<OrderState> = [.paid, .declined, .refunded]
        #expect(states.values.filter { !ends.contains($0) }.isEmpty, "each has its end")
        #expect(states.values.contains(.declined) && states.values.contains(.paid))
    }

    private static func states(_ up: MusterUp, _ orders: [OrderID]) async throws -> [OrderID: OrderState] {
        var configuration = Configuration()
        configuration.busyMode = .timeout(30)
        let file = try DatabaseQueue(path: up.folder.file("accounts.sqlite"), configuration: configuration)
        let rows = try await file.read { db in
            try Row.fetchAll(db, sql: "SELECT order_id, state FROM purchases")
                .map { (OrderID($0["order_id"]), OrderState(rawValue: $0["state"])) }
        }
        try file.close()
        let all = Dictionary(uniqueKeysWithValues: rows)
        var states: [OrderID: OrderState] = [:]
        for order in orders { states[order] = all[order] ?? nil }
        return states
    }
}

/// Players who buy over HTTP, and ask again with the same key until they are told 202.
private final class Buyers: Sendable {
    private struct Progress {
        var next = 0
        var accepted: [OrderID] = []
        var refusals = 0
    }

    static let atOnce = 16
    /// Fewer than a rule against fraud would mind.
    private static let ordersPerPlayer = 5

    private let urls: [String]
    private let tokens: [String]
    private let orders: Int
    private let progress = Mutex(Progress())

    init(_ up: MusterUp, orders: Int) async throws {
        let ring = try KeyRing(folder: up.folder.file("keys"))
        let issuer = TokenIssuer(ring: ring)
        var tokens: [String] = []
        for _ in 0...(orders / Self.ordersPerPlayer) {
            tokens.append(
                try await issuer.access(subject: ULID().description, role: .player, lifetime: .seconds(3_600)))
        }
        self.tokens = tokens
        self.orders = orders
        urls = try #require(try up.state()).apiUrls
    }

    var accepted: [OrderID] { progress.withLock { $0.accepted } }
    var refusals: Int { progress.withLock { $0.refusals } }

    func buy() async throws {
        try await withThrowingTaskGroup(of: Void.self) { group in
            for _ in 0..<Self.atOnce {
                group.addTask {
                    while let number = self.take() { try await self.buy(number) }
                }
            }
            try await group.waitForAll()
        }
    }

    private func take() -> Int? {
        progress.withLock { progress in
            guard progress.next < orders else { return nil }
            defer { progress.next += 1 }
            return progress.next
        }
    }

    private func buy(_ number: Int) async throws {
        struct Reply: Decodable { let orderId: OrderID }
        var tries = 0
        try await eventually(within: .seconds(300), "order \(number) is accepted") {
            tries += 1
            var request = HTTPClientRequest(url: self.urls[(number + tries) % self.urls.count] + "/v1/store/orders")
            request.method = .POST
            request.headers.add(
                name: "Authorization", value: "Bearer \(self.tokens[number / Self.ordersPerPlayer])")
            request.headers.add(name: "Content-Type", value: "application/json")
            request.headers.add(name: "Idempotency-Key", value: "order-\(number)")
            let product = number.isMultiple(of: 4) ? "gems-500" : "potion-healing"
            let body = #"{"productId":"\#(product)","paymentMethod":"pm_card_visa"}"#
            request.body = .bytes(ByteBuffer(string: body))
            do {
                let reply = try await HTTPClient.shared.execute(request, timeout: .seconds(10))
                let body = try await reply.body.collect(upTo: 1 << 16)
                guard reply.status == .accepted else {
                    let isPassing = reply.status.code >= 500 || reply.status == .tooManyRequests
                    #expect(isPassing, "\(reply.status): \(String(buffer: body))")
                    self.progress.withLock { $0.refusals += 1 }
                    return false
                }
                let order = try JSONDecoder().decode(Reply.self, from: Data(buffer: body)).orderId
                self.progress.withLock { $0.accepted.append(order) }
                return true
            } catch {
                guard !(error is DecodingError) else { throw error }
                // Killed in the middle of it: whether the order was taken, the same key will tell.
                self.progress.withLock { $0.refusals += 1 }
                return false
            }
        }
    }
}
