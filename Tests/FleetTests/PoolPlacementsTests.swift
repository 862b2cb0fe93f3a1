import GameModel
import Matchmaking
import ServiceLifecycle
import Synchronization
import TestSupport
import Testing

@testable import AllocatorWorker

@Suite("Which pools an allocator places matches of")
struct PoolPlacementsTests {
    private static func rules(_ scopes: [String: RegionScope]) -> MatchmakingRules {
        MatchmakingRules(
            modes: Dictionary(
                uniqueKeysWithValues: scopes.map { name, scope in
                    var rules = ModeRules(teamSize: 1)
                    rules.scope = scope
                    return (Mode(name), rules)
                }), regions: ["eu", "us", "ap"].map { Region($0) })
    }

    @Test("those of its regions, and those that span all regions, wherever it is")
    func pools() {
        let rules = Self.rules(["duel": .apart, "squad": .together])
        let pools = PoolPlacements.pools(of: rules, for: [Region("eu"), Region("ap")])
        #expect(pools.map(\.description) == ["duel:ap", "duel:eu", "squad:everywhere"])
        #expect(PoolPlacements.pools(of: rules, for: [Region("mars")]).isEmpty)
    }

    @Test("a pool that new rules bring gets a worker, one that they drop keeps its own, and each has one only")
    func newRules() async throws {
        let book = RulesBook(Self.rules(["duel": .apart]))
        let begun = Mutex<[Pool]>([])
        let placements = PoolPlacements(book: book, regions: [eu]) { pool in
            begun.withLock { $0.append(pool) }
            return Idle()
        }
        try await withThrowingTaskGroup(of: Void.self) { tasks in
            tasks.addTask { try await placements.run() }
            defer { tasks.cancelAll() }
            try await eventually("the first pool is served") { begun.withLock { $0.count } == 1 }
            book.replace(with: Self.rules(["squad": .together]))
            try await eventually("the new pool is served") { begun.withLock { $0.count } == 2 }
            book.replace(with: Self.rules(["duel": .apart, "trio": .apart]))
            try await eventually("the third is served") { begun.withLock { $0.count } == 3 }
        }
        #expect(begun.withLock { $0.map(\.description) } == ["duel:eu", "squad:everywhere", "trio:eu"])
    }

    private struct Idle: Service {
        func run() async throws { try await hangUntilCancelled() }
    }
}
