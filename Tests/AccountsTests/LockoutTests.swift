import GameModel
import TestSupport
import Testing

@testable import Accounts

@Suite("Lockout")
struct LockoutTests {
    private let somewhere = ClientDetails(address: "203.0.113.7")

    private func wait(_ error: AccountsError?) -> Duration? {
        guard case .tooManyAttempts(let wait) = error else { return nil }
        return wait
    }

    @Test("from the fifth failure on, each one locks for twice as long, up to 15 minutes")
    func backoff() {
        let backoff = AccountLimits().account
        var now = Instant(milliseconds: 1_900_000_000_000)
        var counter = AttemptCounter(countedAt: now)
        var locks: [Duration?] = []
        for _ in 0..<18 {
            counter.fail(at: now, backoff)
            let lock = counter.wait(at: now)
            locks.append(lock)
            now = now + (lock ?? .zero)
            #expect(counter.wait(at: now) == nil)
        }
        let expected: [Duration?] =
            [nil, nil, nil, nil] + [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 900, 900, 900, 900].map { .seconds($0) }
        #expect(locks == expected)
    }

    @Test("time forgives one failure after the other, and no clock that steps back adds any")
    func forgiving() {
        let backoff = AccountLimits.Backoff(
            failures: 3, first: .seconds(1), longest: .seconds(60), forgivesOneIn: .seconds(100))
        let start = Instant(milliseconds: 1_900_000_000_000)
        var counter = AttemptCounter(countedAt: start)
        for _ in 0..<3 { counter.fail(at: start, backoff) }
        #expect(counter.count == 3)
        #expect(counter.expiresAt(backoff) == start + .seconds(300))
        counter.fail(at: start + .seconds(250), backoff)
        #expect(counter.count == 2)
        #expect(counter.expiresAt(backoff) == start + .seconds(400))
        counter.fail(at: start - .seconds(10_000), backoff)
        #expect(counter.count == 3)
    }

    @Test("five wrong passwords lock an address, whether it has an account or not, and then nobody hashes for it")
    func account() async throws {
        try await withAccounts { house in
            _ = try await house.session()
            for email in ["ada@example.com", "nobody@example.com"] {
                for _ in 0..<5 { #expect(await house.outcome(email, "wrong horse") == .wrongCredentials) }
                let work = await house.derivations {
                    #expect(wait(await house.outcome(email)) == .seconds(1), "the right password waits too")
                }
                #expect(work == 0)
                house.clock.advance(.seconds(1))
                #expect(await house.outcome(email, "wrong horse") == .wrongCredentials)
                #expect(wait(await house.outcome(" \(email.uppercased())", "wrong horse")) == .seconds(2))
            }
            house.clock.advance(.seconds(2))
            #expect(await house.outcome("ada@example.com") == nil)
        }
    }

    @Test("a log-in that succeeds clears the account's failures")
    func success() async throws {
        try await withAccounts { house in
            _ = try await house.session()
            for _ in 0..<3 {
                for _ in 0..<4 { #expect(await house.outcome("ada@example.com", "wrong horse") == .wrongCredentials) }
                #expect(await house.outcome("ada@example.com") == nil)
            }
        }
    }

    @Test("of many guesses at once, those past the limit learn nothing, even where one is right")
    func parallelGuesses() async throws {
        try await withAccounts { house in
            _ = try await house.session()
            let outcomes = await withTaskGroup(of: AccountsError?.self) { group in
                for index in 0..<40 { group.addTask { await house.outcome("ada@example.com", "wrong horse \(index)") } }
                return await group.reduce(into: []) { $0.append($1) }
            }
            #expect(outcomes.count { $0 == .wrongCredentials } == 5)
            #expect(outcomes.count { wait($0) != nil } == 35)
            #expect(wait(await house.outcome("ada@example.com")) != nil)
        }
    }

    @Test("thirty failures from one network lock it for every account, and no other network; its own /64 is one")
    func address() async throws {
        var limits = AccountLimits()
        limits.address.failures = 6
        try await withAccounts(limits: limits) { house in
            _ = try await house.session()
            func client(_ number: Int) -> ClientDetails { ClientDetails(address: "2001:db8:1:2::\(number)") }
            for number in 0..<6 {
                let outcome = await house.outcome("nobody\(number)@example.com", "wrong horse", client: client(number))
                #expect(outcome == .wrongCredentials)
            }
            #expect(wait(await house.outcome("ada@example.com", client: client(99))) == .seconds(1))
            #expect(await house.outcome("ada@example.com", client: somewhere) == nil)
            house.clock.advance(.seconds(1))
            #expect(await house.outcome("ada@example.com", client: client(99)) == nil)
            // A success of one's own does not wash the network's failures away.
            #expect(await house.outcome("ada@example.com", "wrong horse", client: client(1)) == .wrongCredentials)
            #expect(wait(await house.outcome("ada@example.com", client: client(2))) == .seconds(2))
        }
    }

    @Test("a stranger's failures lock no owner out of a network where they were of late, and theirs there count apart")
    func familiarNetwork() async throws {
        try await withAccounts { house in
            _ = try await house.session(client: somewhere)
            let stranger = ClientDetails(address: "198.51.100.9")
            let email = "ada@example.com"
            for _ in 0..<5 {
                #expect(await house.outcome(email, "wrong horse", client: stranger) == .wrongCredentials)
            }
            #expect(wait(await house.outcome(email, client: stranger)) == .seconds(1))
            let work = await house.derivations { #expect(await house.outcome(email, client: somewhere) == nil) }
            #expect(work == 1)
            #expect(await house.outcome(email, client: ClientDetails(address: "192.0.2.1")) == nil, "it was cleared")
            for _ in 0..<5 {
                #expect(await house.outcome(email, "wrong horse", client: somewhere) == .wrongCredentials)
            }
            #expect(wait(await house.outcome(email, client: somewhere)) == .seconds(1))
            house.clock.advance(.seconds(31 * 24 * 3600))
            for _ in 0..<5 { _ = await house.outcome(email, "wrong horse", client: stranger) }
            #expect(wait(await house.outcome(email, client: somewhere)) == .seconds(1), "that was long ago")
        }
    }

    @Test("a network may make 20 accounts and guests an hour; this machine itself, from which all may come, any")
    func creations() async throws {
        try await withAccounts { house in
            func register(_ number: Int, _ client: ClientDetails) async throws {
                try await house.service.register(
                    email: "p\(number)@example.com", password: AccountsHouse.password, displayName: "P", client: client)
            }
            for number in 0..<19 { try await register(number, somewhere) }
            let guest = try await house.service.logIn(
                device: deviceSecret(), displayName: "P", client: somewhere)
            house.clock.advance(.seconds(600))
            let full = AccountsError.tooManyAttempts(retryAfter: .seconds(3000))
            await #expect(throws: full) { try await register(20, somewhere) }
            await #expect(throws: full) {
                try await house.service.logIn(device: deviceSecret(2), displayName: "P", client: somewhere)
            }
            await #expect(throws: full) {
                try await house.service.upgrade(
                    guest.playerId, email: "g@example.com", password: AccountsHouse.password, client: somewhere)
            }
            // A device that is known makes nothing.
            _ = try await house.service.logIn(device: deviceSecret(), displayName: "P", client: somewhere)
            for address in ["127.0.0.1", "::1", "::ffff:127.0.0.1", ""] {
                for number in 0..<25 { try await register(100 + number, ClientDetails(address: address)) }
            }
            house.clock.advance(.seconds(3000))
            try await register(21, somewhere)
            #expect(await house.outcome("p21@example.com") == nil)
        }
    }

    @Test("a deletion asks for the password, and guesses at it count like log-ins")
    func deletion() async throws {
        try await withAccounts { house in
            let ada = try await house.session()
            for _ in 0..<5 {
                await #expect(throws: AccountsError.wrongCredentials) {
                    try await house.service.delete(ada.playerId, password: "wrong horse")
                }
            }
            await #expect(throws: AccountsError.tooManyAttempts(retryAfter: .seconds(1))) {
                try await house.service.delete(ada.playerId, password: AccountsHouse.password)
            }
            #expect(wait(await house.outcome("ada@example.com")) == .seconds(1))
        }
    }

    @Test("counters that say nothing any more are removed as others are written")
    func bounded() async throws {
        try await withAccounts { house in
            for number in 0..<50 { _ = await house.outcome("nobody\(number)@example.com", "wrong horse") }
            let before = try await house.count("SELECT COUNT(*) FROM attempts")
            #expect(before == 51)
            house.clock.advance(.seconds(24 * 3600))
            for _ in 0..<6 { _ = await house.outcome("other@example.com", "wrong horse") }
            let after = try await house.count("SELECT COUNT(*) FROM attempts")
            #expect(after == 2)
        }
    }

    @Test("a network is an IPv4 address or an IPv6 /64")
    func networks() {
        let names = [
            "203.0.113.7": "203.0.113.7", "::ffff:203.0.113.7": "203.0.113.7",
            "2001:db8:0:7:aaaa::1": "2001:db8:0:7::/64", "2001:db8:0:7:bbbb::2": "2001:db8:0:7::/64", "x": "x",
        ]
        for (address, name) in names { #expect(ClientNetwork.name(of: address) == name) }
        #expect(!ClientNetwork.isLocal("203.0.113.7") && !ClientNetwork.isLocal("2001:db8::1"))
    }
}
