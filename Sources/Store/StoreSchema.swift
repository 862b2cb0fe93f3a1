import GRDB
import GameModel
import Records

/// The store's tables, in `accounts.sqlite`. Times are Unix milliseconds, amounts minor units of their currency.
public enum StoreSchema {
    public static let schema = RecordsSchema(
        name: "store",
        migrations: [
            (id: "1-catalog", body: { try $0.execute(sql: catalog) }),
            (id: "2-orders", body: { try $0.execute(sql: orders) }),
            (id: "3-first-products", body: { try FirstProducts.insert(into: $0) }),
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

    /// A ledger row is one transfer from one account to another, so every row is balanced by itself.
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
}

/// What a new store sells, so that there is something to see: a few skins, and one promotion of two weeks.
enum FirstProducts {
    static let all: [Product] = [
        skin("skin-ember-knight", "Ember Knight", 499),
        skin("skin-frost-warden", "Frost Warden", 499),
        skin("skin-gilded-oracle", "Gilded Oracle", 999),
        skin("skin-moss-giant", "Moss Giant", 799),
        skin("skin-night-courier", "Night Courier", 299),
        skin("skin-star-pilot", "Star Pilot", 1499),
    ]

    static func insert(into db: Database) throws {
        let now = Instant.now
        for product in all { try CatalogRepository.upsert(product, at: now, in: db) }
        let launch = Promotion(
            promotionId: "launch-week", productId: ProductID("skin-gilded-oracle"), percentOff: 30,
            startsAt: now, endsAt: now + .seconds(14 * 24 * 3600))
        try CatalogRepository.upsert(launch, at: now, in: db)
    }

    private static func skin(_ id: String, _ name: String, _ price: Int64) -> Product {
        Product(productId: ProductID(id), name: name, kind: .skin, price: Money(minorUnits: price, currency: .eur))
    }
}
