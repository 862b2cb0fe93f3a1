import GRDB
import GameModel

/// What follows from an order's fate, inside the transaction that writes it: the ledger, what the owner has, and the
/// promotions' uses. Whoever calls these writes the order's own row.
enum OrderBooks {
    /// The order was charged (or the wallet pays it now): books the transfer, gives the owner what was bought.
    ///
    /// - Parameter charge: the provider's; `nil` where the wallet pays.
    static func pay(_ order: Order, charge: Charge?, at now: Instant, in db: Database) throws {
        throw StoreError.unavailable("not built yet")
    }

    /// Money went back: books it; where all of it did, takes back what was given.
    ///
    /// - Parameters:
    ///   - amount: minor units that went back now.
    ///   - kind: ``Transfer/Kind/refund``, ``Transfer/Kind/chargeback`` or, for the wallet, ``Transfer/Kind/unspend``.
    ///   - isTotal: whether nothing of the price is left.
    ///   - reference: the provider's name for the refund or the dispute.
    /// - Returns: what a person should know, such as `used up before the refund`; `nil` where all was taken back.
    static func giveBack(
        _ order: Order, amount: Int64, kind: Transfer.Kind, isTotal: Bool, reference: String,
        at now: Instant,
        in db: Database
    ) throws -> String? {
        throw StoreError.unavailable("not built yet")
    }

    /// The order was declined: its promotions may be used again.
    static func release(_ order: Order, in db: Database) throws {
        throw StoreError.unavailable("not built yet")
    }
}
