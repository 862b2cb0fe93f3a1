import GameModel

/// Shows players what is sold, and what a purchase would cost.
public struct CatalogService: Sendable {
    /// How long a process shows a catalog without a look at the records.
    static let lifetime: Duration = .seconds(1)

    let repository: CatalogRepository
    /// The address of a picture, by its key.
    let pictureURL: @Sendable (String) -> String
    let clock: @Sendable () -> Instant

    init(
        repository: CatalogRepository, pictureURL: @escaping @Sendable (String) -> String = { $0 },
        clock: @escaping @Sendable () -> Instant
    ) {
        self.repository = repository
        self.pictureURL = pictureURL
        self.clock = clock
    }

    /// What is sold now; up to a second old.
    public func catalog() async throws(StoreError) -> Catalog {
        let now = clock()
        let current = repository.shelf.current
        if let current, now < current.until, current.until <= now + Self.lifetime { return current.shown.catalog }
        let (version, usedUp) = try await repository.published(at: now)
        // Little changes from second to second: the same version between two bounds of its windows is shown as it is.
        if let shown = current?.shown, shown.catalog.version == version.version, shown.usedUp == usedUp,
            shown.builtAt <= now, shown.changesAt.map({ now < $0 }) ?? true
        {
            repository.shelf.show(shown, until: now + Self.lifetime)
            return shown.catalog
        }
        let catalog = try Catalog(version, at: now, usedUp: usedUp, pictureURL: pictureURL)
        repository.shelf.show(
            CatalogShelf.Shown(
                catalog: catalog, builtAt: now, changesAt: version.document.nextChange(after: now), usedUp: usedUp),
            until: now + Self.lifetime)
        return catalog
    }

    /// What an order of this moment would be charged, line by line. A code that doesn't hold is a line that says why.
    ///
    /// Throws as ``Pricing/quote(_:in:version:uses:at:)`` does.
    public func quote(_ wish: Wish, player: PlayerID) async throws(StoreError) -> Quote {
        let (version, uses) = try await repository.publishedWithUses(for: wish, by: player)
        return try Pricing.quote(
            wish, in: version.document, version: version.version, uses: uses, at: clock())
    }
}
