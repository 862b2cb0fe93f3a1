import Accounts
import Records
import Store

/// `accounts.sqlite`: accounts, the store's books, and the outbox of orders.
public enum AccountsFile {
    /// All that is in it; whoever opens the file brings it up to date.
    public static let schemas: [RecordsSchema] = [
        AccountsSchema.schema, StoreSchema.schema, Outbox.schema, ChangeLog.schema,
    ]
}
