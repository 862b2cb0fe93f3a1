import GameModel

/// What can go wrong with accounts, sessions and tokens, in terms of what the caller can do about it.
public enum AccountsError: Error, Sendable, Hashable, CustomStringConvertible {
    /// A field is out of its range; the reason says what would be right.
    case invalidField(name: String, reason: String)
    /// Only a guest can be given an e-mail address and a password, and this account has them.
    case notGuest
    /// Too many failures or new accounts from here: try again after this time, whatever the credentials are.
    case tooManyAttempts(retryAfter: Duration)
    /// The credentials are right, but an operator locked the account, for the reason given.
    case locked(reason: String)
    /// Unknown e-mail address or wrong password: deliberately one and the same answer.
    case wrongCredentials
    /// The refresh token is unknown, expired or revoked: log in again.
    case invalidRefreshToken
    /// An already used refresh token came back, so its whole family is revoked: log in again.
    case refreshTokenReused
    /// The access token is malformed, expired, or not ours.
    case invalidToken(String)
    /// No account of this name.
    case unknownAccount
    /// Too many passwords are waiting to be hashed: try again in a second.
    case overloaded
    /// The records can't be read or written at the moment: try again.
    case unavailable(String)
    /// The signing keys or a stored hash can't be used: an operator has to look.
    case corrupt(String)

    public var description: String {
        switch self {
        case .invalidField(let name, let reason): "\(name): \(reason)"
        case .notGuest: "the account has an e-mail address and a password already"
        case .tooManyAttempts(let retryAfter):
            "too many attempts: try again in \(Int(retryAfter.inSeconds.rounded(.up))) s"
        case .locked(let reason): "the account is locked: \(reason)"
        case .wrongCredentials: "the e-mail address or the password is wrong"
        case .invalidRefreshToken: "the refresh token is unknown, expired or revoked"
        case .refreshTokenReused: "the refresh token was used before; every token of its session is revoked"
        case .invalidToken(let reason): "the access token is not valid: \(reason)"
        case .unknownAccount: "there is no such account"
        case .overloaded: "too many log-ins at once"
        case .unavailable(let reason): "the accounts can't be reached: \(reason)"
        case .corrupt(let reason): reason
        }
    }
}
