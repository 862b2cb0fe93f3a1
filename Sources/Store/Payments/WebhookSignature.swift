import Crypto
import Foundation
import GameModel

/// Stripe's webhook signature: `t=<Unix seconds>,v1=<hex HMAC-SHA-256 of "t.body">`, over the body's bytes as they
/// came.
///
/// Source: docs.stripe.com/webhooks/signature. While a secret is being replaced, several `v1` may come, and several
/// secrets may be good.
public struct WebhookSignature: Sendable {
    /// How far the time in a signature may be from ours, in either direction.
    public static let tolerance: Duration = .seconds(300)
    /// The most `v1` signatures that are looked at: Stripe sends one for each secret in force.
    static let codesMax = 8

    private let keys: [SymmetricKey]

    /// - Parameter secrets: the one to sign with first; each is good for verifying.
    public init(secrets: [String]) { keys = secrets.map { SymmetricKey(data: Data($0.utf8)) } }

    public init(secret: String) { self.init(secrets: [secret]) }

    /// Throws ``StoreError/badSignature(_:)`` for a header that is malformed, stale, or not of this body and secret.
    public func verify(header: String, body: [UInt8], at now: Instant) throws(StoreError) {
        var time: Int64?
        var codes: [[UInt8]] = []
        for item in header.split(separator: ",") {
            let sides = item.split(separator: "=", maxSplits: 1)
            guard sides.count == 2 else { throw .badSignature("the header is malformed") }
            switch sides[0] {
            case "t": time = Int64(sides[1])
            case "v1": codes += Hex.decode(sides[1]).map { [$0] } ?? []
            default: continue
            }
        }
        guard let time, !codes.isEmpty else {
            throw .badSignature("the header has no time or no v1 signature")
        }
        guard codes.count <= Self.codesMax else {
            throw .badSignature("the header has more than \(Self.codesMax) signatures")
        }
        let signed = signed(time: time, body: body)
        // Each comparison takes the same time wherever the codes differ.
        let isGood = keys.contains { key in
            codes.contains { HMAC<SHA256>.isValidAuthenticationCode($0, authenticating: signed, using: key) }
        }
        guard isGood else { throw .badSignature("it is not of this body") }
        let (age, overflow) = (now.milliseconds / 1000).subtractingReportingOverflow(time)
        guard !overflow, age.magnitude <= UInt64(Self.tolerance.milliseconds / 1000) else {
            throw .badSignature("its time is more than \(Self.tolerance.milliseconds / 1000) s from ours")
        }
    }

    /// The header for a body: what the provider sends, with one signature for each secret.
    public func header(body: [UInt8], at now: Instant) -> String {
        let time = now.milliseconds / 1000
        let signed = signed(time: time, body: body)
        let codes = keys.map { key in
            ",v1=" + Hex.encode(HMAC<SHA256>.authenticationCode(for: signed, using: key))
        }
        return "t=\(time)" + codes.joined()
    }

    private func signed(time: Int64, body: [UInt8]) -> [UInt8] { Array("\(time).".utf8) + body }
}
