import Crypto
import Foundation
import GameModel
import Jobs
import Records

/// Sells: shows the catalog, takes orders, tells what became of them, and lets developers edit what is sold.
///
/// Promises: an accepted order is on disk together with the job that has it charged, so it gets its verdict whatever
/// becomes of Redis; a repeated request with its idempotency key places one order; what can be owned once is sold once.
public struct StoreService: Sendable {
    public static let ordersListed = 100

    private let repository: StoreRepository
    private let cache: CatalogCache
    private let nudge: @Sendable () -> Void
    private let clock: @Sendable () -> Instant

    /// - Parameter nudge: tells the outbox's relay that there is something to relay; without it an order waits for
    /// its sweep.
    public init(
        repository: StoreRepository, nudge: @escaping @Sendable () -> Void = {},
        clock: @escaping @Sendable () -> Instant = { .now }
    ) {
        self.repository = repository
        self.nudge = nudge
        self.clock = clock
        cache = CatalogCache(repository: repository.catalog, clock: clock)
    }

    // MARK: Players

    /// What is sold now; up to a second old.
    public func catalog() async throws(StoreError) -> Catalog { try await cache.catalog() }

    /// An order, and whether the request that asked for it had come before.
    public struct Placed: Sendable {
        public let order: Order
        public let isRepeated: Bool
    }

    /// Accepts an order at the price of this moment. Returns once the order and its verification are on disk.
    ///
    /// - Parameter idempotencyKey: the player's own name for this purchase: repeated with the same product and payment
    ///   method, it gets the first answer.
    public func placeOrder(
        player: PlayerID, product: ProductID, paymentMethod: String, idempotencyKey: String
    ) async throws(StoreError) -> Placed {
        try StoreRules.idempotencyKey(idempotencyKey)
        try StoreRules.paymentMethod(paymentMethod)
        let now = clock()
        let draft = OrdersRepository.Draft(
            orderId: OrderID(ULID().description), playerId: player, productId: product,
            paymentMethod: paymentMethod, idempotencyKey: idempotencyKey,
            bodyDigest: Self.digest([product.rawValue, paymentMethod]), placedAt: now)
        let placement = try await repository.orders.place(draft, owing: { try Self.verification(of: $0, at: now) })
        switch placement {
        case .placed(let order):
            nudge()
            return Placed(order: order, isRepeated: false)
        case .repeated(let order):
            return Placed(order: order.asPlaced, isRepeated: true)
        }
    }

    /// Throws ``StoreError/unknownOrder(_:)`` for another player's order, too.
    public func order(_ id: OrderID, of player: PlayerID) async throws(StoreError) -> Order {
        guard let order = try await repository.orders.order(id), order.playerId == player else {
            throw .unknownOrder(id)
        }
        return order
    }

    /// A player's orders, newest first, at most ``ordersListed``.
    public func orders(of player: PlayerID) async throws(StoreError) -> [Order] {
        try await repository.orders.orders(of: player, limit: Self.ordersListed)
    }

    /// What a player owns, oldest first.
    public func entitlements(of player: PlayerID) async throws(StoreError) -> [Entitlement] {
        try await repository.orders.entitlements(of: player)
    }

    /// The skins that each of several players owns, for the servers that they play on.
    public func skins(of players: [PlayerID]) async throws(StoreError) -> [PlayerID: [ProductID]] {
        var skins: [PlayerID: [ProductID]] = [:]
        for player in players {
            skins[player] = try await repository.orders.entitlements(of: player).map(\.productId)
        }
        return skins
    }

    // MARK: Developers

    /// Adds or changes a product; `true` where it is new. Orders keep the price that they were placed at.
    public func save(_ product: Product) async throws(StoreError) -> Bool {
        try product.validate()
        defer { cache.forget() }
        return try await repository.catalog.save(product, at: clock())
    }

    /// Adds or changes a promotion; `true` where it is new.
    public func save(_ promotion: Promotion) async throws(StoreError) -> Bool {
        try promotion.validate()
        defer { cache.forget() }
        return try await repository.catalog.save(promotion, at: clock())
    }

    // MARK: What an order owes

    static func verification(of order: OrderID, at now: Instant) throws -> OutboxEntry {
        let job = try EncodedJob(VerifyPayment(orderId: order), id: VerifyPayment.jobId(of: order))
        return OutboxEntry(
            jobId: job.id.rawValue, queue: VerifyPayment.queue.rawValue, kind: job.kind, payload: job.payload,
            createdAt: now.milliseconds)
    }

    /// The fields can't run into each other: a zero byte ends each, and no field may have one.
    private static func digest(_ fields: [String]) -> String {
        var hash = SHA256()
        for field in fields { hash.update(data: Data(field.utf8) + [0]) }
        return Hex.encode(hash.finalize())
    }
}
