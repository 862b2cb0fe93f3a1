import APIWorker
import Accounts
import Foundation
import GameModel
import Logging
import Records
import Store
import TestSupport
import Testing

/// `muster store` as a developer and an operator use it, on a data folder without anything running.
@Suite struct StoreCommandTests {
    private struct House {
        let folder: TemporaryFolder
        let store: StoreService
        let player: PlayerID

        func muster(_ words: [String]) async throws -> MusterUp.Ending {
            try await MusterUp.run(["store"] + words + ["--data", folder.path])
        }

        /// A command that has to succeed; its output.
        @discardableResult
        func say(_ words: String...) async throws -> String {
            let ending = try await muster(words)
            try #require(ending.status == 0, "\(words): \(ending.errors)")
            return ending.output
        }

        /// A command that has to fail: nothing on its output, and these words on standard error.
        func refuses(_ words: [String], saying parts: String...) async throws {
            let ending = try await muster(words)
            #expect(ending.status != 0 && ending.output.isEmpty, "\(words): \(ending.status) \(ending.output)")
            for part in parts { #expect(ending.errors.contains(part), "\(words): \(ending.errors)") }
        }

        func json<T: Decodable>(_ type: T.Type = T.self, _ words: String...) async throws -> T {
            let ending = try await muster(words + ["--json"])
            try #require(ending.status == 0, "\(words): \(ending.errors)")
            return try JSONDecoder().decode(T.self, from: Data(ending.output.utf8))
        }

        func file(_ name: String, _ bytes: some Sequence<UInt8>) throws -> String {
            try Data(bytes).write(to: URL(filePath: folder.file(name)))
            return folder.file(name)
        }
    }

    private func withHouse(_ body: (House) async throws -> Void) async throws {
        let folder = try TemporaryFolder()
        defer { folder.remove() }
        let quiet = Logger(label: "test", factory: { _ in SwiftLogNoOpLogHandler() })
        let database = try RecordsDatabase.open(
            path: folder.file("accounts.sqlite"), durability: .normal, schemas: AccountsFile.schemas, logger: quiet)
        let accounts = AccountService(
            repository: AccountsRepository(database: database),
            passwords: try PasswordHasher(parameters: ScryptParameters(logN: 4, r: 1, p: 1), threads: 1),
            tokens: TokenIssuer(ring: try KeyRing(folder: folder.file("keys"))))
        try await accounts.register(
            email: "ada@example.com", password: "correct horse", displayName: "ada", client: .unknown)
        let player = try await accounts.logIn(
            email: "ada@example.com", password: "correct horse", client: .unknown
        ).playerId
        let store = StoreService(repository: StoreRepository(database: database))
        do {
            try await body(House(folder: folder, store: store, player: player))
        } catch {
            try database.close()
            throw error
        }
        try database.close()
    }

    private struct Line: Decodable {
        let version: Int
        let note: String
    }

    @Test("a product is added, shown, changed field by field, published, and taken away; each step is in the log")
    func products() async throws {
        try await withHouse { house in
            try await house.refuses(
                ["products", "set", "frost-axe", "--price", "4.99 EUR"], saying: "no product frost-axe",
                "--name and --kind")
            try await house.refuses(
                ["products", "set", "frost-axe", "--name", "Axe", "--kind", "skin", "--price", "0.10 EUR"],
                saying: "price")
            try await house.refuses(
                ["products", "set", "frost-axe", "--name", "Axe", "--kind", "skin", "--price", "4,99 EUR"],
                saying: "4,99 EUR")
            #expect(
                try await house.say(
                    "products", "set", "frost-axe", "--name", "Frost axe", "--kind", "skin", "--price", "4.99 EUR",
                    "--price", "800 JPY", "--virtual-price", "500 gems", "--until", "2099-01-01"
                ).contains("added product frost-axe"))
            try await house.say("products", "set", "frost-axe", "--price", "5.49 EUR", "--clear", "virtual-price")
            let product = try await house.json(Product.self, "products", "show", "frost-axe")
            #expect(product.name == "Frost axe" && product.virtualPrices.isEmpty)
            #expect(product.prices == [Money(minorUnits: 549, currency: .eur)])
            #expect(product.availableUntil == Instant(milliseconds: 4_070_908_800_000))
            let list = try await house.say("products", "ls")
            #expect(list.contains(/frost-axe +skin +Frost axe +5\.49 EUR +until 2099-01-01T00:00:00Z +new/))
            try await house.refuses(
                ["products", "show", "frost-axe", "--published"], saying: "no product", "products ls")
            #expect(try await house.say("draft").contains("+ product frost-axe"))

            try await house.refuses(["publish", "--note", "axe"], saying: "+ product frost-axe", "--yes")
            #expect(try await house.json(Line.self, "publish", "--note", "axe", "--yes").version == 2)
            #expect(try await house.say("draft") == "the draft is what is published\n")
            try await house.say("products", "show", "frost-axe", "--published")
            try await house.refuses(["products", "rm", "frost-axe"], saying: "--yes")
            try await house.say("products", "rm", "frost-axe", "--yes")
            try await house.refuses(["products", "rm", "frost-axe", "--yes"], saying: "no product frost-axe")

            let log = try await house.json([ChangeLog.Change].self, "log", "--subject", "product frost-axe")
            #expect(log.count == 3 && log.allSatisfy { $0.by.hasPrefix("cli:") && $0.by.contains("@") })
            #expect(try await house.say("log", "--limit", "1").contains("product frost-axe"))
        }
    }

    @Test("a product comes from a file, and a file that is wrong is refused by the path of its field")
    func files() async throws {
        try await withHouse { house in
            let good = try house.file(
                "axe.json",
                #"{"productId":"axe","name":"Axe","kind":"skin","prices":[{"minorUnits":499,"currency":"EUR"}]}"#.utf8)
            try await house.say("products", "set", "axe", "--file", good)
            #expect(try await house.json(Product.self, "products", "show", "axe").name == "Axe")
            try await house.refuses(["products", "set", "other", "--file", good], saying: "of product axe")
            let bad = try house.file(
                "bad.json",
                #"{"productId":"axe","name":"Axe","kind":"skin","prices":[{"minorUnits":499,"currency":"XYZ"}]}"#.utf8)
            try await house.refuses(["products", "set", "axe", "--file", bad], saying: "prices[0].currency", "XYZ")
            try await house.refuses(
                ["products", "set", "axe", "--file", try house.file("none.json", "no".utf8)], saying: "is not JSON")
            try await house.refuses(["products", "set", "axe", "--file", "/no/such"], saying: "can't be read")
            let nowhere = try await MusterUp.run(["store", "products", "ls", "--data", "/no/such"])
            #expect(nowhere.status == 1 && nowhere.errors.contains("There is no accounts.sqlite in /no/such"))
        }
    }

    @Test("a promotion is added, changed and taken away")
    func promotions() async throws {
        try await withHouse { house in
            try await house.refuses(
                ["promotions", "set", "winter", "--percent", "20"], saying: "no promotion winter", "--until or --hours")
            try await house.say(
                "promotions", "set", "winter", "--percent", "20", "--product", "skin-moss-giant", "--hours", "48",
                "--code", "frost-10")
            try await house.say(
                "promotions", "set", "winter", "--off", "1.00 EUR", "--clear", "product", "--stacking", "stackable")
            let promotion = try await house.json(Promotion.self, "promotions", "show", "winter")
            #expect(promotion.percentOff == nil && promotion.amountsOff == [Money(minorUnits: 100, currency: .eur)])
            #expect(promotion.productIds.isEmpty && promotion.code == "FROST-10" && promotion.stacking == .stackable)
            #expect(promotion.endsAt - promotion.startsAt == .seconds(48 * 3_600))
            #expect(try await house.say("promotions", "ls").contains(/winter +1\.00 EUR +all +FROST-10 .* new/))
            try await house.say("promotions", "rm", "winter", "--yes")
            try await house.refuses(["promotions", "show", "winter"], saying: "no promotion winter", "promotions ls")
        }
    }

    @Test("an export is imported again unchanged; a version is shown and goes back to the draft")
    func versions() async throws {
        try await withHouse { house in
            let first = try await house.say("export")
            try await house.say("products", "set", "axe", "--name", "Axe", "--kind", "skin", "--price", "4.99 EUR")
            try await house.say("publish", "--note", "with the axe", "--yes")
            let file = try house.file("catalog.json", first.utf8)
            try await house.refuses(["import", file], saying: "--yes")
            #expect(try await house.say("import", file, "--yes").contains("- product axe"))
            #expect(try await house.say("export") == first)
            #expect(try await house.say("export", "--version", "1") == first)
            #expect(try await house.say("export", "--published").contains("\"axe\""))

            #expect(try await house.json([Line].self, "versions", "ls").map(\.version) == [2, 1])
            #expect(try await house.say("versions", "show", "2").contains(/axe +skin +Axe +4\.99 EUR/))
            try await house.refuses(["versions", "show", "9"], saying: "no catalog version 9", "versions ls")
            try await house.refuses(["versions", "revert", "2"], saying: "- product axe", "--yes")
            try await house.say("versions", "revert", "2", "--yes")
            #expect(try await house.say("draft") == "the draft is what is published\n")

            let broken = first.replacing("\"moss", with: "\"mo ss").replacing("\"minorUnits\"", with: "\"minorUnit\"")
            try await house.refuses(
                ["import", try house.file("broken.json", broken.utf8), "--yes"], saying: "prices[0].minorUnits")
        }
    }

    @Test("a picture is added once, may be named then, and is in the folder; what is no picture is refused")
    func pictures() async throws {
        try await withHouse { house in
            let png: [UInt8] = [0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A, 1, 2, 3]
            let file = try house.file("axe.png", png)
            let key = try await house.say("pictures", "add", file).trimmingCharacters(in: .newlines)
            #expect(key.hasSuffix(".png"))
            #expect(try await house.say("pictures", "add", file) == "\(key)\n")
            let stored = house.folder.file("pictures/\(key.prefix(2))/\(key)")
            #expect(FileManager.default.contents(atPath: stored) == Data(png))
            let unknown = String(repeating: "0", count: 64) + ".png"
            try await house.refuses(["products", "set", "skin-moss-giant", "--picture", unknown], saying: "picture")
            try await house.say("products", "set", "skin-moss-giant", "--picture", key)
            #expect(try await house.json(Product.self, "products", "show", "skin-moss-giant").picture == key)
            try await house.refuses(
                ["pictures", "add", try house.file("page.html", "<html>".utf8)], saying: "image/png")
            try await house.refuses(
                ["pictures", "add", file, "--set", "pictures.s3.endpoint=nowhere"],
                saying: "muster.pictures.s3.endpoint")
        }
    }

    private struct Facts: Decodable {
        struct Placed: Decodable {
            let orderId: OrderID
            let state: OrderState
        }
        struct Moved: Decodable { let kind: Transfer.Kind }
        let order: Placed
        let quote: Quote
        let transfers: [Moved]
        let entitlements: [EntitlementEvent]
        let changes: [ChangeLog.Change]
    }

    private struct Wallet: Decodable {
        let balances: [VirtualMoney]
        let entitlements: [Entitlement]
    }

    @Test("a grant fills the wallet once; what it buys is shown line by line, and given back at once")
    func wallet() async throws {
        try await withHouse { house in
            let player = house.player.rawValue
            try await house.refuses(
                ["grant", "nobody", "gems-500", "--reference", "cup", "--yes"], saying: "no account nobody")
            try await house.refuses(
                ["grant", player, "axe", "--reference", "cup", "--yes"], saying: "no product axe")
            try await house.refuses(["grant", player, "gems-500", "--reference", "cup"], saying: "--yes")
            for _ in 1...2 { try await house.say("grant", player, "gems-500", "--reference", "cup", "--yes") }
            #expect(try await house.json(Wallet.self, "wallet", player).balances.map(\.amount) == [500])
            let order = try await house.store.orders.place(
                Wish(productId: ProductID("potion-healing"), unit: "gems"), player: house.player, payment: .wallet,
                expected: nil, idempotencyKey: "one"
            ).order
            let id = order.orderId.rawValue
            let wallet = try await house.json(Wallet.self, "wallet", player)
            #expect(wallet.balances.map(\.amount) == [410] && wallet.entitlements.map(\.remaining) == [3])
            #expect(
                try await house.say("orders", "ls", "--player", player).contains(/paid +90 gems +1 × potion-healing/))
            let shown = try await house.say("orders", "show", id)
            for part in ["90 gems", "spend", "granted", "+3", "wallet:\(player)"] {
                #expect(shown.contains(part), "\(part): \(shown)")
            }
            try await house.refuses(["refund", id, "--reason", "mistake"], saying: "90 gems", "--yes")
            #expect(try await house.say("refund", id, "--reason", "mistake", "--yes") == "order \(id) is refunded\n")
            let facts = try await house.json(Facts.self, "orders", "show", id)
            #expect(facts.order.state == .refunded && facts.quote.total == 90)
            #expect(facts.transfers.map(\.kind) == [.spend, .unspend])
            #expect(facts.entitlements.map(\.kind) == [.granted, .revoked])
            #expect(facts.changes.map(\.action) == ["order.refund"])
            #expect(try await house.json(Wallet.self, "wallet", player).balances.map(\.amount) == [500])
        }
    }

    @Test("an order in review is resolved by a person; a provider's refund is left to a running verifier")
    func review() async throws {
        try await withHouse { house in
            let order = try await house.store.orders.place(
                Wish(productId: ProductID("skin-moss-giant")), player: house.player,
                payment: .provider(nil, method: "pm_card_visa"), expected: nil, idempotencyKey: "one"
            ).order
            let id = order.orderId.rawValue
            try await house.refuses(
                ["refund", id, "--reason", "no", "--yes"], saying: "is pending", "muster store orders show")
            try await house.refuses(["orders", "resolve", id, "paid", "--reason", "no", "--yes"], saying: "is pending")
            try await house.refuses(["orders", "show", "nothing"], saying: "no order nothing", "orders ls")
            try await house.refuses(
                ["orders", "resolve", id, "refunded", "--reason", "no"], saying: "paid or declined")
            // As a charge of another amount leaves it.
            let review = """
                import sqlite3, sys
                with sqlite3.connect(sys.argv[1]) as db:
                    db.execute("UPDATE purchases SET state = 'review', provider_reference = 'pi_1' WHERE order_id = ?",
                        (sys.argv[2],))
                """
            _ = try await ForeignProgram.output(
                try ForeignProgram.python(), ["-c", review, house.folder.file("accounts.sqlite"), id])
            #expect(try await house.say("orders", "ls", "--state", "review").contains(id))
            try await house.refuses(["orders", "resolve", id, "paid", "--reason", "seen"], saying: "7.99 EUR", "--yes")
            try await house.refuses(["orders", "resolve", id, "paid", "--reason", "seen", "--yes"], saying: "charged")
            #expect(
                try await house.say(
                    "orders", "resolve", id, "paid", "--reason", "seen", "--charged", "7.99 EUR", "--yes")
                    == "order \(id) is paid\n")
            let refund = try await house.say("refund", id, "--reason", "mistake", "--yes")
            #expect(refund.contains("a running verifier has the provider make it"))
            let shown = try await house.say("orders", "show", id)
            #expect(shown.contains("refund asked for") && shown.contains("order.resolve") && shown.contains("cli:"))
            #expect(try await house.json(Facts.self, "orders", "show", id).order.state == .paid)
        }
    }

    @Test(
        "each command of the store explains itself with an example",
        arguments: [
            [], ["products"], ["products", "ls"], ["products", "show"], ["products", "set"], ["products", "rm"],
            ["promotions"], ["promotions", "ls"], ["promotions", "show"], ["promotions", "set"], ["promotions", "rm"],
            ["pictures"], ["pictures", "add"], ["draft"], ["publish"], ["versions"], ["versions", "ls"],
            ["versions", "show"], ["versions", "revert"], ["import"], ["export"], ["orders"], ["orders", "ls"],
            ["orders", "show"], ["orders", "resolve"], ["refund"], ["wallet"], ["grant"], ["log"], ["reconcile"],
        ])
    func help(words: [String]) async throws {
        let help = try await MusterUp.run(["store"] + words + ["--help"])
        #expect(help.status == 0 && help.output.contains("Example:"), "\(help.output)\(help.errors)")
    }
}
