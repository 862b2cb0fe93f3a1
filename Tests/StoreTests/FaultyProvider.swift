import GameModel
import Synchronization

@testable import Store

/// The world outside: a provider that keeps its promise about idempotency keys and fails in every other way on demand.
final class FaultyProvider: PaymentProvider {
    enum Fault {
        /// Nothing was charged, and no answer came.
        case unreachable
        /// Charged, but the answer was lost.
        case lostAnswer
        case decline
        case wrongAmount
        case wrongCurrency
        case wrongOrder
        case refuse
        /// The verdict comes when the charge is looked up.
        case undecided
    }

    private struct State {
        var faults: [Fault] = []
        var charges: [String: Charge] = [:]
        var calls = 0
    }

    let name = "stripe"
    private let state = Mutex(State())

    /// Faults of the calls to come, the next first; then all goes well.
    func plan(_ faults: Fault...) { state.withLock { $0.faults += faults } }

    var charges: [Charge] { state.withLock { Array($0.charges.values) } }
    var calls: Int { state.withLock { $0.calls } }

    func charge(_ request: ChargeRequest) async throws(PaymentError) -> ChargeOutcome {
        try state.withLock { (state) throws(PaymentError) in
            state.calls += 1
            let fault = state.faults.isEmpty ? nil : state.faults.removeFirst()
            switch fault {
            case .unreachable: throw .unavailable("connection refused")
            case .refuse: throw .refused(code: "parameter_invalid", message: "no")
            case .decline: return .declined(code: "insufficient_funds", reference: nil)
            default: break
            }
            let charge = state.charges[request.idempotencyKey] ?? Self.charge(request, fault)
            state.charges[request.idempotencyKey] = charge
            switch fault {
            case .lostAnswer: throw .unavailable("timed out")
            case .undecided: return .undecided(reference: charge.reference)
            default: return .succeeded(charge)
            }
        }
    }

    func charge(reference: String) async throws(PaymentError) -> ChargeOutcome {
        try state.withLock { (state) throws(PaymentError) in
            guard let charge = state.charges.values.first(where: { $0.reference == reference }) else {
                throw .refused(code: "resource_missing", message: reference)
            }
            return .succeeded(charge)
        }
    }

    /// Pages of two, so that paging is tested too.
    func charges(after reference: String?) async throws(PaymentError) -> ChargePage {
        let all = charges.sorted { $0.reference > $1.reference }
        let rest = all.drop { charge in reference.map { charge.reference >= $0 } ?? false }
        let page = Array(rest.prefix(2))
        return ChargePage(succeeded: page, next: rest.count > 2 ? page.last?.reference : nil)
    }

    func refund(reference: String, idempotencyKey: String) async throws(PaymentError) {
        throw .refused(code: "not_here", message: "refunds are not made here")
    }

    private static func charge(_ request: ChargeRequest, _ fault: Fault?) -> Charge {
        Charge(
            reference: "pi_\(request.idempotencyKey)",
            orderId: fault == .wrongOrder ? OrderID("another") : request.orderId,
            minorUnits: request.amount.minorUnits + (fault == .wrongAmount ? 1 : 0),
            currency: fault == .wrongCurrency ? "CHF" : request.amount.currency.rawValue)
    }
}
