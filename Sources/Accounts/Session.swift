import GameModel

/// One log-in on one device, and the family of refresh tokens that followed it. A ULID.
public struct SessionID: Identifier {
    public let rawValue: String
    public init(_ text: String) { rawValue = text }
}

/// What a log-in or a refresh hands out: a short-lived access token and the one refresh token that follows it.
public struct Session: Sendable {
    public let playerId: PlayerID
    public let sessionId: SessionID
    public let accessToken: String
    /// How long the access token is valid from now.
    public let expiresIn: Duration
    /// 256 random bits in base64url; usable once.
    public let refreshToken: String
}

/// A session as its owner sees it in a list, without its tokens.
public struct OpenSession: Sendable, Hashable, Codable {
    public let id: SessionID
    public let createdAt: Instant
    /// The log-in, or the last refresh.
    public let lastUsedAt: Instant
    /// When it ends unless it is refreshed before.
    public let expiresAt: Instant
    /// Where it was last used from; empty where that is not known.
    public let address: String
    /// The `User-Agent` of that use; `nil` where there was none.
    public let agent: String?
}

/// Where a request comes from: what attempts are counted by, and what a session shows its owner.
public struct ClientDetails: Sendable, Hashable {
    /// The most of a `User-Agent` that is kept.
    public static let agentBytesMax = 200
    /// Nothing is known: a command on this machine.
    public static let unknown = ClientDetails(address: "")

    /// The client's IPv4 or IPv6 address as text; empty where it is not known.
    public let address: String
    /// The `User-Agent`, cut to ``agentBytesMax`` of UTF-8.
    public let agent: String?

    public init(address: String, agent: String? = nil) {
        self.address = address
        self.agent = agent.map { text in
            var bytes = 0
            let kept = text.unicodeScalars.prefix { scalar in
                bytes += UTF8.width(scalar)
                return bytes <= Self.agentBytesMax
            }
            return String(String.UnicodeScalarView(kept))
        }
    }
}
