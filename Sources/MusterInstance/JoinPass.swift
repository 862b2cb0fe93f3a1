import GameModel

/// What a valid join token says: this player may come into this match, here, once.
public struct JoinPass: Sendable, Equatable {
    public let player: PlayerID
    public let match: MatchID
    /// The token's own name (`jti`).
    public let token: String
    public let expiresAt: Instant
}

/// Why a join token lets nobody in.
public enum JoinRefusal: Error, Sendable, Equatable {
    /// It is none of ours, or not for now or here. The reason is for logs: a client needs no more than "not valid".
    case invalid(Reason)
    /// It has let its player in before. Who lost the connection asks the API for another.
    case used
    /// The keys of the API are not known yet: the client may try again.
    case unavailable

    public enum Reason: String, Sendable {
        /// Not three parts, no readable header, no `kid`, or longer than 4,096 bytes.
        case malformed
        /// Signed by another algorithm than EdDSA, or by none.
        case algorithm
        /// By a key that the API does not publish.
        case unknownKey = "unknown-key"
        /// The signature is wrong, or the claims can't be read.
        case signature
        case issuer
        /// For another instance.
        case audience
        case expired
        /// It would live for longer than join tokens do.
        case longLived = "long-lived"
        /// It names no player, no match or not itself.
        case claims
    }
}

/// The tokens that have let someone in, until they expire of themselves.
struct UsedTokens: Sendable {
    private var expiry: [String: Instant] = [:]
    private var pruneAt = 1_024

    var count: Int { expiry.count }

    /// `false` where the token was used before.
    mutating func insert(_ token: String, until expiresAt: Instant, now: Instant) -> Bool {
        guard expiry[token] == nil else { return false }
        expiry[token] = expiresAt
        // Looked through each time their number has doubled: each insertion pays for a constant number of looks.
        if expiry.count >= pruneAt {
            expiry = expiry.filter { $0.value > now }
            pruneAt = max(1_024, 2 * expiry.count)
        }
        return true
    }

    mutating func remove(_ token: String) { expiry[token] = nil }
}
