import GRDB
import Records

/// The store's tables, in `accounts.sqlite`. Times are Unix milliseconds, amounts minor units of their unit: a currency
/// in upper case, or a virtual one in lower case.
public enum StoreSchema {
    public static let schema = RecordsSchema(
        name: "store",
        migrations: [
            (id: "1-catalog", body: { try $0.execute(sql: catalog) }),
            (id: "2-orders", body: { try $0.execute(sql: orders) }),
            (id: "3-first-products", body: { _ in }),
            (id: "4-versions", body: { try $0.execute(sql: versions) }),
            (id: "5-trade", body: { try $0.execute(sql: trade) }),
            (id: "6-from-the-first-tables", body: { try FirstTables.move(in: $0) }),
            (id: "7-first-products", body: { try FirstProducts.publishWhereEmpty(in: $0) }),
        ])

    private static let catalog = """
        CREATE TABLE products (
            product_id TEXT PRIMARY KEY NOT NULL,
            name TEXT NOT NULL,
            kind TEXT NOT NULL,
            price BIGINT NOT NULL,
            currency TEXT NOT NULL,
            is_active INTEGER NOT NULL,
            updated_at BIGINT NOT NULL
        );
        CREATE TABLE promotions (
            promotion_id TEXT PRIMARY KEY NOT NULL,
            product_id TEXT REFERENCES products (product_id),
            percent_off INTEGER NOT NULL,
            starts_at BIGINT NOT NULL,
            ends_at BIGINT NOT NULL,
            updated_at BIGINT NOT NULL
        );
        CREATE INDEX promotions_by_end ON promotions (ends_at);
        """

    /// The first form of orders: step 6 moves what is in them, step 5 made the tables that took their place.
    private static let orders = """
        CREATE TABLE orders (
            order_id TEXT PRIMARY KEY NOT NULL,
            player_id TEXT NOT NULL,
            product_id TEXT NOT NULL REFERENCES products (product_id),
            state TEXT NOT NULL,
            amount BIGINT NOT NULL,
            currency TEXT NOT NULL,
            list_price BIGINT NOT NULL,
            promotion_id TEXT,
            payment_method TEXT NOT NULL,
            provider_reference TEXT,
            reason TEXT,
            idempotency_key TEXT NOT NULL,
            body_digest TEXT NOT NULL,
            created_at BIGINT NOT NULL,
            updated_at BIGINT NOT NULL,
            UNIQUE (player_id, idempotency_key)
        );
        CREATE INDEX orders_by_player ON orders (player_id, created_at);
        CREATE INDEX orders_by_product ON orders (player_id, product_id);
        CREATE INDEX orders_by_state ON orders (state, updated_at);
        CREATE TABLE ledger (
            transfer_id TEXT PRIMARY KEY NOT NULL,
            order_id TEXT NOT NULL REFERENCES orders (order_id),
            kind TEXT NOT NULL,
            debit TEXT NOT NULL,
            credit TEXT NOT NULL,
            amount BIGINT NOT NULL CHECK (amount > 0),
            currency TEXT NOT NULL,
            provider_reference TEXT NOT NULL,
            created_at BIGINT NOT NULL,
            UNIQUE (order_id, kind)
        );
        CREATE TABLE entitlements (
            player_id TEXT NOT NULL,
            product_id TEXT NOT NULL,
            order_id TEXT NOT NULL UNIQUE REFERENCES orders (order_id),
            granted_at BIGINT NOT NULL,
            PRIMARY KEY (player_id, product_id)
        );
        CREATE TABLE webhook_events (
            event_id TEXT PRIMARY KEY NOT NULL,
            type TEXT NOT NULL,
            order_id TEXT,
            received_at BIGINT NOT NULL
        );
        """

    /// Documents are JSON of `Product`, `Promotion` and `CatalogDocument`; a version's digest is the SHA-256 of its
    /// text.
    private static let versions = """
        CREATE TABLE draft_products (
            product_id TEXT PRIMARY KEY NOT NULL,
            document TEXT NOT NULL,
            updated_by TEXT NOT NULL,
            updated_at BIGINT NOT NULL
        );
        CREATE TABLE draft_promotions (
            promotion_id TEXT PRIMARY KEY NOT NULL,
            document TEXT NOT NULL,
            updated_by TEXT NOT NULL,
            updated_at BIGINT NOT NULL
        );
        CREATE TABLE catalog_versions (
            version BIGINT PRIMARY KEY NOT NULL,
            document TEXT NOT NULL,
            digest TEXT NOT NULL,
            note TEXT NOT NULL,
            published_by TEXT NOT NULL,
            published_at BIGINT NOT NULL
        );
        CREATE TABLE pictures (
            picture_key TEXT PRIMARY KEY NOT NULL,
            content_type TEXT NOT NULL,
            bytes BIGINT NOT NULL,
            is_stored INTEGER NOT NULL,
            created_by TEXT NOT NULL,
            created_at BIGINT NOT NULL
        );
        """

    /// `purchases`: orders. `transfers` is the ledger, append-only; `balances` is its sum per account, kept in the same
    /// transactions. A promotion's use counts until its order is declined, within the limits that it had then.
    /// `purchase_parts`: what an order gives: skins and pieces of items by product, `credit` by virtual currency.
    private static let trade = """
        CREATE TABLE purchases (
            order_id TEXT PRIMARY KEY NOT NULL,
            player_id TEXT NOT NULL,
            recipient_id TEXT,
            owner_id TEXT NOT NULL,
            product_id TEXT NOT NULL,
            quantity BIGINT NOT NULL CHECK (quantity > 0),
            state TEXT NOT NULL,
            amount BIGINT NOT NULL,
            unit TEXT NOT NULL,
            quote TEXT NOT NULL,
            provider TEXT,
            payment_method TEXT NOT NULL,
            provider_reference TEXT,
            refunded BIGINT NOT NULL DEFAULT 0,
            reason TEXT,
            flag TEXT,
            refund_requested_at BIGINT,
            idempotency_key TEXT NOT NULL,
            body_digest TEXT NOT NULL,
            created_at BIGINT NOT NULL,
            updated_at BIGINT NOT NULL,
            UNIQUE (player_id, idempotency_key)
        );
        CREATE INDEX purchases_by_player ON purchases (player_id, created_at);
        CREATE INDEX purchases_by_owner ON purchases (owner_id, product_id);
        CREATE INDEX purchases_by_state ON purchases (state, order_id);
        CREATE INDEX purchases_by_product ON purchases (product_id, order_id);
        CREATE INDEX purchases_open ON purchases (owner_id) WHERE state IN ('pending', 'verifying', 'review');
        CREATE TABLE purchase_parts (
            order_id TEXT NOT NULL REFERENCES purchases (order_id),
            kind TEXT NOT NULL,
            item TEXT NOT NULL,
            quantity BIGINT NOT NULL CHECK (quantity > 0),
            PRIMARY KEY (order_id, kind, item)
        );
        CREATE INDEX purchases_by_reference ON purchases (provider_reference);
        CREATE TABLE transfers (
            transfer_id TEXT PRIMARY KEY NOT NULL,
            order_id TEXT REFERENCES purchases (order_id),
            kind TEXT NOT NULL,
            from_account TEXT NOT NULL,
            to_account TEXT NOT NULL,
            amount BIGINT NOT NULL CHECK (amount > 0),
            unit TEXT NOT NULL,
            reference TEXT NOT NULL,
            created_at BIGINT NOT NULL,
            UNIQUE (kind, reference, to_account, from_account, unit),
            CHECK (from_account <> to_account)
        );
        CREATE INDEX transfers_by_order ON transfers (order_id);
        CREATE INDEX transfers_by_from ON transfers (from_account, created_at);
        CREATE INDEX transfers_by_to ON transfers (to_account, created_at);
        CREATE TABLE balances (
            account TEXT NOT NULL,
            unit TEXT NOT NULL,
            amount BIGINT NOT NULL CHECK (amount >= 0 OR account NOT LIKE 'wallet:%'),
            PRIMARY KEY (account, unit)
        );
        CREATE TABLE grants (
            entitlement_id TEXT PRIMARY KEY NOT NULL,
            player_id TEXT NOT NULL,
            product_id TEXT NOT NULL,
            order_id TEXT REFERENCES purchases (order_id),
            source TEXT NOT NULL,
            kind TEXT NOT NULL DEFAULT 'skin',
            quantity BIGINT NOT NULL CHECK (quantity > 0),
            remaining BIGINT NOT NULL CHECK (remaining >= 0 AND remaining <= quantity),
            granted_at BIGINT NOT NULL,
            revoked_at BIGINT,
            UNIQUE (order_id, product_id)
        );
        CREATE INDEX grants_by_player ON grants (player_id, product_id);
        CREATE TABLE grant_events (
            seq INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
            entitlement_id TEXT NOT NULL REFERENCES grants (entitlement_id),
            player_id TEXT NOT NULL,
            product_id TEXT NOT NULL,
            kind TEXT NOT NULL,
            change BIGINT NOT NULL,
            reference TEXT NOT NULL,
            at BIGINT NOT NULL
        );
        CREATE INDEX grant_events_by_player ON grant_events (player_id, seq);
        CREATE UNIQUE INDEX grant_events_once ON grant_events (entitlement_id, kind, reference);
        CREATE TABLE promotion_uses (
            order_id TEXT NOT NULL REFERENCES purchases (order_id),
            promotion_id TEXT NOT NULL,
            player_id TEXT NOT NULL,
            limit_player BIGINT,
            limit_total BIGINT,
            is_void INTEGER NOT NULL DEFAULT 0,
            PRIMARY KEY (order_id, promotion_id)
        );
        CREATE INDEX promotion_uses_by_promotion ON promotion_uses (promotion_id, is_void, player_id);
        CREATE TABLE provider_events (
            event_id TEXT NOT NULL,
            provider TEXT NOT NULL,
            type TEXT NOT NULL,
            order_id TEXT,
            reference TEXT,
            body TEXT NOT NULL,
            received_at BIGINT NOT NULL,
            PRIMARY KEY (provider, event_id)
        );
        CREATE INDEX provider_events_by_time ON provider_events (received_at);
        CREATE TABLE reconciliations (
            run_id TEXT PRIMARY KEY NOT NULL,
            provider TEXT NOT NULL,
            since BIGINT NOT NULL,
            started_at BIGINT NOT NULL,
            ended_at BIGINT NOT NULL,
            checked BIGINT NOT NULL,
            differences BIGINT NOT NULL,
            report TEXT NOT NULL
        );
        """
}
