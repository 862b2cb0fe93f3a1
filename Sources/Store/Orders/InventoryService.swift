import GameModel

/// What players own: entitlements with their history, and the wallet.
public struct InventoryService: Sendable {
    /// How many lines a list may have.
    public static let listedRange = 1...500
    /// How many players one look at their skins may be about: the rosters of a match and its spectators.
    public static let playersMax = 1_000

    let repository: StoreRepository
    let clock: @Sendable () -> Instant

    /// What a player owns, oldest first; without what is used up or taken back.
    public func entitlements(of player: PlayerID) async throws(StoreError) -> [Entitlement] {
        try await repository.inventory.entitlements(of: player)
    }

    /// What happened to a player's entitlements, newest first.
    public func history(of player: PlayerID, limit: Int) async throws(StoreError)
        -> [EntitlementEvent]
    {
        try StoreRules.number(limit, in: Self.listedRange, field: "limit")
        return try await repository.inventory.history(of: player, limit: limit)
    }

    /// The balances of a player's wallet that are not zero, by currency.
    public func wallet(of player: PlayerID) async throws(StoreError) -> [VirtualMoney] {
        try await repository.inventory.wallet(of: player)
    }

    /// The transfers of a player's wallet, newest first.
    public func transfers(of player: PlayerID, limit: Int) async throws(StoreError) -> [Transfer] {
        try StoreRules.number(limit, in: Self.listedRange, field: "limit")
        return try await repository.inventory.transfers(of: player, limit: limit)
    }

    /// Uses pieces of an item up, of the oldest grant first. Repeated with its reference, it does nothing again.
    ///
    /// - Parameter reference: what they were used for, unique per use: `match 01…, round 3`. 1 to 200 characters.
    /// - Returns: how many are left.
    /// - Throws: ``StoreError/insufficientItems(_:held:)``: then nothing was used. A skin can't be used up: of those a
    /// player holds no pieces.
    public func consume(
        _ product: ProductID, quantity: Int, of player: PlayerID, reference: String
    ) async throws(StoreError) -> Int {
        try StoreRules.number(quantity, in: Product.quantityRange, field: "quantity")
        try StoreRules.line(reference, field: "reference")
        return try await repository.inventory.consume(
            product, quantity: quantity, of: player, reference: reference, at: clock())
    }

    /// Gives a player a product of the published catalog without an order: for sale at the moment or not.
    ///
    /// - Parameters:
    ///   - quantity: how many purchases' worth; 1 for what can be owned once.
    ///   - reference: why, in the words of the person who gives: 1 to 200 characters. The same product with the same
    ///     reference is given to a player once.
    /// - Throws: ``StoreError/unknownProduct(_:)``, ``StoreError/alreadyOwned(_:by:)``: then nothing was given, of a
    /// bundle either.
    public func grant(
        _ product: ProductID, quantity: Int, to player: PlayerID, reference: String, by editor: String
    ) async throws(StoreError) {
        try StoreRules.number(quantity, in: Product.quantityRange, field: "quantity")
        try StoreRules.line(reference, field: "reference")
        try await repository.inventory.grant(
            product, quantity: quantity, to: player, reference: reference, by: editor, at: clock())
    }

    /// The skins that each of several players owns, for the servers that they play on. All of them have an entry.
    public func skins(of players: [PlayerID]) async throws(StoreError) -> [PlayerID: [ProductID]] {
        guard !players.isEmpty else { return [:] }
        try StoreRules.number(players.count, in: 1...Self.playersMax, field: "players")
        return try await repository.inventory.skins(of: players)
    }
}
