import Foundation
import GameModel
import NIOHTTP1

/// Calls to PayPal with an access token, which is asked for when there is none, shared, and renewed before it ends.
///
/// Source: developer.paypal.com/api/rest/authentication (OAuth 2.0, client credentials).
struct PayPalConnection: Sendable {
    private let connection: ProviderConnection
    private let access: PayPalAccess

    init(url: String, clientId: String, clientSecret: String, timeout: Duration, connections: Int) {
        let connection = ProviderConnection(url: url, timeout: timeout, connections: connections)
        self.connection = connection
        let credentials = Data("\(clientId):\(clientSecret)".utf8).base64EncodedString()
        access = PayPalAccess { () async throws(PaymentError) -> ProviderConnection.Answer in
            try await connection.send(
                .POST, "/v1/oauth2/token", headers: [("Authorization", "Basic \(credentials)")],
                body: .form([("grant_type", "client_credentials")]))
        }
    }

    func shutdown() async throws { try await connection.shutdown() }

    /// Asks for something. A token that is refused is replaced once: PayPal may have ended it early.
    func get(
        _ path: String, _ query: [(String, String)] = []
    ) async throws(PaymentError) -> ProviderConnection.Answer {
        try await send(.GET, query.isEmpty ? path : path + "?" + ProviderConnection.form(query))
    }

    /// Asks for something to be done.
    ///
    /// - Parameter requestId: PayPal's idempotency key. It remembers one for 6 hours (orders) or 45 days (payments).
    func post(
        _ path: String, _ body: some Encodable & Sendable, requestId: String
    ) async throws(PaymentError) -> ProviderConnection.Answer {
        let encoder = JSONEncoder()
        encoder.keyEncodingStrategy = .convertToSnakeCase
        // One order of the fields, so that a call that comes again is the same call.
        encoder.outputFormatting = .sortedKeys
        let json: Data
        do {
            json = try encoder.encode(body)
        } catch {
            throw .refused(code: "not_encodable", message: "\(error)")
        }
        return try await post(path, json: json, requestId: requestId)
    }

    func post(
        _ path: String, json: Data, requestId: String?
    ) async throws(PaymentError) -> ProviderConnection.Answer {
        let key = requestId.map { [("PayPal-Request-Id", $0)] } ?? []
        return try await send(.POST, path, headers: key + [("Prefer", "return=representation")], body: .json(json))
    }

    private func send(
        _ method: HTTPMethod, _ path: String, headers: [(String, String)] = [],
        body: ProviderConnection.Body = .none
    ) async throws(PaymentError) -> ProviderConnection.Answer {
        let token = try await access.token()
        let answer = try await connection.send(
            method, path, headers: headers + [("Authorization", "Bearer \(token)")], body: body)
        guard answer.status == 401 else { return answer }
        await access.forget(token)
        let other = try await access.token()
        return try await connection.send(
            method, path, headers: headers + [("Authorization", "Bearer \(other)")], body: body)
    }
}

/// The access token that all calls share.
actor PayPalAccess {
    /// How long before its end a token is renewed: longer than a call takes.
    static let margin: Duration = .seconds(120)

    private let ask: @Sendable () async throws(PaymentError) -> ProviderConnection.Answer
    private let clock: @Sendable () -> Instant
    private var token: (text: String, goodUntil: Instant)?
    private var asking: Task<Result<PayPalToken, PaymentError>, Never>?

    init(
        clock: @escaping @Sendable () -> Instant = { .now },
        ask: @escaping @Sendable () async throws(PaymentError) -> ProviderConnection.Answer
    ) {
        self.clock = clock
        self.ask = ask
    }

    /// A token that is good for at least the next call. Callers that come at once share one question.
    func token() async throws(PaymentError) -> String {
        if let token, clock() < token.goodUntil { return token.text }
        if let asking { return try await asking.value.get().accessToken }
        // A task of its own: a caller that is cancelled must not take the others' token with it.
        let task = Task { [ask] () -> Result<PayPalToken, PaymentError> in
            do throws(PaymentError) {
                return .success(try PayPalAnswer.read(PayPalToken.self, try await ask()))
            } catch {
                return .failure(error)
            }
        }
        asking = task
        let answer = await task.value
        asking = nil
        let new = try answer.get()
        let lifetime = max(.zero, .seconds(new.expiresIn) - Self.margin)
        token = (new.accessToken, clock() + lifetime)
        return new.accessToken
    }

    /// Forgets a token that was refused, unless it was replaced meanwhile.
    func forget(_ refused: String) {
        if token?.text == refused { token = nil }
    }
}
