import Accounts
import HTTPTypes
import Hummingbird

/// Reads `Authorization: Bearer <token>` and checks the token's signature, issuer, audience and age, offline.
///
/// It refuses nothing itself: a public route does not care about a stale token that a client sends along, and the
/// others ask `requireIdentity`, which answers 401 with the reason kept here.
public struct Authenticator: RouterMiddleware {
    private let tokens: TokenIssuer

    public init(tokens: TokenIssuer) {
        self.tokens = tokens
    }

    public func handle(
        _ request: Request, context: APIContext, next: (Request, APIContext) async throws -> Response
    ) async throws -> Response {
        guard let header = request.headers[.authorization] else { return try await next(request, context) }
        var context = context
        context.authentication = await authentication(header)
        return try await next(request, context)
    }

    private func authentication(_ header: String) async -> Authentication {
        let parts = header.split(separator: " ", maxSplits: 1)
        guard parts.count == 2, parts[0].lowercased() == "bearer" else {
            return .refused("The Authorization header is not of the form 'Bearer <access token>'.")
        }
        do {
            return .identity(try await tokens.verify(String(parts[1])))
        } catch {
            return .refused(Problem.of(error)?.detail ?? "The access token is not valid.")
        }
    }
}
