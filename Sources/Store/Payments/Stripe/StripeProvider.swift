import AsyncHTTPClient
import Foundation
import GameModel
import NIOCore
import NIOFoundationCompat
import NIOHTTP1

/// Stripe, or anything that speaks its API: one payment intent per order, created and confirmed in one call.
///
/// Promises that nothing is charged twice: every call for an order carries the order's id as its Idempotency-Key.
/// Answers that don't tell whether the card was charged are ``PaymentError/unavailable(_:)``.
public struct StripeProvider: PaymentProvider {
    /// The version whose answers this code reads; pinned, so that the account's own setting can't change their shape.
    public static let apiVersion = "2024-06-20"
    static let answerBytesMax = 4 << 20
    static let pageMax = 100

    public let name = "stripe"
    private let client: HTTPClient
    private let url: String
    private let secretKey: String
    private let timeout: Duration

    /// - Parameters:
    ///   - url: `https://api.stripe.com`.
    ///   - timeout: for one call, from its start to the end of its answer.
    ///   - connections: how many calls may be under way at once; more wait.
    public init(
        url: String, secretKey: String, timeout: Duration = .seconds(20), connections: Int = 8
    ) {
        self.url = url.hasSuffix("/") ? String(url.dropLast()) : url
        self.secretKey = secretKey
        self.timeout = timeout
        var configuration = HTTPClient.Configuration()
        configuration.connectionPool.concurrentHTTP1ConnectionsPerHostSoftLimit = max(1, connections)
        // Fails fast where nobody listens: the job decides when to ask again.
        configuration.connectionPool.retryConnectionEstablishment = false
        configuration.timeout.connect = .seconds(5)
        configuration.redirectConfiguration = .disallow
        client = HTTPClient(eventLoopGroupProvider: .singleton, configuration: configuration)
    }

    /// Closes the connections. Must be called once, when nothing is asked any more.
    public func shutdown() async throws { try await client.shutdown() }

    public func charge(_ request: ChargeRequest) async throws(PaymentError) -> ChargeOutcome {
        let answer = try await send(
            .POST, "/v1/payment_intents",
            form: [
                ("amount", String(request.amount.minorUnits)),
                ("currency", request.amount.currency.rawValue.lowercased()),
                ("payment_method", request.paymentMethod),
                ("payment_method_types[]", "card"),
                ("confirm", "true"),
                ("metadata[order_id]", request.orderId.rawValue),
                ("metadata[player_id]", request.playerId.rawValue),
            ],
            idempotencyKey: request.idempotencyKey)
        return try StripeAnswer.outcome(status: answer.status, body: answer.body)
    }

    public func charge(reference: String) async throws(PaymentError) -> ChargeOutcome {
        let answer = try await send(.GET, "/v1/payment_intents/" + Self.escaped(reference))
        return try StripeAnswer.outcome(status: answer.status, body: answer.body)
    }

    public func charges(since: Instant, after reference: String?) async throws(PaymentError)
        -> ChargePage
    {
        var path = "/v1/payment_intents?limit=\(Self.pageMax)"
        if let reference { path += "&starting_after=" + Self.escaped(reference) }
        let answer = try await send(.GET, path)
        return try StripeAnswer.page(status: answer.status, body: answer.body)
    }

    public func refund(_ request: RefundRequest) async throws(PaymentError) -> RefundOutcome {
        throw .unavailable("not built yet")
    }

    public func cancel(reference: String) async throws(PaymentError) {
        throw .unavailable("not built yet")
    }

    private func send(
        _ method: HTTPMethod, _ path: String, form: [(String, String)] = [],
        idempotencyKey: String? = nil
    ) async throws(PaymentError) -> (status: Int, body: Data) {
        var request = HTTPClientRequest(url: url + path)
        request.method = method
        request.headers.add(name: "Authorization", value: "Bearer \(secretKey)")
        request.headers.add(name: "Stripe-Version", value: Self.apiVersion)
        if let idempotencyKey { request.headers.add(name: "Idempotency-Key", value: idempotencyKey) }
        if !form.isEmpty {
            request.headers.add(name: "Content-Type", value: "application/x-www-form-urlencoded")
            let pairs = form.map { Self.escaped($0.0) + "=" + Self.escaped($0.1) }
            request.body = .bytes(ByteBuffer(string: pairs.joined(separator: "&")))
        }
        do {
            let deadline = NIODeadline.now() + .nanoseconds(Int64(timeout.inSeconds * 1e9))
            let response = try await client.execute(request, deadline: deadline)
            let body = try await response.body.collect(upTo: Self.answerBytesMax)
            return (Int(response.status.code), Data(buffer: body))
        } catch {
            throw .unavailable("\(error)")
        }
    }

    /// Percent-encoding that leaves only the unreserved characters of RFC 3986 as they are.
    static func escaped(_ text: String) -> String {
        var result = ""
        for byte in text.utf8 {
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "."),
                UInt8(ascii: "_"),
                UInt8(ascii: "~"):
                result.unicodeScalars.append(Unicode.Scalar(byte))
            default:
                result += "%" + Hex.encode([byte]).uppercased()
            }
        }
        return result
    }
}
