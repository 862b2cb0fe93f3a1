import GameModel

/// What players own: entitlements with their history, and the wallet.
public struct InventoryService: Sendable {
    let repository: StoreRepository
    let clock: @Sendable () -> Instant

    /// What a player owns, oldest first; without what is used up or taken back.
    public func entitlements(of player: PlayerID) async throws(StoreError) -> [Entitlement] {
        throw .unavailable("not built yet")
    }

    /// What happened to a player's entitlements, newest first.
    public func history(of player: PlayerID, limit: Int) async throws(StoreError)
        -> [EntitlementEvent]
    {
        throw .unavailable("not built yet")
    }

    /// The balances of a player's wallet that are not zero, by currency.
    public func wallet(of player: PlayerID) async throws(StoreError) -> [VirtualMoney] {
        throw .unavailable("not built yet")
    }

    /// The transfers of a player's wallet, newest first.
    public func transfers(of player: PlayerID, limit: Int) async throws(StoreError) -> [Transfer] {
        throw .unavailable("not built yet")
    }

    /// Uses pieces of an item up, of the oldest grant first. Repeated with its reference, it does nothing again.
    ///
    /// - Parameter reference: what they were used for, unique per use: `match 01…, round 3`.
    /// - Returns: how many are left.
    /// - Throws: ``StoreError/insufficientItems(_:held:)``: then nothing was used.
    public func consume(
        _ product: ProductID, quantity: Int, of player: PlayerID, reference: String
    ) async throws(StoreError) -> Int {
        throw .unavailable("not built yet")
    }

    /// Gives a player a product without an order. Repeated with its reference, it does nothing again.
    public func grant(
        _ product: ProductID, quantity: Int, to player: PlayerID, reference: String, by editor: String
    ) async throws(StoreError) {
        throw .unavailable("not built yet")
    }

    /// The skins that each of several players owns, for the servers that they play on.
    public func skins(of players: [PlayerID]) async throws(StoreError) -> [PlayerID: [ProductID]] {
        throw .unavailable("not built yet")
    }
}
