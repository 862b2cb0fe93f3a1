import GameModel

/// Who may do what: the `role` claim of an access token.
public enum Role: String, Sendable, Hashable, Codable, CaseIterable {
    case player
    case developer
    case `operator`
    case instance
    case worker

    /// Whether a token of this role speaks for a process, not for a person. No account has such a role.
    public var isService: Bool { self == .instance || self == .worker }

    /// The roles that an account may have.
    public static var ofPeople: [Role] { allCases.filter { !$0.isService } }
}

/// A person's or a guest's account, as the API and the operators see it. The password's hash never leaves the
/// repository's own rows.
public struct Account: Sendable, Hashable, Codable {
    /// What a deleted account is called wherever its name was shown.
    public static let deletedName = "Deleted player"

    public let playerId: PlayerID
    /// Normalised: trimmed and in lower case; `nil` for a guest, and after deletion.
    public let email: String?
    public let displayName: String
    public let role: Role
    public let createdAt: Instant
    /// Why nobody may log in to it; `nil` where it is not locked.
    public let lockedReason: String?
    /// When it was deleted; its id stays as a pseudonym, the person's data are gone.
    public let deletedAt: Instant?

    public init(
        playerId: PlayerID, email: String?, displayName: String, role: Role, createdAt: Instant,
        lockedReason: String? = nil, deletedAt: Instant? = nil
    ) {
        self.playerId = playerId
        self.email = email
        self.displayName = displayName
        self.role = role
        self.createdAt = createdAt
        self.lockedReason = lockedReason
        self.deletedAt = deletedAt
    }

    /// Whether only a device logs in to it: it has no e-mail address and no password yet.
    public var isGuest: Bool { email == nil && deletedAt == nil }
}

/// Whom a verified access token speaks for.
public struct Identity: Sendable, Hashable {
    /// A player's or an instance's name, or that of a service.
    public let subject: String
    public let role: Role
    /// The session that the token was made for (its `sid` claim); `nil` for tokens of services and of the operators'
    /// tools.
    public let sessionId: SessionID?

    public init(subject: String, role: Role, sessionId: SessionID? = nil) {
        self.subject = subject
        self.role = role
        self.sessionId = sessionId
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
