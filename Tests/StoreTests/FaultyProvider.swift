import GameModel
import Synchronization

@testable import Store

/// The world outside: a provider that keeps its promises about idempotency keys and fails in every other way on demand.
final class FaultyProvider: PaymentProvider {
    enum Fault {
        /// Nothing was charged, and no answer came.
        case unreachable
        case unauthorized
        /// Charged, but the answer was lost.
        case lostAnswer
        case decline
        case wrongAmount
        case wrongCurrency
        case wrongOrder
        case refuse
        /// The verdict comes when the charge is looked up.
        case undecided
        /// No verdict comes, until ``FaultyProvider/decide(_:as:)`` or ``FaultyProvider/cancel(reference:)``.
        case stuck
        /// As stuck, and the answer was lost.
        case lostAndStuck
        /// Runs beside the call, after the charge is made and before it is answered.
        case meanwhile(@Sendable (Charge) async -> Void)
    }

    enum RefundFault {
        /// Nothing was given back, and no answer came.
        case unreachable
        /// Given back, but the answer was lost.
        case lostAnswer
        case refuse
        /// Given back only when ``FaultyProvider/refundOutside(_:_:)`` says so.
        case undecided
    }

    private enum Standing { case succeeded, undecided, declined }

    private struct Entry {
        var charge: Charge
        var standing: Standing
        var sequence: Int
    }

    private struct State {
        var faults: [Fault] = []
        var refundFaults: [RefundFault] = []
        var entries: [String: Entry] = [:]
        var refunds: [String: RefundOutcome] = [:]
        var calls = 0
        var lookups = 0
        var isAway = false
        var keysKept: Duration = .seconds(86_400)
        var listingLag: Duration = .zero
        var cancelled: [String] = []
    }

    let name: String
    private let state = Mutex(State())

    init(name: String = "stripe") { self.name = name }

    /// Faults of the charges to come, the next first; then all goes well.
    func plan(_ faults: Fault...) { state.withLock { $0.faults += faults } }
    /// Faults of the refunds to come.
    func planRefunds(_ faults: RefundFault...) { state.withLock { $0.refundFaults += faults } }

    /// From now on all goes well.
    func planNothing() {
        state.withLock { state in
            (state.faults, state.refundFaults, state.isAway) = ([], [], false)
        }
    }

    /// Whether every call fails.
    var isAway: Bool {
        get { state.withLock { $0.isAway } }
        set { state.withLock { $0.isAway = newValue } }
    }

    var keysKept: Duration {
        get { state.withLock { $0.keysKept } }
        set { state.withLock { $0.keysKept = newValue } }
    }

    var listingLag: Duration {
        get { state.withLock { $0.listingLag } }
        set { state.withLock { $0.listingLag = newValue } }
    }

    /// Those that succeeded.
    var charges: [Charge] {
        state.withLock { state in state.entries.values.filter { $0.standing == .succeeded }.map(\.charge) }
    }
    /// How often a charge was asked for.
    var calls: Int { state.withLock { $0.calls } }
    var lookups: Int { state.withLock { $0.lookups } }
    var cancelled: [String] { state.withLock { $0.cancelled } }

    // MARK: What happens at the provider

    func refundOutside(_ reference: String, _ minorUnits: Int64) {
        change(reference) { $0.giving(back: minorUnits) }
    }

    func dispute(_ reference: String, isLost: Bool = true) {
        change(reference) { $0.with(isDisputed: isLost) }
    }

    /// Somebody charges beside us.
    func chargeOutside(_ charge: Charge) {
        state.withLock { state in
            state.entries[charge.reference] = Entry(
                charge: charge, standing: .succeeded, sequence: state.entries.count)
        }
    }

    func forget(_ reference: String) {
        state.withLock { state in state.entries = state.entries.filter { $0.value.charge.reference != reference } }
    }

    func decide(_ reference: String, asPaid isPaid: Bool) {
        state.withLock { state in
            for (key, entry) in state.entries where entry.charge.reference == reference {
                state.entries[key]?.standing = isPaid ? .succeeded : .declined
            }
        }
    }

    private func change(_ reference: String, _ change: (Charge) -> Charge) {
        state.withLock { state in
            for (key, entry) in state.entries where entry.charge.reference == reference {
                state.entries[key]?.charge = change(entry.charge)
            }
        }
    }

    // MARK: PaymentProvider

    func charge(_ request: ChargeRequest) async throws(PaymentError) -> ChargeOutcome {
        let fault = try next()
        switch fault {
        case .unreachable: throw .unavailable("connection refused")
        case .unauthorized: throw .unauthorized("no such key")
        case .refuse: throw .refused(code: "parameter_invalid", message: "no")
        case .decline: return .declined(code: "insufficient_funds", reference: nil)
        default: break
        }
        let entry = state.withLock { state in
            if let entry = state.entries[request.idempotencyKey] { return entry }
            let entry = Entry(
                charge: Self.charge(request, fault), standing: Self.standing(fault), sequence: state.entries.count)
            state.entries[request.idempotencyKey] = entry
            return entry
        }
        switch fault {
        case .lostAnswer, .lostAndStuck: throw .unavailable("timed out")
        case .undecided: return .undecided(reference: entry.charge.reference)
        case .meanwhile(let body): await body(entry.charge)
        default: break
        }
        return Self.outcome(entry)
    }

    func charge(reference: String) async throws(PaymentError) -> ChargeOutcome {
        try state.withLock { (state) throws(PaymentError) in
            guard !state.isAway else { throw .unavailable("connection refused") }
            state.lookups += 1
            guard let entry = state.entries.values.first(where: { $0.charge.reference == reference }) else {
                throw .refused(code: "resource_missing", message: reference)
            }
            return Self.outcome(entry)
        }
    }

    /// Pages of two, newest first, so that paging is tested too. It knows no times: `since` narrows nothing.
    func charges(since: Instant, after cursor: String?) async throws(PaymentError) -> ChargePage {
        try state.withLock { (state) throws(PaymentError) in
            guard !state.isAway else { throw .unavailable("connection refused") }
            let all = state.entries.values.filter { $0.standing == .succeeded }.sorted { $0.sequence > $1.sequence }
            let place = cursor.flatMap { cursor in all.firstIndex { $0.charge.reference == cursor } }
            let rest = all.dropFirst(place.map { $0 + 1 } ?? 0)
            let page = rest.prefix(2).map(\.charge)
            return ChargePage(succeeded: page, next: rest.count > 2 ? page.last?.reference : nil)
        }
    }

    func refund(_ request: RefundRequest) async throws(PaymentError) -> RefundOutcome {
        try state.withLock { (state) throws(PaymentError) in
            guard !state.isAway else { throw .unavailable("connection refused") }
            if let outcome = state.refunds[request.idempotencyKey] { return outcome }
            let fault = state.refundFaults.isEmpty ? nil : state.refundFaults.removeFirst()
            if fault == .unreachable { throw .unavailable("connection refused") }
            let pair = state.entries.first { $0.value.charge.reference == request.reference }
            guard fault != .refuse, let (key, entry) = pair,
                entry.charge.refundedMinorUnits + request.amount.minorUnits <= entry.charge.minorUnits
            else {
                // As Stripe does: what a key was told first, it is told again.
                state.refunds[request.idempotencyKey] = .refused(code: "charge_not_refundable")
                return .refused(code: "charge_not_refundable")
            }
            let name = "re_\(state.refunds.count)_\(request.orderId)"
            guard fault != .undecided else {
                state.refunds[request.idempotencyKey] = .undecided(reference: name)
                return .undecided(reference: name)
            }
            state.refunds[request.idempotencyKey] = .succeeded(reference: name)
            state.entries[key]?.charge = entry.charge.giving(back: request.amount.minorUnits)
            if fault == .lostAnswer { throw .unavailable("HTTP 500") }
            return .succeeded(reference: name)
        }
    }

    func cancel(reference: String) async throws(PaymentError) {
        try state.withLock { (state) throws(PaymentError) in
            guard !state.isAway else { throw .unavailable("connection refused") }
            for (key, entry) in state.entries where entry.charge.reference == reference {
                guard entry.standing == .undecided else {
                    throw .refused(code: "payment_intent_unexpected_state", message: "it was charged")
                }
                state.entries[key]?.standing = .declined
                state.cancelled.append(reference)
            }
        }
    }

    private func next() throws(PaymentError) -> Fault? {
        try state.withLock { (state) throws(PaymentError) in
            state.calls += 1
            guard !state.isAway else { throw .unavailable("connection refused") }
            return state.faults.isEmpty ? nil : state.faults.removeFirst()
        }
    }

    private static func outcome(_ entry: Entry) -> ChargeOutcome {
        switch entry.standing {
        case .succeeded: .succeeded(entry.charge)
        case .undecided: .undecided(reference: entry.charge.reference)
        case .declined: .declined(code: "canceled", reference: entry.charge.reference)
        }
    }

    private static func standing(_ fault: Fault?) -> Standing {
        switch fault {
        case .stuck, .lostAndStuck: .undecided
        default: .succeeded
        }
    }

    private static func charge(_ request: ChargeRequest, _ fault: Fault?) -> Charge {
        var (order, minorUnits, currency) = (
            request.orderId, request.amount.minorUnits, request.amount.currency.rawValue
        )
        switch fault {
        case .wrongOrder: order = OrderID("another")
        case .wrongAmount: minorUnits += 1
        case .wrongCurrency: currency = "XAU"
        default: break
        }
        return Charge(
            reference: "pi_\(request.idempotencyKey)", orderId: order, minorUnits: minorUnits, currency: currency)
    }
}

extension Charge {
    func giving(back minorUnits: Int64) -> Charge {
        Charge(
            reference: reference, orderId: orderId, minorUnits: self.minorUnits, currency: currency,
            refundedMinorUnits: refundedMinorUnits + minorUnits, isDisputed: isDisputed)
    }

    func with(isDisputed: Bool) -> Charge {
        Charge(
            reference: reference, orderId: orderId, minorUnits: minorUnits, currency: currency,
            refundedMinorUnits: refundedMinorUnits, isDisputed: isDisputed)
    }
}
