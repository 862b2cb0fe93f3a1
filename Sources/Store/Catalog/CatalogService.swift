import GameModel

/// Shows players what is sold, and what a purchase would cost.
public struct CatalogService: Sendable {
    let repository: CatalogRepository
    let clock: @Sendable () -> Instant

    /// What is sold now; up to a second old.
    public func catalog() async throws(StoreError) -> Catalog { throw .unavailable("not built yet") }

    /// What an order of this moment would be charged, line by line. A code that doesn't hold is a line that says why.
    public func quote(_ wish: Wish, player: PlayerID) async throws(StoreError) -> Quote {
        throw .unavailable("not built yet")
    }
}
