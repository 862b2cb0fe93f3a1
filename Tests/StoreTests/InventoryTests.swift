import GameModel
import Records
import Testing

@testable import Store

@Suite("Inventory and wallet")
struct InventoryTests {
    @Test("pieces are used up from the oldest grant on, once per reference, or not at all")
    func consume() async throws {
        try await StoreDesk.open { desk in
            let inventory = desk.store.inventory
            let first = try await desk.buy(StoreDesk.potion)
            desk.clock.advance(by: .seconds(1))
            let second = try await desk.buy(StoreDesk.potion, quantity: 2)
            #expect(try await desk.owned() == [StoreDesk.potion: 9])
            func use(_ quantity: Int, _ reference: String) async throws -> Int {
                try await inventory.consume(
                    StoreDesk.potion, quantity: quantity, of: StoreDesk.player, reference: reference)
            }
            #expect(try await use(4, "round 1") == 5)
            #expect(try await use(4, "round 1") == 5)
            let left = try await inventory.entitlements(of: StoreDesk.player)
            #expect(left.map(\.orderId) == [second.orderId] && left.map(\.remaining) == [5])
            await #expect(throws: StoreError.insufficientItems(StoreDesk.potion, held: 5)) {
                try await use(6, "round 2")
            }
            await #expect(throws: StoreError.self) { try await use(3, "round 1") }
            #expect(try await use(5, "round 2") == 0)
            // Known again even when nothing is left.
            #expect(try await use(5, "round 2") == 0)
            #expect(try await inventory.entitlements(of: StoreDesk.player).isEmpty)
            let history = try await inventory.history(of: StoreDesk.player, limit: 10)
            #expect(history.map(\.change) == [-5, -1, -3, 6, 3])
            #expect(
                history.map(\.reference) == [
                    "round 2", "round 1", "round 1", second.orderId.rawValue, first.orderId.rawValue,
                ])
            #expect(try await desk.broken().isEmpty)
        }
    }

    @Test("a skin can't be used up, nor what is not owned, nor less than one piece")
    func refused() async throws {
        try await StoreDesk.open { desk in
            let inventory = desk.store.inventory
            _ = try await desk.buy(StoreDesk.knight)
            for product in [StoreDesk.knight, StoreDesk.potion] {
                await #expect(throws: StoreError.insufficientItems(product, held: 0)) {
                    try await inventory.consume(product, quantity: 1, of: StoreDesk.player, reference: "r")
                }
            }
            for (quantity, reference) in [(0, "r"), (1_001, "r"), (1, ""), (1, "a\nb")] {
                let error = await #expect(throws: StoreError.self) {
                    try await inventory.consume(
                        StoreDesk.potion, quantity: quantity, of: StoreDesk.player, reference: reference)
                }
                guard case .invalidField = error else {
                    Issue.record("unexpected \(String(describing: error))")
                    continue
                }
            }
        }
    }

    @Test("of many uses at once none takes a piece twice")
    func contended() async throws {
        try await StoreDesk.open { desk in
            _ = try await desk.buy(StoreDesk.potion, quantity: 3)
            let used = await withTaskGroup(of: Bool.self) { group in
                for index in 0..<24 {
                    group.addTask {
                        do {
                            // Each reference twice: the second use of it takes nothing.
                            _ = try await desk.store.inventory.consume(
                                StoreDesk.potion, quantity: 1, of: StoreDesk.player, reference: "round \(index / 2)")
                            return true
                        } catch {
                            return false
                        }
                    }
                }
                return await group.reduce(0) { $0 + ($1 ? 1 : 0) }
            }
            #expect(used == 18)
            #expect(try await desk.owned().isEmpty)
            #expect(try await desk.broken().isEmpty)
        }
    }

    @Test("a grant gives each part of a product once per reference, and is in the change log")
    func grant() async throws {
        try await StoreDesk.open { desk in
            let inventory = desk.store.inventory
            for _ in 0..<2 {
                try await inventory.grant(
                    StoreDesk.bundle, quantity: 1, to: StoreDesk.player, reference: "sorry", by: "01OPERATOR")
            }
            #expect(try await desk.owned() == [StoreDesk.knight: 1, StoreDesk.potion: 6])
            #expect(try await desk.gems() == 1_000)
            let owned = try await inventory.entitlements(of: StoreDesk.player)
            #expect(Set(owned.map(\.source)) == [.grant] && owned.allSatisfy { $0.orderId == nil })
            let changes = try await desk.database.read {
                try ChangeLog.changes(subject: "player \(StoreDesk.player)", limit: 5, in: $0)
            }
            #expect(changes.map(\.action) == ["inventory.grant"] && changes.first?.after == "1 × bundle: sorry")

            // Another reference is another grant; a skin is not owned twice, and then nothing of a bundle is given.
            try await inventory.grant(
                StoreDesk.gems, quantity: 2, to: StoreDesk.player, reference: "sorry.x", by: "01OPERATOR")
            #expect(try await desk.gems() == 2_000)
            let error = await #expect(throws: StoreError.self) {
                try await inventory.grant(
                    StoreDesk.bundle, quantity: 1, to: StoreDesk.player, reference: "more", by: "01OPERATOR")
            }
            guard case .alreadyOwned(StoreDesk.knight, _) = error else {
                Issue.record("unexpected \(String(describing: error))")
                return
            }
            #expect(try await desk.gems() == 2_000)
            await #expect(throws: StoreError.unknownProduct(ProductID("nope"))) {
                try await inventory.grant(
                    ProductID("nope"), quantity: 1, to: StoreDesk.player, reference: "r", by: "01OPERATOR")
            }
            #expect(try await desk.broken().isEmpty)
        }
    }

    @Test("a server is told the skins of all its players at once, and nothing else of theirs")
    func skins() async throws {
        try await StoreDesk.open { desk in
            let lost = PlayerID("01LOST")
            _ = try await desk.buy(StoreDesk.bundle)
            desk.clock.advance(by: .seconds(1))
            _ = try await desk.buy(StoreDesk.giant)
            _ = try await desk.buy(StoreDesk.giant, by: StoreDesk.player, for: StoreDesk.friend)
            try await desk.giveBack(try await desk.buy(StoreDesk.giant, by: lost))
            let skins = try await desk.store.inventory.skins(of: [StoreDesk.player, StoreDesk.friend, lost])
            #expect(
                skins == [
                    StoreDesk.player: [StoreDesk.knight, StoreDesk.giant], StoreDesk.friend: [StoreDesk.giant],
                    lost: [],
                ])
            #expect(try await desk.store.inventory.skins(of: []).isEmpty)
        }
    }

    @Test("a wallet's transfers are listed newest first, both ways")
    func transfers() async throws {
        try await StoreDesk.open { desk in
            _ = try await desk.buy(StoreDesk.gems)
            desk.clock.advance(by: .seconds(1))
            _ = try await desk.place(StoreDesk.knight, payment: .wallet)
            let transfers = try await desk.store.inventory.transfers(of: StoreDesk.player, limit: 10)
            #expect(transfers.map(\.kind) == [.spend, .credit] && transfers.map(\.amount) == [400, 500])
            let newest = try await desk.store.inventory.transfers(of: StoreDesk.player, limit: 1)
            #expect(newest.map(\.kind) == [.spend])
            #expect(try await desk.store.inventory.wallet(of: StoreDesk.friend).isEmpty)
            await #expect(throws: StoreError.self) {
                try await desk.store.inventory.transfers(of: StoreDesk.player, limit: 501)
            }
        }
    }

    @Test("a pack goes into the wallet of the player it is a gift for")
    func giftedPack() async throws {
        try await StoreDesk.open { desk in
            let order = try await desk.buy(StoreDesk.gems, quantity: 2, for: StoreDesk.friend)
            #expect(try await desk.gems(StoreDesk.friend) == 1_000)
            #expect(try await desk.gems() == 0)
            try await desk.giveBack(order)
            #expect(try await desk.gems(StoreDesk.friend) == 0)
            #expect(try await desk.broken().isEmpty)
        }
    }
}
