import Accounts
import GameData
import GameModel
import Store

/// Everything that is held about a person, in the accounts, the store and the game: to take away, or to have deleted.
public struct PersonalData: Sendable {
    /// Orders and matches beyond this number are left out of an export, the oldest first; of what happened to
    /// entitlements and in the wallet, it has the newest lines that a list may have.
    public static let rowsMax = 10_000
    private static let pageRows = 100

    private let accounts: AccountService
    private let store: StoreService
    private let players: PlayersRepository
    private let matches: MatchesRepository

    public init(
        accounts: AccountService, store: StoreService, players: PlayersRepository, matches: MatchesRepository
    ) {
        self.accounts = accounts
        self.store = store
        self.players = players
        self.matches = matches
    }

    /// What an export holds. Never a secret: no hash of a password, no means of payment.
    public struct Export: Encodable, Sendable {
        let account: AccountExport
        let orders: [OrderReply]
        let entitlements: [Entitlement]
        let entitlementEvents: [EntitlementEvent]
        let wallet: [VirtualMoney]
        let walletTransfers: [TransferReply]
        /// As others see the player.
        let player: PlayerProfile?
        /// The skin chosen for each character, whether it is still the player's or not.
        let loadout: [String: ProductID]
        let matches: [MatchSummary]
    }

    public func export(of player: PlayerID) async throws -> Export {
        let limit = InventoryService.listedRange.upperBound
        return Export(
            account: try await accounts.export(player), orders: try await orders(of: player),
            entitlements: try await store.inventory.entitlements(of: player),
            entitlementEvents: try await store.inventory.history(of: player, limit: limit),
            wallet: try await store.inventory.wallet(of: player),
            walletTransfers: try await store.inventory.transfers(of: player, limit: limit)
                .map { TransferReply($0, of: player) },
            player: try await players.profile(player), loadout: try await players.loadouts.loadout(of: player),
            matches: try await matches(of: player))
    }

    /// Takes out what names a person: the orders' part, the name that others see, and last the account, so that what is
    /// cut short on the way leaves it, to ask again. An account that is deleted already is carried through.
    ///
    /// - Parameter editor: a player's id, or `cli:user@host`.
    public func delete(_ player: PlayerID, by editor: String) async throws {
        let isOpen = try await accounts.account(player).deletedAt == nil
        try await store.orders.anonymise(player)
        if try await players.profile(player) != nil {
            try await players.upsert(player, displayName: Account.deletedName)
        }
        try await players.loadouts.remove(player)
        if isOpen { try await accounts.delete(player, by: editor) }
    }

    private func orders(of player: PlayerID) async throws -> [OrderReply] {
        var found: [Order] = []
        while found.count < Self.rowsMax {
            let page = try await store.orders.orders(
                OrderFilter(player: player, before: found.last?.orderId, limit: Self.pageRows))
            found += page
            guard page.count == Self.pageRows else { break }
        }
        return found.map(OrderReply.init)
    }

    private func matches(of player: PlayerID) async throws -> [MatchSummary] {
        var found: [MatchSummary] = []
        while found.count < Self.rowsMax {
            let page = try await matches.history(player, limit: Self.pageRows, before: found.last?.matchId)
            found += page
            guard page.count == Self.pageRows else { break }
        }
        return found
    }
}
