import Foundation
import GameModel

/// Reads Stripe's answers: pure functions from a status and a body to a verdict.
///
/// What is not understood is never taken for a decline: it counts as "ask again", or goes to a person.
enum StripeAnswer {
    typealias Answer = ProviderConnection.Answer

    /// The verdict in the answer to creating or retrieving a payment intent.
    static func outcome(_ answer: Answer) throws(PaymentError) -> ChargeOutcome {
        if isGood(answer) { return outcome(of: try decode(StripeIntent.self, answer)) }
        let fault = fault(in: answer)
        if answer.status == 402 {
            return .declined(code: code(of: fault, or: "card_declined"), reference: fault?.paymentIntent?.id)
        }
        // A payment method that doesn't exist or was used up is the player's to change, like a declined card.
        if answer.status == 400 || answer.status == 404, fault?.param == "payment_method" {
            return .declined(code: code(of: fault, or: "payment_method_invalid"), reference: nil)
        }
        throw error(answer.status, fault)
    }

    /// A page of charges, with their payment intents. Whether a dispute was lost is still to be asked.
    static func page(_ answer: Answer) throws(PaymentError) -> ChargePage {
        let list = try list(of: StripeCharge.self, answer)
        let succeeded = list.data.filter { $0.status == "succeeded" && $0.captured != false }
        return ChargePage(succeeded: succeeded.map(charge(of:)), next: list.hasMore ? list.data.last?.id : nil)
    }

    /// The answer to making a refund; `nil` where everything was given back already.
    static func refund(_ answer: Answer) throws(PaymentError) -> RefundOutcome? {
        if isGood(answer) { return outcome(of: try decode(StripeRefund.self, answer)) }
        let fault = fault(in: answer)
        if fault?.code == "charge_already_refunded" { return nil }
        // A key that came with another call is our own mistake, and says nothing of the refund.
        if fault?.type == "idempotency_error" { throw .unavailable("HTTP \(answer.status): \(fault?.message ?? "")") }
        guard [400, 402, 404].contains(answer.status), let fault else {
            throw error(answer.status, fault)
        }
        return .refused(code: code(of: fault, or: fault.type ?? "http_\(answer.status)"))
    }

    /// What became of an asked refund, in a list of refunds: of this asking's own, else of one of the order that is on
    /// its way. One of an earlier asking that was made is in what is left of the charge already. Without a request, of
    /// anybody's newest that did not fail.
    static func refund(_ answer: Answer, for request: RefundRequest?) throws(PaymentError) -> RefundOutcome? {
        let all = try list(of: StripeRefund.self, answer).data
        guard let request else { return all.first { !$0.hasFailed }.map(outcome(of:)) }
        let own = all.filter { $0.metadata?["order_id"] == request.orderId.rawValue }
        let refund = own.first { $0.metadata?["attempt"] == request.attempt } ?? own.first { $0.isUnderWay }
        return refund.map(outcome(of:))
    }

    /// Whether the intent that was to be cancelled will never be charged.
    static func cancelled(_ answer: Answer) throws(PaymentError) {
        guard !isGood(answer) else {
            let intent = try decode(StripeIntent.self, answer)
            guard intent.status == "canceled" else {
                throw .refused(code: intent.status, message: "the payment intent was not cancelled")
            }
            return
        }
        let fault = fault(in: answer)
        // An intent that is cancelled already can't be cancelled again.
        guard fault?.paymentIntent?.status != "canceled" else { return }
        throw error(answer.status, fault)
    }

    /// Whether any dispute in a list took the money, or holds it while it is not decided. An inquiry takes none, and
    /// what status a later version brings counts as lost: a person looks at it.
    static func isDisputeLost(_ answer: Answer) throws(PaymentError) -> Bool {
        let harmless: Set = [
            "won", "warning_needs_response", "warning_under_review", "warning_closed", "charge_refunded",
            "prevented",
        ]
        return try list(of: StripeDispute.self, answer).data.contains { !harmless.contains($0.status) }
    }

    // MARK: Verdicts

    private static func outcome(of intent: StripeIntent) -> ChargeOutcome {
        switch intent.status {
        case "succeeded":
            return .succeeded(charge(of: intent))
        case "requires_payment_method", "canceled":
            return .declined(code: code(of: intent.lastPaymentError, or: intent.status), reference: intent.id)
        case "requires_action", "requires_source_action":
            // The player would have to confirm with the bank, which nobody asks them to here.
            return .declined(code: "authentication_required", reference: intent.id)
        default:
            return .undecided(reference: intent.id)
        }
    }

    private static func outcome(of refund: StripeRefund) -> RefundOutcome {
        switch refund.status {
        case "succeeded": .succeeded(reference: refund.id)
        case "failed", "canceled": .refused(code: refund.failureReason ?? refund.status)
        default: .undecided(reference: refund.id)
        }
    }

    private static func charge(of intent: StripeIntent) -> Charge {
        let charge = intent.latestCharge?.object
        return Charge(
            reference: intent.id, orderId: order(in: intent.metadata),
            minorUnits: intent.amountReceived ?? intent.amount, currency: intent.currency.uppercased(),
            refundedMinorUnits: charge?.amountRefunded ?? 0, isDisputed: charge?.disputed ?? false)
    }

    private static func charge(of charge: StripeCharge) -> Charge {
        let intent = charge.paymentIntent
        return Charge(
            reference: intent?.id ?? charge.id, orderId: order(in: intent?.object?.metadata ?? charge.metadata),
            minorUnits: charge.amountCaptured ?? charge.amount, currency: charge.currency.uppercased(),
            refundedMinorUnits: charge.amountRefunded ?? 0, isDisputed: charge.disputed ?? false)
    }

    private static func order(in metadata: [String: String]?) -> OrderID? {
        metadata?["order_id"].flatMap { OrderID(rawValue: $0) }
    }

    // MARK: Reading

    private static func isGood(_ answer: Answer) -> Bool { (200..<300).contains(answer.status) }

    private static func list<T: Decodable>(
        of type: T.Type, _ answer: Answer
    ) throws(PaymentError) -> StripeListing<T> {
        guard isGood(answer) else { throw error(answer.status, fault(in: answer)) }
        return try decode(StripeListing<T>.self, answer)
    }

    private static func error(_ status: Int, _ fault: StripeFault?) -> PaymentError {
        let message = fault?.message ?? "HTTP \(status)"
        switch status {
        case 401, 403: return .unauthorized(message)
        // 409: another call with this key is running. 429: too many calls.
        case 409, 429, 500...: return .unavailable("HTTP \(status): \(message)")
        default:
            // Without Stripe's own words it is not Stripe that answers.
            guard let fault else { return .unavailable("HTTP \(status) without a reason") }
            return .refused(code: fault.code ?? fault.type ?? "http_\(status)", message: message)
        }
    }

    private static func code(of fault: StripeFault?, or other: String) -> String {
        fault?.declineCode ?? fault?.code ?? other
    }

    private static func fault(in answer: Answer) -> StripeFault? {
        do { return try decode(StripeFaultBody.self, answer).error } catch { return nil }
    }

    private static func decode<T: Decodable>(_ type: T.Type, _ answer: Answer) throws(PaymentError) -> T {
        let decoder = JSONDecoder()
        decoder.keyDecodingStrategy = .convertFromSnakeCase
        do {
            return try decoder.decode(type, from: answer.body)
        } catch {
            throw .unavailable("its answer can't be read: \(error)")
        }
    }
}

extension Charge {
    /// The same charge, with what its disputes tell.
    func disputed(_ isDisputed: Bool) -> Charge {
        Charge(
            reference: reference, orderId: orderId, minorUnits: minorUnits, currency: currency,
            refundedMinorUnits: refundedMinorUnits, isDisputed: isDisputed)
    }

    /// The same charge, with what was given back of it.
    func refunded(_ minorUnits: Int64) -> Charge {
        Charge(
            reference: reference, orderId: orderId, minorUnits: self.minorUnits, currency: currency,
            refundedMinorUnits: minorUnits, isDisputed: isDisputed)
    }
}
