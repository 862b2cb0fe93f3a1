import GameModel
import TestSupport
import Testing

@testable import Accounts

@Suite("Guests")
struct GuestTests {
    @Test("a device's first log-in makes a guest, and later ones are the same player's, whatever name they give")
    func firstUse() async throws {
        try await withAccounts { house in
            let first = try await house.service.logIn(device: deviceSecret(), displayName: "Ada", client: .unknown)
            let second = try await house.service.logIn(device: deviceSecret(), displayName: "Eve", client: .unknown)
            #expect(first.playerId == second.playerId && first.sessionId != second.sessionId)
            let account = try await house.service.account(first.playerId)
            #expect(account.isGuest && account.email == nil && account.displayName == "Ada" && account.role == .player)
            #expect(try await house.tokens.verify(second.accessToken).playerId == first.playerId)
            #expect(try await house.count("SELECT COUNT(*) FROM devices WHERE device_hash = '\(deviceSecret())'") == 0)
        }
    }

    @Test("of one device that logs in many times at once, one guest comes")
    func concurrentFirstUse() async throws {
        try await withAccounts { house in
            let service = house.service
            let players = try await withThrowingTaskGroup(of: PlayerID.self) { group in
                for _ in 0..<8 {
                    group.addTask {
                        try await service.logIn(device: deviceSecret(), displayName: "Ada", client: .unknown).playerId
                    }
                }
                return try await group.reduce(into: Set()) { $0.insert($1) }
            }
            #expect(players.count == 1)
            #expect(try await house.count("SELECT COUNT(*) FROM accounts") == 1)
        }
    }

    @Test("a guest who adds e-mail and password stays the same player, by either log-in")
    func upgrade() async throws {
        try await withAccounts { house in
            let guest = try await house.service.logIn(device: deviceSecret(), displayName: "Ada", client: .unknown)
            try await house.service.upgrade(
                guest.playerId, email: "Ada@example.com", password: AccountsHouse.password, client: .unknown)
            #expect(try await house.service.account(guest.playerId).isGuest == false)
            let byPassword = try await house.service.logIn(
                email: "ada@example.com", password: AccountsHouse.password, client: .unknown)
            let byDevice = try await house.service.logIn(device: deviceSecret(), displayName: "x", client: .unknown)
            #expect(byPassword.playerId == guest.playerId && byDevice.playerId == guest.playerId)
            await #expect(throws: AccountsError.notGuest) {
                try await house.service.upgrade(
                    guest.playerId, email: "new@example.com", password: "another horse", client: .unknown)
            }
            #expect(await house.outcome("new@example.com", "another horse") == .wrongCredentials)
        }
    }

    @Test("logging out everywhere ends a stolen device secret too, where there is a password to come back by")
    func stolenDevice() async throws {
        try await withAccounts { house in
            func logIn() async throws -> PlayerID {
                try await house.service.logIn(device: deviceSecret(), displayName: "Ada", client: .unknown).playerId
            }
            let guest = try await logIn()
            try await house.service.endAll(of: guest)
            #expect(try await logIn() == guest, "a guest's only way in stays")
            try await house.service.upgrade(
                guest, email: "ada@example.com", password: AccountsHouse.password, client: .unknown)
            try await house.service.endAll(of: guest)
            #expect(try await logIn() != guest)
            #expect(await house.outcome("ada@example.com") == nil)
        }
    }

    @Test("a guest who asks for a taken address gets the answer of a free one, and neither account changes")
    func takenAddress() async throws {
        try await withAccounts { house in
            let ada = try await house.session()
            let guest = try await house.service.logIn(device: deviceSecret(), displayName: "Eve", client: .unknown)
            let work = try await house.derivations {
                try await house.service.upgrade(
                    guest.playerId, email: "ada@example.com", password: "another horse", client: .unknown)
            }
            #expect(work == 1)
            #expect(try await house.service.account(guest.playerId).isGuest)
            #expect(await house.outcome("ada@example.com", "another horse") == .wrongCredentials)
            #expect(
                try await house.service.logIn(
                    email: "ada@example.com", password: AccountsHouse.password, client: .unknown
                ).playerId == ada.playerId)
        }
    }

    @Test("a second device is a second player: nothing links it to an account that is there")
    func secondDevice() async throws {
        try await withAccounts { house in
            let first = try await house.service.logIn(device: deviceSecret(1), displayName: "Ada", client: .unknown)
            let second = try await house.service.logIn(device: deviceSecret(2), displayName: "Ada", client: .unknown)
            #expect(first.playerId != second.playerId)
            #expect(
                try await house.count("SELECT MAX(n) FROM (SELECT COUNT(*) n FROM devices GROUP BY player_id)") == 1)
        }
    }

    @Test(
        "a device's secret of 128 bits and more is taken",
        arguments: [
            "9f86d081-884c-4d65-9a2f-eaa0c55ad015", "9f86d081884c7d659a2feaa0c55ad015", "n4bQgYhMfWWaL-qgxVrQFQ",
            "n4bQgYhMfWWaL_qgxVrQFaO_TxsrC0Is0V1sFbDwCgg",
        ])
    func goodDevice(text: String) throws {
        #expect(try AccountRules.device(text) == text)
        #expect(
            try AccountRules.device("9F86D081-884C-4D65-9A2F-EAA0C55AD015") == "9f86d081-884c-4d65-9a2f-eaa0c55ad015")
    }

    @Test(
        "a device's secret that is short, or plainly not random, is refused with what would be right",
        arguments: [
            "", "iPhone", "9f86d081884c7d659a2feaa0c55a", "n4bQgYhMfWWaL-qgxVrQ", "n4bQgYhMfWWaL+qgxVrQFQ",
            String(repeating: "0", count: 32), "00000000-0000-0000-0000-000000000000",
            String(repeating: "aB3-x", count: 30),
        ])
    func badDevice(text: String) {
        let error = #expect(throws: AccountsError.self) { try AccountRules.device(text) }
        guard case .invalidField("device", _) = error else {
            Issue.record("unexpected \(String(describing: error))")
            return
        }
    }
}
