import Accounts
import GameModel
import Hummingbird
import Logging
import NIOCore

/// What one request carries through the middlewares to its route: who asks, how the request is named in logs and
/// replies, and how large its body may be.
public struct APIContext: RequestContext {
    public var coreContext: CoreRequestContextStorage

    /// What the `Authorization` header said. Routes read it through `requireIdentity` or `requirePlayer`.
    public var authentication: Authentication

    /// The request's name in logs and in the reply's `X-Request-Id`: the client's own, if it sent a proper one.
    public var requestID: String

    /// The other end of the connection. Who is behind it, ``clientAddress(_:)`` tells.
    let peer: SocketAddress?

    /// Which peers are believed when they say whom they speak for.
    var proxies = TrustedProxies.loopback

    /// How many bytes of body this request may have; set per route by `BodyLimit`.
    public var bodyBytesMax: Int

    public init(source: Source) {
        coreContext = .init(source: source)
        peer = source.channel.remoteAddress
        authentication = .none
        requestID = ""
        bodyBytesMax = BodyLimit.standardBytes
    }

    /// Who asks, if a valid token came along.
    public var identity: Identity? {
        guard case .identity(let identity) = authentication else { return nil }
        return identity
    }

    /// Hummingbird's own limit, for bodies that are not read through `decodeBody`.
    public var maxUploadSize: Int { bodyBytesMax }
}

/// What became of a request's `Authorization` header.
public enum Authentication: Sendable {
    /// There was none.
    case none
    /// There was one, and it is not good; the text says why. Public routes don't mind, the others answer 401 with it.
    case refused(String)
    case identity(Identity)
}

extension APIContext {
    /// Who asks; 401 without a valid token.
    public func requireIdentity() throws(Problem) -> Identity {
        switch authentication {
        case .identity(let identity): return identity
        case .refused(let reason): throw .unauthorized(reason)
        case .none: throw .unauthorized("This needs a header 'Authorization: Bearer <access token>'.")
        }
    }

    /// Who asks, holding this role; 401 without a valid token, 403 with another role.
    @discardableResult
    public func requireIdentity(role: Role) throws(Problem) -> Identity {
        try requireIdentity(roles: [role])
    }

    /// Who asks, holding one of these roles; 401 without a valid token, 403 with another role.
    @discardableResult
    public func requireIdentity(roles: [Role]) throws(Problem) -> Identity {
        let identity = try requireIdentity()
        guard roles.contains(identity.role) else {
            let wanted = roles.map(\.rawValue).joined(separator: " or ")
            throw .forbidden("This needs a token of role \(wanted); yours is of role \(identity.role.rawValue).")
        }
        return identity
    }

    /// The player who asks; 401 without a valid token, 403 where the token is not a player's.
    public func requirePlayer() throws(Problem) -> PlayerID {
        let identity = try requireIdentity(role: .player)
        guard let player = identity.playerId else {
            throw .forbidden("This needs a player's token.")
        }
        return player
    }
}
