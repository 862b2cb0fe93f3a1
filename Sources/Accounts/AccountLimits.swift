import GameModel

/// How many attempts and sessions are too many.
public struct AccountLimits: Sendable, Hashable {
    /// When failures in a row lock something out, and for how long.
    public struct Backoff: Sendable, Hashable {
        /// From this failure on, each one locks: the first for ``first``, each further one twice as long.
        public var failures: Int
        public var first: Duration
        public var longest: Duration
        /// In this time one failure is forgiven.
        public var forgivesOneIn: Duration

        public init(failures: Int, first: Duration, longest: Duration, forgivesOneIn: Duration) {
            self.failures = failures
            self.first = first
            self.longest = longest
            self.forgivesOneIn = forgivesOneIn
        }
    }

    /// Wrong passwords for one e-mail address, whether it has an account or not; those from a network where the account
    /// was in use lately are counted apart, by the same rule.
    public var account = Backoff(
        failures: 5, first: .seconds(1), longest: .seconds(900), forgivesOneIn: .seconds(1800))
    /// Wrong passwords from one network address. A device that is not known is no failure: it makes a guest, and counts
    /// towards ``creations``.
    public var address = Backoff(
        failures: 30, first: .seconds(1), longest: .seconds(900), forgivesOneIn: .seconds(60))
    /// Accounts and guests that one network address may make in ``creationsWindow``.
    public var creations = 20
    public var creationsWindow: Duration = .seconds(3600)
    /// For how long after a session's last use its network is one that a stranger's failures don't lock.
    public var familiarFor: Duration = .seconds(30 * 24 * 3600)
    /// Open sessions of one player; a further one ends the one that was unused for longest.
    public var sessions = 20

    public init() {}
}
