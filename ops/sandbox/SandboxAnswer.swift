import Foundation

/// An answer as it is sent and remembered.
struct SandboxAnswer: Codable, Equatable, Sendable {
    let status: Int
    /// JSON.
    let body: String

    /// Stripe's error envelope.
    struct Fault: Codable, Sendable {
        let type: String
        var code: String?
        var declineCode: String?
        let message: String
        var param: String?
        var paymentIntent: PaymentIntent?

        enum CodingKeys: String, CodingKey {
            case type, code, message, param
            case declineCode = "decline_code"
            case paymentIntent = "payment_intent"
        }
    }

    private struct Envelope: Codable { let error: Fault }

    static func ok(_ value: some Encodable) -> SandboxAnswer {
        SandboxAnswer(status: 200, body: StripeJSON.text(value))
    }

    static func fault(_ status: Int, _ fault: Fault) -> SandboxAnswer {
        SandboxAnswer(status: status, body: StripeJSON.text(Envelope(error: fault)))
    }

    static func invalid(_ message: String, code: String, param: String?, status: Int = 400) -> SandboxAnswer {
        .fault(status, Fault(type: "invalid_request_error", code: code, message: message, param: param))
    }
}

enum StripeJSON {
    static func text(_ value: some Encodable) -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        do {
            return String(decoding: try encoder.encode(value), as: UTF8.self)
        } catch {
            preconditionFailure("our own values are JSON: \(error)")
        }
    }
}
