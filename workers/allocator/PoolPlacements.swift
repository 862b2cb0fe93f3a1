import GameModel
import Matchmaking
import ServiceLifecycle

/// Runs a worker for the allocation queue of each pool whose matches can be played in this allocator's regions; a pool
/// that new rules bring gets its worker within a second.
///
/// The worker of a pool that is played no more stays until the process ends: what was matched there is still placed.
struct PoolPlacements: Service {
    /// How often the rules are looked at.
    static let interval = Duration.seconds(1)

    private let book: RulesBook
    private let regions: Set<Region>
    private let worker: @Sendable (Pool) -> any Service

    init(book: RulesBook, regions: [Region], worker: @escaping @Sendable (Pool) -> any Service) {
        self.book = book
        self.regions = Set(regions)
        self.worker = worker
    }

    /// The pools that some rules have for these regions, sorted.
    static func pools(of rules: MatchmakingRules, for regions: Set<Region>) -> [Pool] {
        rules.pools.filter { !regions.isDisjoint(with: rules.regions(of: $0)) }
    }

    /// Until graceful shutdown, which the workers see too and end by themselves.
    func run() async throws {
        try await withThrowingDiscardingTaskGroup { group in
            var served: Set<Pool> = []
            while !Task.isCancelled, !Task.isShuttingDownGracefully {
                for pool in Self.pools(of: book.current, for: regions) where served.insert(pool).inserted {
                    let service = worker(pool)
                    group.addTask { try await service.run() }
                }
                await cancelWhenGracefulShutdown {
                    do { try await Task.sleep(for: Self.interval) } catch { return }
                }
            }
        }
    }
}
