import Foundation
import GameModel

/// Reads Stripe's answers: pure functions from a status and a body to a verdict.
///
/// What is not understood is never taken for a decline: it counts as "ask again", or goes to a person.
enum StripeAnswer {
    private struct Intent: Decodable {
        let id: String
        let amount: Int64
        let amountReceived: Int64?
        let currency: String
        let status: String
        let metadata: [String: String]?
        let lastPaymentError: Fault?
    }

    private struct Fault: Decodable {
        struct Reference: Decodable { let id: String }

        let type: String?
        let code: String?
        let declineCode: String?
        let message: String?
        let param: String?
        let paymentIntent: Reference?
    }

    private struct FaultBody: Decodable { let error: Fault }

    private struct List: Decodable {
        let data: [Intent]
        let hasMore: Bool
    }

    /// The verdict in the answer to creating or retrieving a payment intent.
    static func outcome(status: Int, body: Data) throws(PaymentError) -> ChargeOutcome {
        if (200..<300).contains(status) { return outcome(of: try decode(Intent.self, body)) }
        let fault = decodeFault(body)
        if status == 402 {
            return .declined(
                code: code(of: fault, or: "card_declined"), reference: fault?.paymentIntent?.id)
        }
        // A payment method that doesn't exist or was used up is the player's to change, like a declined card.
        if status == 400 || status == 404, fault?.param == "payment_method" {
            return .declined(code: code(of: fault, or: "payment_method_invalid"), reference: nil)
        }
        throw error(status: status, fault: fault)
    }

    static func page(status: Int, body: Data) throws(PaymentError) -> ChargePage {
        try check(status: status, body: body)
        let list = try decode(List.self, body)
        let succeeded = list.data.compactMap { $0.status == "succeeded" ? charge(of: $0) : nil }
        return ChargePage(succeeded: succeeded, next: list.hasMore ? list.data.last?.id : nil)
    }

    static func check(status: Int, body: Data) throws(PaymentError) {
        guard (200..<300).contains(status) else {
            throw error(status: status, fault: decodeFault(body))
        }
    }

    private static func outcome(of intent: Intent) -> ChargeOutcome {
        switch intent.status {
        case "succeeded":
            return .succeeded(charge(of: intent))
        case "requires_payment_method", "canceled":
            return .declined(
                code: code(of: intent.lastPaymentError, or: intent.status), reference: intent.id)
        case "requires_action", "requires_source_action":
            // The player would have to confirm with the bank, which nobody asks them to here.
            return .declined(code: "authentication_required", reference: intent.id)
        default:
            return .undecided(reference: intent.id)
        }
    }

    private static func charge(of intent: Intent) -> Charge {
        Charge(
            reference: intent.id, orderId: intent.metadata?["order_id"].flatMap { OrderID(rawValue: $0) },
            minorUnits: intent.amountReceived ?? intent.amount, currency: intent.currency.uppercased())
    }

    private static func error(status: Int, fault: Fault?) -> PaymentError {
        let message = fault?.message ?? "HTTP \(status)"
        switch status {
        case 401, 403: return .unauthorized(message)
        // 409: another call with this key is running. 429: too many calls.
        case 409, 429, 500...: return .unavailable("HTTP \(status): \(message)")
        default: return .refused(code: fault?.code ?? fault?.type ?? "http_\(status)", message: message)
        }
    }

    private static func code(of fault: Fault?, or other: String) -> String {
        fault?.declineCode ?? fault?.code ?? other
    }

    private static func decodeFault(_ body: Data) -> Fault? {
        do { return try decode(FaultBody.self, body).error } catch { return nil }
    }

    private static func decode<T: Decodable>(_ type: T.Type, _ body: Data) throws(PaymentError) -> T {
        let decoder = JSONDecoder()
        decoder.keyDecodingStrategy = .convertFromSnakeCase
        do {
            return try decoder.decode(type, from: body)
        } catch {
            throw .unavailable("its answer can't be read: \(error)")
        }
    }
}
