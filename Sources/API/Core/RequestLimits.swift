import Accounts
import GameModel
import HTTPTypes
import Hummingbird

/// Answers 429 with `Retry-After` to those who ask too much: a player by their token, anybody else by network address.
///
/// Machines are not limited: instances and workers by their tokens, the payment provider's webhooks, health checks.
/// Neither are clients on this machine that no load balancer speaks for. The routes are told here, too, whom to believe
/// about where a request comes from.
struct RequestLimits: RouterMiddleware {
    let limiter: RateLimiter
    let proxies: TrustedProxies

    func handle(
        _ request: Request, context: APIContext, next: (Request, APIContext) async throws -> Response
    ) async throws -> Response {
        var context = context
        context.proxies = proxies
        if let kind = Self.kind(of: request.method, context.endpointPath),
            let key = Self.key(kind, request, context), let wait = limiter.take(kind, by: key)
        {
            throw Problem.tooManyRequests(
                "These are too many requests of this kind. Slow down.", retryAfter: wait)
        }
        return try await next(request, context)
    }

    /// What a request is counted as; `nil` where it is not.
    static func kind(of method: HTTPRequest.Method, _ route: String?) -> RequestClass? {
        switch (method, route) {
        case (_, "/healthz"), (_, "/readyz"), (_, "/metrics"), (.post, "/v1/store/webhooks/{provider}"): nil
        case (.post, "/v1/accounts"): .registration
        case (.post, "/v1/sessions"), (.post, "/v1/sessions/device"), (.put, "/v1/accounts/me/credentials"),
            (.put, "/v1/accounts/me/password"), (.delete, "/v1/accounts/me"), (.post, "/console/login"):
            .logIn
        case (.get, "/v1/accounts/me/export"): .export
        case (.post, "/v1/store/orders"): .order
        case (.post, "/v1/store/quotes"): .quote
        default: .other
        }
    }

    /// Whom a request is counted by; `nil` where it is not.
    private static func key(_ kind: RequestClass, _ request: Request, _ context: APIContext) -> RateKey? {
        if let identity = context.identity {
            switch identity.role {
            case .instance, .worker: return nil
            case .player, .developer, .operator:
                // A token must not give its bearer more tries at other people's passwords.
                let isPublic =
                    context.endpointPath == "/v1/sessions" || context.endpointPath == "/console/login"
                    || kind == .registration
                if !isPublic { return .player(PlayerID(identity.subject)) }
            }
        }
        return context.clientAddress(request).map { .address($0.network) }
    }
}
