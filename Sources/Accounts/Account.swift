import GameModel

/// Who may do what: the `role` claim of an access token.
public enum Role: String, Sendable, Hashable, Codable, CaseIterable {
    case player
    case developer
    case `operator`
    case instance
    case worker
}

/// A registered person, as the API shows it. The password's hash never leaves the repository's own rows.
public struct Account: Sendable, Hashable, Codable {
    public let playerId: PlayerID
    /// Normalised: trimmed and in lower case.
    public let email: String
    public let displayName: String
    public let role: Role
    public let createdAt: Instant

    public init(playerId: PlayerID, email: String, displayName: String, role: Role, createdAt: Instant) {
        self.playerId = playerId
        self.email = email
        self.displayName = displayName
        self.role = role
        self.createdAt = createdAt
    }
}

/// What a log-in or a refresh hands out: a short-lived access token and the one refresh token that follows it.
public struct Session: Sendable {
    public let playerId: PlayerID
    public let accessToken: String
    /// How long the access token is valid from now.
    public let expiresIn: Duration
    /// 256 random bits in base64url; usable once.
    public let refreshToken: String
}

/// Whom a verified access token speaks for.
public struct Identity: Sendable, Hashable {
    /// A player's or an instance's name, or that of a service.
    public let subject: String
    public let role: Role

    public init(subject: String, role: Role) {
        self.subject = subject
        self.role = role
    }

    /// The player behind the token; `nil` for instances, workers, and service tokens that belong to no account.
    public var playerId: PlayerID? {
        switch role {
        case .player: PlayerID(subject)
        case .developer, .operator: ULID(subject) == nil ? nil : PlayerID(subject)
        case .instance, .worker: nil
        }
    }
}
