import Foundation
import GameModel
import Records
import TestSupport
import Testing

@testable import Accounts

@Suite("Export, deletion, and what operators do")
struct PersonalDataTests {
    private func changes(_ house: AccountsHouse) async throws -> [ChangeLog.Change] {
        try await house.database.read { db in try ChangeLog.changes(limit: 100, in: db) }
    }

    @Test("an export holds everything about the person: account, sessions, devices and edits, and nobody else's")
    func export() async throws {
        try await withAccounts { house in
            let guest = try await house.service.logIn(
                device: deviceSecret(), displayName: "Ada",
                client: ClientDetails(address: "203.0.113.7", agent: "phone"))
            try await house.service.upgrade(
                guest.playerId, email: "ada@example.com", password: AccountsHouse.password, client: .unknown)
            _ = try await house.service.setRole(.developer, of: guest.playerId, by: "cli:root@desk")
            let eve = try await house.session("eve@example.com", name: "Eve")
            _ = try await house.service.setRole(.operator, of: eve.playerId, by: "cli:root@desk")

            let export = try await house.service.export(guest.playerId)
            #expect(export.account == (try await house.service.account(guest.playerId)))
            #expect(export.sessions.map(\.id) == [guest.sessionId] && export.sessions[0].agent == "phone")
            #expect(export.devices == [.init(createdAt: house.clock.now, lastUsedAt: house.clock.now)])
            #expect(export.changes.map(\.action) == ["account.role", "account.upgrade"])
            let text = String(decoding: try JSONEncoder().encode(export), as: UTF8.self)
            #expect(text.contains("ada@example.com") && !text.contains("scrypt") && !text.contains("eve@"))
            #expect(!text.contains(deviceSecret()))
        }
    }

    @Test("deletion takes address, name, password, devices, sessions and failures; the id stays, and no log-in works")
    func deletion() async throws {
        try await withAccounts { house in
            let guest = try await house.service.logIn(device: deviceSecret(), displayName: "Ada", client: .unknown)
            try await house.service.upgrade(
                guest.playerId, email: "ada@example.com", password: AccountsHouse.password, client: .unknown)
            _ = await house.outcome("ada@example.com", "wrong horse")
            await #expect(throws: AccountsError.self) { try await house.service.delete(guest.playerId, password: nil) }
            await #expect(throws: AccountsError.wrongCredentials) {
                try await house.service.delete(guest.playerId, password: "wrong horse")
            }
            try await house.service.delete(guest.playerId, password: AccountsHouse.password)

            #expect(await house.outcome("ada@example.com") == .wrongCredentials)
            await #expect(throws: AccountsError.invalidRefreshToken) {
                try await house.service.refresh(guest.refreshToken, client: .unknown)
            }
            await #expect(throws: AccountsError.unknownAccount) { try await house.service.export(guest.playerId) }
            await #expect(throws: AccountsError.unknownAccount) {
                try await house.service.upgrade(
                    guest.playerId, email: "a@example.com", password: AccountsHouse.password, client: .unknown)
            }
            await #expect(throws: AccountsError.unknownAccount) {
                try await house.service.delete(guest.playerId, password: AccountsHouse.password)
            }
            let left = try await house.service.account(guest.playerId)
            #expect(try await house.service.accounts(matching: guest.playerId.rawValue, limit: 1) == [left])
            #expect(left.email == nil && left.displayName == Account.deletedName && left.deletedAt == house.clock.now)
            let names = try await house.repository.displayNames(of: [guest.playerId])
            #expect(names == [guest.playerId: Account.deletedName])
            // The device is a stranger again, and the address is free.
            let again = try await house.service.logIn(device: deviceSecret(), displayName: "Bea", client: .unknown)
            #expect(again.playerId != guest.playerId)
            _ = try await house.session()
        }
    }

    @Test("nothing that names the person is left in any table after deletion")
    func nothingLeft() async throws {
        try await withAccounts { house in
            let ada = try await house.session(client: ClientDetails(address: "203.0.113.7", agent: "phone"))
            _ = try await house.service.setRole(.developer, of: ada.playerId, by: "cli:root@desk")
            try await house.service.delete(ada.playerId, password: AccountsHouse.password)
            let dump = try await house.database.read { db in
                try ["accounts", "devices", "sessions", "refresh_tokens", "changes"].map { table in
                    try AccountsHouse.dump(table, in: db)
                }.joined(separator: "\n")
            }
            #expect(dump.contains(ada.playerId.rawValue))
            for personal in ["ada@", "Ada", "scrypt", "203.0.113.7", "phone"] {
                #expect(!dump.contains(personal), "\(personal)")
            }
        }
    }

    @Test("a guest deletes without a password, for there is none")
    func guestDeletion() async throws {
        try await withAccounts { house in
            let guest = try await house.service.logIn(device: deviceSecret(), displayName: "Ada", client: .unknown)
            try await house.service.delete(guest.playerId, password: nil)
            let left = try await house.service.account(guest.playerId)
            #expect(left.deletedAt != nil && !left.isGuest)
        }
    }

    @Test("a lock ends every session and refuses each way in, until it is taken off")
    func lock() async throws {
        try await withAccounts { house in
            let guest = try await house.service.logIn(device: deviceSecret(), displayName: "Ada", client: .unknown)
            try await house.service.upgrade(
                guest.playerId, email: "ada@example.com", password: AccountsHouse.password, client: .unknown)
            let locked = try await house.service.lock(guest.playerId, reason: "chargebacks", by: "cli:root@desk")
            #expect(locked.lockedReason == "chargebacks")
            await #expect(throws: AccountsError.invalidRefreshToken) {
                try await house.service.refresh(guest.refreshToken, client: .unknown)
            }
            let refusal = AccountsError.locked(reason: "chargebacks")
            await #expect(throws: refusal) {
                try await house.service.logIn(device: deviceSecret(), displayName: "Ada", client: .unknown)
            }
            #expect(await house.outcome("ada@example.com") == refusal)
            #expect(await house.outcome("ada@example.com", "wrong horse") == .wrongCredentials)
            #expect(try await house.service.unlock(guest.playerId, by: "cli:root@desk").lockedReason == nil)
            #expect(await house.outcome("ada@example.com") == nil)
        }
    }

    @Test("a role is for the next tokens, never one of services, and each edit is in the log once with who made it")
    func roles() async throws {
        try await withAccounts { house in
            let ada = try await house.session()
            let account = try await house.service.setRole(.operator, of: ada.playerId, by: "cli:root@desk")
            #expect(account.role == .operator)
            _ = try await house.service.setRole(.operator, of: ada.playerId, by: "cli:root@desk")
            let next = try await house.service.refresh(ada.refreshToken, client: .unknown)
            #expect(try await house.tokens.verify(next.accessToken).role == .operator)
            #expect(try await house.tokens.verify(ada.accessToken).role == .player)
            for role in [Role.instance, .worker] {
                await #expect(throws: AccountsError.self) {
                    try await house.service.setRole(role, of: ada.playerId, by: "test")
                }
            }
            await #expect(throws: AccountsError.unknownAccount) {
                try await house.service.setRole(.player, of: PlayerID("nobody"), by: "test")
            }
            _ = try await house.service.lock(ada.playerId, reason: "leaked", by: "cli:root@desk")
            _ = try await house.service.unlock(ada.playerId, by: "cli:root@desk")
            try await house.service.delete(ada.playerId, by: "cli:root@desk")
            let log = try await changes(house)
            let subject = "account \(ada.playerId)"
            #expect(log.allSatisfy { $0.subject == subject && $0.by == "cli:root@desk" })
            #expect(
                log.map { [$0.action, $0.before ?? "", $0.after ?? ""] } == [
                    ["account.delete", "", ""], ["account.unlock", "leaked", ""], ["account.lock", "", "leaked"],
                    ["account.role", "player", "operator"],
                ])
        }
    }

    @Test("sessions that staff end are written down with who did it; those that the player ends are not")
    func endedByStaff() async throws {
        try await withAccounts { house in
            var sessions = [try await house.session()]
            for _ in 0..<4 {
                sessions.append(
                    try await house.service.logIn(
                        email: "ada@example.com", password: AccountsHouse.password, client: .unknown))
            }
            let player = sessions[0].playerId
            try await house.service.end(sessions[0].sessionId, of: player)
            try await house.service.end(sessions[1].sessionId, of: player, by: "cli:root@desk")
            try await house.service.end(sessions[1].sessionId, of: player, by: "cli:root@desk")
            #expect(try await house.service.endAll(of: player, by: "cli:root@desk") == 3)
            #expect(try await house.service.endAll(of: player, by: "cli:root@desk") == 0)
            let log = try await changes(house)
            #expect(
                log.map { [$0.action, $0.before ?? "", $0.by] } == [
                    ["account.end-sessions", "3 sessions", "cli:root@desk"],
                    ["account.end-session", "session \(sessions[1].sessionId)", "cli:root@desk"],
                ])
        }
    }

    @Test("accounts are found by id, address and name, newest first, and what is typed is no pattern")
    func search() async throws {
        try await withAccounts { house in
            let ada = try await house.session()
            house.clock.advance(.seconds(1))
            let eve = try await house.session("eve_100%@example.com", name: "Evelyn")
            func found(_ text: String) async throws -> [PlayerID] {
                try await house.service.accounts(matching: text, limit: 10).map(\.playerId)
            }
            #expect(try await found("") == [eve.playerId, ada.playerId])
            #expect(try await found("ADA@") == [ada.playerId])
            // No id has an L.
            #expect(try await found("Evelyn") == [eve.playerId])
            #expect(try await found(ada.playerId.rawValue) == [ada.playerId])
            #expect(try await found("100%") == [eve.playerId])
            #expect(try await found("a_a") == [])
            #expect(try await house.service.accounts(matching: "", limit: 1).count == 1)
            for name in [ada.playerId.rawValue, "Ada@Example.com"] {
                #expect(try await house.service.account(named: name).playerId == ada.playerId)
            }
            await #expect(throws: AccountsError.unknownAccount) {
                try await house.service.account(named: "da@example.com")
            }
        }
    }
}
