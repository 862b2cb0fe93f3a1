import GameModel

/// How often something failed lately, and until when it is locked because of that: a rule on values, without a clock.
struct AttemptCounter: Sendable, Hashable {
    var count = 0
    /// Since when time forgives.
    var countedAt: Instant
    var lockedUntil = Instant(milliseconds: 0)

    /// How much longer it is locked; `nil` where it is not.
    func wait(at now: Instant) -> Duration? { now < lockedUntil ? lockedUntil - now : nil }

    /// Counts a failure, after time has forgiven what it may.
    mutating func fail(at now: Instant, _ backoff: AccountLimits.Backoff) {
        let each = max(1, backoff.forgivesOneIn.milliseconds)
        let forgiven = min(Int64(count), max(0, (now - countedAt).milliseconds / each))
        count -= Int(forgiven)
        countedAt = count == 0 ? now : countedAt + .milliseconds(forgiven * each)
        // Past the longest lock a higher count would only make forgiving slower.
        count = min(count + 1, backoff.failures + Self.doublings(backoff))
        guard count >= backoff.failures else { return }
        let lock = backoff.first.milliseconds << Int64(count - backoff.failures)
        lockedUntil = now + min(.milliseconds(lock), backoff.longest)
    }

    /// When nothing of it matters any more.
    func expiresAt(_ backoff: AccountLimits.Backoff) -> Instant {
        max(lockedUntil, countedAt + .milliseconds(Int64(count) * backoff.forgivesOneIn.milliseconds))
    }

    /// How often the first lock doubles until it is the longest.
    private static func doublings(_ backoff: AccountLimits.Backoff) -> Int {
        var (lock, count) = (max(1, backoff.first.milliseconds), 0)
        while lock < backoff.longest.milliseconds {
            lock *= 2
            count += 1
        }
        return count
    }
}

/// What attempts are counted under.
enum AttemptKey {
    /// One e-mail address, by its digest: it may be nobody's, and is not ours to keep.
    static func account(email: String) -> String { "account:\(Secret.digest(email))" }

    /// One e-mail address from a network where its account was in use lately. Begins with the address's own key.
    static func account(email: String, from client: ClientDetails) -> String {
        "\(account(email: email)) \(ClientNetwork.name(of: client.address))"
    }

    /// Log-ins from one network.
    static func logIns(from client: ClientDetails) -> String { "log-ins:\(ClientNetwork.name(of: client.address))" }

    /// Accounts made from one network.
    static func creations(from client: ClientDetails) -> String {
        "creations:\(ClientNetwork.name(of: client.address))"
    }
}
