import GameModel
import TestSupport
import Testing

@testable import Accounts

@Suite("Registering and logging in")
struct AccountServiceTests {
    @Test("who registers can log in, and the access token is theirs")
    func registerAndLogIn() async throws {
        try await withAccounts { house in
            try await house.service.register(
                email: " Ada@Example.com", password: "correct horse", displayName: "Ada", client: .unknown)
            let session = try await house.service.logIn(
                email: "ADA@example.com ", password: "correct horse", client: .unknown)
            let account = try await house.service.account(session.playerId)
            #expect(account.email == "ada@example.com" && account.displayName == "Ada" && !account.isGuest)
            #expect(session.expiresIn == .seconds(900))
            #expect(try await house.tokens.verify(session.accessToken).playerId == account.playerId)
            #expect(
                try await house.repository.displayNames(of: [account.playerId, PlayerID("x")])
                    == [account.playerId: "Ada"])
        }
    }

    @Test("one mailbox is one account, also where several register it at once: the first one's password counts")
    func duplicate() async throws {
        try await withAccounts { house in
            let service = house.service
            try await withThrowingTaskGroup { group in
                for index in 0..<8 {
                    group.addTask {
                        try await service.register(
                            email: "ada@example.com", password: "password \(index)", displayName: "Ada \(index)",
                            client: .unknown)
                    }
                }
                try await group.waitForAll()
            }
            #expect(try await house.count("SELECT COUNT(*) FROM accounts") == 1)
            var right: [Int] = []
            for index in 0..<8 {
                house.clock.advance(.seconds(3600))
                if await house.outcome("ada@example.com", "password \(index)") == nil { right.append(index) }
            }
            #expect(right.count == 1)
        }
    }

    @Test("registering a taken address answers as ever, and changes neither password nor name")
    func takenAddress() async throws {
        try await withAccounts { house in
            let session = try await house.session()
            try await house.service.register(
                email: "ADA@example.com", password: "another horse", displayName: "Eve", client: .unknown)
            #expect(await house.outcome("ada@example.com", "another horse") == .wrongCredentials)
            #expect(await house.outcome("ada@example.com") == nil)
            #expect(try await house.service.account(session.playerId).displayName == "Ada")
        }
    }

    @Test("nothing that is answered, nor how often a password is hashed, tells whether an address has an account")
    func enumeration() async throws {
        try await withAccounts { house in
            let ada = try await house.session()
            let gone = try await house.session("gone@example.com", name: "Gone")
            try await house.service.delete(gone.playerId, password: AccountsHouse.password)
            let locked = try await house.session("locked@example.com", name: "Locked")
            _ = try await house.service.lock(locked.playerId, reason: "cheating", by: "test")

            for email in ["ada@example.com", "nobody@example.com", "gone@example.com", "locked@example.com"] {
                let logIn = await house.derivations {
                    #expect(await house.outcome(email, "wrong horse") == .wrongCredentials, "\(email)")
                }
                #expect(logIn == 1, "\(email)")
                let registration = try await house.derivations {
                    try await house.service.register(
                        email: email, password: "wrong horse", displayName: "Eve", client: .unknown)
                }
                #expect(registration == 1, "\(email)")
            }
            #expect(await house.outcome("locked@example.com") == .locked(reason: "cheating"))
            _ = try await house.service.refresh(ada.refreshToken, client: .unknown)
        }
    }

    @Test("a log-in with a hash of other parameters stores one of those in force, once, and the password stays")
    func hashUpgrade() async throws {
        try await withAccounts(parameters: ScryptParameters(logN: 5, r: 1, p: 2)) { house in
            let ada = try await house.session()
            func stored() async throws -> String? {
                try await house.repository.credentials(of: ada.playerId)?.passwordHash
            }
            let old = try PasswordHash(
                password: Array(AccountsHouse.password.utf8), parameters: ScryptParameters(logN: 2, r: 1, p: 1))
            let current = try #require(try await stored())
            try await house.repository.replaceHash(current, by: old.description, of: ada.playerId)

            let guessing = await house.derivations {
                #expect(await house.outcome("ada@example.com", "wrong horse") == .wrongCredentials)
            }
            #expect(guessing == 2, "a cheap hash is no quicker answer")
            #expect(try await stored() == old.description)
            let upgrading = await house.derivations { #expect(await house.outcome("ada@example.com") == nil) }
            #expect(upgrading == 2)
            let new = try #require(try await stored())
            #expect(new.hasPrefix("$scrypt$ln=5,r=1,p=2$"))
            let after = await house.derivations { #expect(await house.outcome("ada@example.com") == nil) }
            #expect(after == 1)
            #expect(try await stored() == new)
        }
    }

    @Test("the hasher's bound holds for upgrades too: a log-in that finds no room for its new hash stands")
    func boundedUpgrade() async throws {
        try await withAccounts(parameters: ScryptParameters(logN: 12, r: 8, p: 1)) { house in
            let ada = try await house.session()
            let old = try PasswordHash(
                password: Array(AccountsHouse.password.utf8), parameters: ScryptParameters(logN: 2, r: 1, p: 1))
            let current = try #require(try await house.repository.credentials(of: ada.playerId)?.passwordHash)
            try await house.repository.replaceHash(current, by: old.description, of: ada.playerId)
            let crowd = await withTaskGroup(of: AccountsError?.self) { group in
                for _ in 0..<200 { group.addTask { await house.outcome("ada@example.com") } }
                return await group.reduce(into: []) { $0.append($1) }
            }
            #expect(crowd.allSatisfy { $0 == nil || $0 == .overloaded })
            #expect(crowd.contains { $0 == nil })
        }
    }
}
