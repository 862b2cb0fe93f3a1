import Accounts

extension AccountsError: ProblemConvertible {
    public var problem: Problem {
        switch self {
        case .invalidField(let name, let reason): .invalidField(name, "This value is not right: \(reason).")
        case .notGuest: .conflict("The account has an e-mail address and a password already.", field: "email")
        case .tooManyAttempts(let retryAfter):
            .tooManyRequests("There were too many attempts. Wait before the next one.", retryAfter: retryAfter)
        case .locked(let reason): .forbidden("The account is locked: \(reason).")
        case .wrongCredentials: .unauthorized("The e-mail address or the password is wrong.")
        case .invalidRefreshToken: .unauthorized("The refresh token is unknown, expired or revoked. Log in again.")
        case .refreshTokenReused:
            .unauthorized("The refresh token was used before, so its session was ended. Log in again.")
        case .invalidToken(let reason): .unauthorized("The access token is not valid: \(reason).")
        case .unknownAccount: .notFound("There is no such account.")
        case .overloaded: .unavailable("Too many log-ins at once. Try again shortly.")
        case .unavailable: .unavailable("The accounts are busy. Try again shortly.")
        case .corrupt: .internalError
        }
    }
}
