import GRDB
import Records

/// The store's part of `accounts.sqlite`: the catalog, the orders with what follows from them, and the books.
public struct StoreRepository: Sendable {
    let catalog: CatalogRepository
    let orders: OrdersRepository
    let placements: PlacementsRepository
    let decisions: DecisionsRepository
    let inventory: InventoryRepository
    let settlements: SettlementsRepository
    let webhooks: WebhooksRepository
    let reconciliations: ReconciliationsRepository
    let books: BooksRepository
    let pictures: PicturesRepository

    /// - Parameter database: a file with ``StoreSchema/schema`` and `Outbox.schema`.
    public init(database: RecordsDatabase) {
        let file = StoreFile(database: database)
        catalog = CatalogRepository(file: file)
        orders = OrdersRepository(file: file)
        placements = PlacementsRepository(file: file)
        decisions = DecisionsRepository(file: file)
        inventory = InventoryRepository(file: file)
        settlements = SettlementsRepository(file: file)
        webhooks = WebhooksRepository(file: file)
        reconciliations = ReconciliationsRepository(file: file)
        books = BooksRepository(file: file)
        pictures = PicturesRepository(file: file)
    }
}

/// Reads and writes whose failures are told as ``StoreError/unavailable(_:)``.
struct StoreFile: Sendable {
    let database: RecordsDatabase

    func read<T: Sendable>(_ body: @escaping @Sendable (Database) throws -> T)
        async throws(StoreError) -> T
    {
        do {
            return try await database.read(body)
        } catch {
            throw Self.told(error)
        }
    }

    func write<T: Sendable>(_ body: @escaping @Sendable (Database) throws -> T)
        async throws(StoreError) -> T
    {
        do {
            return try await database.write(body)
        } catch {
            throw Self.told(error)
        }
    }

    private static func told(_ error: any Error) -> StoreError {
        error as? StoreError ?? .unavailable("\(error)")
    }
}
