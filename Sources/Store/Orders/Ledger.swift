import GameModel

/// An account of the double-entry ledger. Every transfer takes its amount from one balance and adds it to another, so
/// all balances of a unit add up to zero.
public enum LedgerAccount: Sendable, Hashable, CustomStringConvertible {
    /// What a provider holds for us.
    case provider(String)
    /// What we sold for real money.
    case sales
    /// What was given back to players.
    case refunds
    /// What chargebacks took.
    case chargebacks
    /// A player's virtual currency. The one kind that can't go below zero.
    case wallet(PlayerID)
    /// Where virtual currency comes from.
    case issued
    /// Where virtual currency goes to.
    case spent
    /// Virtual currency that a refund should have taken back and that was spent already.
    case lost

    public var description: String {
        switch self {
        case .provider(let name): "provider:\(name)"
        case .sales: "sales"
        case .refunds: "refunds"
        case .chargebacks: "chargebacks"
        case .wallet(let player): "wallet:\(player)"
        case .issued: "issued"
        case .spent: "spent"
        case .lost: "lost"
        }
    }
}

/// One line of the ledger: an amount that left one account and came to another. Append-only.
public struct Transfer: Sendable, Hashable {
    public enum Kind: String, Sendable, Hashable, Codable {
        /// Sales → provider: an order was charged.
        case charge
        /// Provider → refunds, in part or in full.
        case refund
        /// Provider → chargebacks.
        case chargeback
        /// Chargebacks → provider: the dispute was won, and the money came back.
        case reversal
        /// Issued → wallet: a currency pack, or a developer's grant.
        case credit
        /// Wallet → spent: a purchase from the wallet.
        case spend
        /// Spent → wallet: a purchase from the wallet was given back.
        case unspend
        /// Wallet → issued: a currency pack was taken back.
        case withdraw
        /// Lost → issued: the part of it that had been spent.
        case loss
    }

    public let transferId: String
    public let orderId: OrderID?
    public let kind: Kind
    public let from: String
    public let to: String
    /// Minor units, more than 0.
    public let amount: Int64
    public let unit: String
    /// The provider's name for the charge, refund or dispute behind it; our own for grants.
    public let reference: String
    public let createdAt: Instant

    public init(
        transferId: String, orderId: OrderID?, kind: Kind, from: String, to: String, amount: Int64,
        unit: String,
        reference: String, createdAt: Instant
    ) {
        self.transferId = transferId
        self.orderId = orderId
        self.kind = kind
        self.from = from
        self.to = to
        self.amount = amount
        self.unit = unit
        self.reference = reference
        self.createdAt = createdAt
    }
}
