import GameModel

/// The store: the catalog that players see and developers edit, orders, and what players own.
public struct StoreService: Sendable {
    public let catalog: CatalogService
    public let editor: CatalogEditor
    public let orders: OrderService
    public let inventory: InventoryService

    /// - Parameters:
    ///   - providers: the names of those that charge, the default one first.
    ///   - pictureURL: the address of a picture, by its key.
    ///   - nudge: tells the outbox's relay that there is something to relay; without it an order waits for its sweep.
    public init(
        repository: StoreRepository, providers: [String] = ["stripe"],
        fraud: any FraudRules = VelocityRules(), pictureURL: @escaping @Sendable (String) -> String = { $0 },
        nudge: @escaping @Sendable () -> Void = {}, clock: @escaping @Sendable () -> Instant = { .now }
    ) {
        catalog = CatalogService(repository: repository.catalog, pictureURL: pictureURL, clock: clock)
        editor = CatalogEditor(repository: repository.catalog, clock: clock)
        orders = OrderService(
            repository: repository, providers: providers, fraud: fraud, nudge: nudge, clock: clock)
        inventory = InventoryService(repository: repository, clock: clock)
    }
}
