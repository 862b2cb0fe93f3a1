import GameModel
import TestSupport
import Testing

@testable import Accounts

@Suite("Sessions")
struct SessionTests {
    private let phone = ClientDetails(address: "203.0.113.7", agent: "phone")
    private let desk = ClientDetails(address: "2001:db8::7", agent: "desk")

    @Test("a refresh token works once and is followed by another, in one session that its access tokens name")
    func rotation() async throws {
        try await withAccounts { house in
            var session = try await house.session()
            let (player, id) = (session.playerId, session.sessionId)
            for _ in 0..<5 {
                let next = try await house.service.refresh(session.refreshToken, client: .unknown)
                #expect(next.playerId == player && next.refreshToken != session.refreshToken && next.sessionId == id)
                let identity = try await house.tokens.verify(next.accessToken)
                #expect(identity == Identity(subject: player.rawValue, role: .player, sessionId: id))
                session = next
            }
        }
    }

    @Test("a used refresh token that comes back ends its whole session, and no other", arguments: [1, 2, 7])
    func reuse(refreshes: Int) async throws {
        try await withAccounts { house in
            let stolen = try await house.session()
            let other = try await house.service.logIn(
                email: "ada@example.com", password: "correct horse", client: .unknown)
            var current = stolen
            for _ in 0..<refreshes {
                current = try await house.service.refresh(current.refreshToken, client: .unknown)
            }
            await #expect(throws: AccountsError.refreshTokenReused) {
                try await house.service.refresh(stolen.refreshToken, client: .unknown)
            }
            await #expect(throws: AccountsError.invalidRefreshToken) {
                try await house.service.refresh(current.refreshToken, client: .unknown)
            }
            _ = try await house.service.refresh(other.refreshToken, client: .unknown)
            #expect(try await house.service.sessions(of: stolen.playerId).map(\.id) == [other.sessionId])
        }
    }

    @Test("of many who use one refresh token at once, one at most gets a session")
    func concurrentRefresh() async throws {
        try await withAccounts { house in
            let session = try await house.session()
            let service = house.service
            let wins = await withTaskGroup(of: Bool.self) { group in
                for _ in 0..<8 {
                    group.addTask {
                        do {
                            _ = try await service.refresh(session.refreshToken, client: .unknown)
                            return true
                        } catch {
                            return false
                        }
                    }
                }
                return await group.reduce(into: 0) { $0 += $1 ? 1 : 0 }
            }
            #expect(wins == 1)
        }
    }

    @Test("a refresh token is refused after 30 days, and so is one that never was")
    func refreshExpiry() async throws {
        try await withAccounts { house in
            let session = try await house.session()
            house.clock.advance(.seconds(30 * 24 * 3600))
            for token in [session.refreshToken, "nonsense", ""] {
                await #expect(throws: AccountsError.invalidRefreshToken) {
                    try await house.service.refresh(token, client: .unknown)
                }
            }
            #expect(try await house.service.sessions(of: session.playerId).isEmpty)
        }
    }

    @Test("a list of sessions says where each was last used from, and when it ends")
    func list() async throws {
        try await withAccounts { house in
            let first = try await house.session(client: phone)
            let opened = house.clock.now
            house.clock.advance(.seconds(60))
            let second = try await house.service.logIn(
                email: "ada@example.com", password: AccountsHouse.password, client: phone)
            house.clock.advance(.seconds(60))
            _ = try await house.service.refresh(first.refreshToken, client: desk)
            let list = try await house.service.sessions(of: first.playerId)
            #expect(
                list == [
                    OpenSession(
                        id: first.sessionId, createdAt: opened, lastUsedAt: house.clock.now,
                        expiresAt: house.clock.now + AccountService.refreshLifetime, address: "2001:db8::7",
                        agent: "desk"),
                    OpenSession(
                        id: second.sessionId, createdAt: opened + .seconds(60), lastUsedAt: opened + .seconds(60),
                        expiresAt: opened + .seconds(60) + AccountService.refreshLifetime, address: "203.0.113.7",
                        agent: "phone"),
                ])
        }
    }

    @Test("logging out ends this session, one of the list, or all of them; never another player's")
    func logOut() async throws {
        try await withAccounts { house in
            let eve = try await house.session("eve@example.com", name: "Eve")
            var ada = [try await house.session()]
            for _ in 0..<3 {
                ada.append(
                    try await house.service.logIn(
                        email: "ada@example.com", password: AccountsHouse.password, client: .unknown))
            }
            let player = ada[0].playerId
            // By strangers: nothing happens.
            try await house.service.logOut(ada[0].refreshToken, player: eve.playerId)
            try await house.service.end(ada[1].sessionId, of: eve.playerId)
            #expect(try await house.service.sessions(of: player).count == 4)

            try await house.service.logOut(ada[0].refreshToken, player: player)
            try await house.service.end(ada[1].sessionId, of: player)
            #expect(
                Set(try await house.service.sessions(of: player).map(\.id)) == [ada[2].sessionId, ada[3].sessionId])
            #expect(try await house.service.endAll(of: player) == 2)
            for session in ada {
                await #expect(throws: AccountsError.invalidRefreshToken) {
                    try await house.service.refresh(session.refreshToken, client: .unknown)
                }
            }
            _ = try await house.service.refresh(eve.refreshToken, client: .unknown)
        }
    }

    @Test("a change of password takes the old one, ends the other sessions, and leaves the one that asks")
    func passwordChange() async throws {
        try await withAccounts { house in
            let (ada, thief) = (
                try await house.session(),
                try await house.service.logIn(
                    email: "ada@example.com", password: AccountsHouse.password, client: .unknown)
            )
            func change(from old: String) async throws {
                try await house.service.changePassword(
                    of: ada.playerId, from: old, to: "another horse", keeping: ada.sessionId, client: .unknown)
            }
            await #expect(throws: AccountsError.wrongCredentials) { try await change(from: "wrong horse") }
            try await change(from: AccountsHouse.password)
            #expect(try await house.service.sessions(of: ada.playerId).map(\.id) == [ada.sessionId])
            await #expect(throws: AccountsError.invalidRefreshToken) {
                try await house.service.refresh(thief.refreshToken, client: .unknown)
            }
            #expect(await house.outcome("ada@example.com") == .wrongCredentials)
            #expect(await house.outcome("ada@example.com", "another horse") == nil)
        }
    }

    @Test("a session may be opened for less than 30 days, and an agent is kept up to 200 bytes")
    func shorter() async throws {
        try await withAccounts { house in
            _ = try await house.session()
            let agent = String(repeating: "a", count: 199) + "é"
            let session = try await house.service.logIn(
                email: "ada@example.com", password: AccountsHouse.password,
                client: ClientDetails(address: "203.0.113.7", agent: agent), lifetime: .seconds(3600))
            let open = try await house.service.sessions(of: session.playerId).first { $0.id == session.sessionId }
            #expect(open?.expiresAt == house.clock.now + .seconds(3600))
            #expect(open?.agent == String(repeating: "a", count: 199))
        }
    }

    @Test("a player has no more open sessions than allowed: the one unused for longest goes")
    func sessionsMax() async throws {
        var limits = AccountLimits()
        limits.sessions = 3
        try await withAccounts(limits: limits) { house in
            var opened = [try await house.session()]
            for _ in 0..<2 {
                house.clock.advance(.seconds(1))
                opened.append(
                    try await house.service.logIn(
                        email: "ada@example.com", password: AccountsHouse.password, client: .unknown))
            }
            house.clock.advance(.seconds(1))
            _ = try await house.service.refresh(opened[0].refreshToken, client: .unknown)
            let fourth = try await house.service.logIn(
                email: "ada@example.com", password: AccountsHouse.password, client: .unknown)
            let open = try await house.service.sessions(of: fourth.playerId).map(\.id)
            #expect(Set(open) == [opened[0].sessionId, opened[2].sessionId, fourth.sessionId])
        }
    }

    @Test("used tokens and expired sessions don't pile up")
    func bounded() async throws {
        try await withAccounts { house in
            var session = try await house.session()
            for _ in 0..<AccountsRepository.usedTokensMax + 20 {
                session = try await house.service.refresh(session.refreshToken, client: .unknown)
            }
            let tokens = try await house.count("SELECT COUNT(*) FROM refresh_tokens")
            #expect(tokens == AccountsRepository.usedTokensMax + 1)
            house.clock.advance(AccountService.refreshLifetime + .seconds(1))
            _ = try await house.session("eve@example.com", name: "Eve")
            #expect(try await house.count("SELECT COUNT(*) FROM sessions") == 1)
            #expect(try await house.count("SELECT COUNT(*) FROM refresh_tokens") == 1)
        }
    }
}
