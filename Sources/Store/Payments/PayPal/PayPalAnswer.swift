import Foundation
import GameModel

/// Reads PayPal's answers: pure functions from a status and a body to a verdict.
///
/// What is not understood is never taken for a decline: it counts as "ask again", or goes to a person.
enum PayPalAnswer {
    typealias Answer = ProviderConnection.Answer

    /// What an order tells.
    enum Verdict: Equatable {
        case outcome(ChargeOutcome)
        /// The buyer agreed, and nothing is taken until we ask for it.
        case toCapture
    }

    /// Why a buyer or the buyer's means of payment can't pay: the player's to change, like a declined card.
    private static let declines: Set = [
        "CARD_CLOSED", "CARD_EXPIRED", "COMPLIANCE_VIOLATION", "INSTRUMENT_DECLINED",
        "MAX_NUMBER_OF_PAYMENT_ATTEMPTS_EXCEEDED", "PAYEE_BLOCKED_TRANSACTION", "PAYER_ACCOUNT_LOCKED_OR_CLOSED",
        "PAYER_ACCOUNT_RESTRICTED", "PAYER_ACTION_REQUIRED", "PAYER_CANNOT_PAY", "PAYMENT_DENIED",
        "REDIRECT_PAYER_FOR_ALTERNATE_FUNDING", "TRANSACTION_BLOCKED_BY_PAYEE", "TRANSACTION_LIMIT_EXCEEDED",
        "TRANSACTION_REFUSED", "TRANSACTION_RECEIVING_LIMIT_EXCEEDED",
    ]

    /// The verdict in the answer to making, capturing or retrieving an order.
    static func order(_ answer: Answer) throws(PaymentError) -> Verdict {
        if isGood(answer) { return try verdict(on: try decode(PayPalOrder.self, answer)) }
        let fault = fault(in: answer)
        if [400, 404, 422].contains(answer.status), let fault {
            if let issue = fault.issues.first(where: { declines.contains($0) }) {
                return .outcome(.declined(code: issue, reference: nil))
            }
            // A token that doesn't exist or was taken back.
            if fault.details?.contains(where: { $0.field?.hasPrefix("/payment_source") == true }) == true {
                return .outcome(.declined(code: fault.code ?? "payment_source_invalid", reference: nil))
            }
        }
        throw error(answer.status, fault)
    }

    static func verdict(on order: PayPalOrder) throws(PaymentError) -> Verdict {
        if let taken = order.captures.first(where: \.isTaken) {
            return .outcome(.succeeded(try charge(of: taken, in: order)))
        }
        if let open = order.captures.first(where: { $0.status == "PENDING" }) {
            return .outcome(.undecided(reference: open.id))
        }
        if let failed = order.captures.last {
            return .outcome(outcome(of: failed))
        }
        switch order.status {
        case "APPROVED": return .toCapture
        case "CREATED", "SAVED", "PAYER_ACTION_REQUIRED":
            // The buyer would have to agree at PayPal, which nobody asks them to here.
            return .outcome(.declined(code: "payer_action_required", reference: order.id))
        case "VOIDED": return .outcome(.declined(code: "voided", reference: order.id))
        default: return .outcome(.undecided(reference: order.id))
        }
    }

    /// A capture, or `nil` where there is none of that name: it may be an order's.
    static func capture(_ answer: Answer) throws(PaymentError) -> PayPalCapture? {
        if isGood(answer) { return try decode(PayPalCapture.self, answer) }
        let fault = fault(in: answer)
        if [400, 404, 422].contains(answer.status), fault != nil { return nil }
        throw error(answer.status, fault)
    }

    /// The verdict in a capture without its order. What was given back of it is told by its order alone.
    static func outcome(of capture: PayPalCapture) -> ChargeOutcome {
        switch capture.status {
        case "DECLINED", "FAILED":
            let code = capture.processorResponse?.responseCode ?? capture.statusDetails?.reason
            return .declined(code: code ?? capture.status.lowercased(), reference: capture.id)
        default: return .undecided(reference: capture.id)
        }
    }

    /// A charge from a capture; the order tells what was given back of it.
    static func charge(of capture: PayPalCapture, in order: PayPalOrder?) throws(PaymentError) -> Charge {
        let taken = try minorUnits(capture.amount)
        var refunded: Int64 = 0
        for refund in order?.refunds ?? [] where refund.status == "COMPLETED" {
            refunded += try refund.amount.map(minorUnits) ?? 0
        }
        if capture.status == "REFUNDED" { refunded = taken }
        guard refunded > 0 || capture.status != "PARTIALLY_REFUNDED" else {
            throw .unavailable("capture \(capture.id) was given back in part, and its order doesn't tell how much")
        }
        return Charge(
            reference: capture.id,
            orderId: (capture.customId ?? order?.customId).flatMap { OrderID(rawValue: $0) }, minorUnits: taken,
            currency: capture.amount.currencyCode.uppercased(), refundedMinorUnits: refunded)
    }

    /// The answer to making a refund; `nil` where everything was given back already.
    static func refund(_ answer: Answer) throws(PaymentError) -> RefundOutcome? {
        if isGood(answer) { return outcome(of: try decode(PayPalRefund.self, answer)) }
        let fault = fault(in: answer)
        if fault?.issues.contains("CAPTURE_FULLY_REFUNDED") == true { return nil }
        guard [400, 404, 422].contains(answer.status), let code = fault?.code else {
            throw error(answer.status, fault)
        }
        return .refused(code: code)
    }

    /// What became of an order's refunds: the one of ours, else the newest that did not fail.
    static func refund(in order: PayPalOrder, for id: OrderID) -> RefundOutcome? {
        let refund =
            order.refunds.last { $0.customId == id.rawValue && !$0.hasFailed } ?? order.refunds.last { !$0.hasFailed }
        return refund.map(outcome(of:))
    }

    /// Whether a dispute took the money, or holds it while it is not decided. Buyer and seller talking to each other
    /// takes none; an outcome that is not known counts as lost: a person looks at it.
    static func isLost(_ dispute: PayPalDispute) -> Bool {
        guard dispute.isResolved else { return dispute.disputeLifeCycleStage != "INQUIRY" }
        let kept: Set = ["RESOLVED_SELLER_FAVOUR", "RESOLVED_WITH_PAYOUT", "CANCELED_BY_BUYER", "DENIED"]
        return !kept.contains(dispute.disputeOutcome?.outcomeCode ?? "")
    }

    private static func outcome(of refund: PayPalRefund) -> RefundOutcome {
        switch refund.status {
        case "COMPLETED": .succeeded(reference: refund.id)
        case "FAILED", "CANCELLED": .refused(code: refund.status.lowercased())
        default: .undecided(reference: refund.id)
        }
    }

    private static func minorUnits(_ amount: PayPalAmount) throws(PaymentError) -> Int64 {
        guard let minorUnits = amount.minorUnits else {
            throw .unavailable("its answer can't be read: the amount '\(amount.value)' \(amount.currencyCode)")
        }
        return minorUnits
    }

    // MARK: Reading

    /// Whether a report would have more rows than PayPal reports on.
    static func isTooLarge(_ answer: Answer) -> Bool {
        guard answer.status == 400, let fault = fault(in: answer) else { return false }
        return ([fault.name] + fault.issues).contains("RESULTSET_TOO_LARGE")
    }

    static func isGood(_ answer: Answer) -> Bool { (200..<300).contains(answer.status) }

    /// What a good answer holds; any other is an error.
    static func read<T: Decodable>(_ type: T.Type, _ answer: Answer) throws(PaymentError) -> T {
        guard isGood(answer) else { throw error(answer.status, fault(in: answer)) }
        return try decode(type, answer)
    }

    private static func error(_ status: Int, _ fault: PayPalFault?) -> PaymentError {
        let message = fault?.words ?? "HTTP \(status)"
        switch status {
        case 401, 403: return .unauthorized(message)
        // 409: another call with this key is running. 429: too many calls.
        case 409, 429, 500...: return .unavailable("HTTP \(status): \(message)")
        default:
            // Without PayPal's own words it is not PayPal that answers.
            guard let code = fault?.code else { return .unavailable("HTTP \(status) without a reason") }
            return .refused(code: code, message: message)
        }
    }

    private static func fault(in answer: Answer) -> PayPalFault? {
        do { return try decode(PayPalFault.self, answer) } catch { return nil }
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
