import GameModel
import Jobs
import Logging
import Records
import Synchronization
import TestSupport
import Testing

@testable import Store

/// The verifiers without Redis: what the outbox owes is run one job at a time, and the clock jumps to the next job that
/// is due. So an hour's outage takes no time, and every run takes the same steps.
final class Verifiers: Sendable {
    private struct State {
        var token: UInt64 = 0
        var due: [String: Instant] = [:]
    }

    let desk: StoreDesk
    let provider: FaultyProvider
    private let handlers: [JobHandler]
    private let state = Mutex(State())

    init(
        _ desk: StoreDesk, _ provider: FaultyProvider, others: [FaultyProvider] = [],
        timeOut: Duration = VerifyPaymentHandler.timeOut
    ) {
        self.desk = desk
        self.provider = provider
        let (clock, all) = (desk.clock, [provider] + others)
        handlers = [
            VerifyPaymentHandler(
                repository: desk.repository, providers: all, timeOut: timeOut, clock: { clock.now }
            ).handler,
            SettleOrderHandler(repository: desk.repository, providers: all, clock: { clock.now }).handler,
        ]
    }

    /// Opens a desk and its verifiers.
    static func open(
        timeOut: Duration = VerifyPaymentHandler.timeOut, _ body: (Verifiers) async throws -> Void
    ) async throws {
        try await StoreDesk.open { desk in
            try await body(Verifiers(desk, FaultyProvider(), timeOut: timeOut))
        }
    }

    /// Runs whatever is owed until nothing is, or until so much time has passed.
    func run(atMost limit: Duration = .seconds(3 * 86_400)) async throws {
        let end = desk.clock.now + limit
        while let job = try await next() {
            let (name, due) = job
            if due > desk.clock.now {
                guard due <= end else { return desk.clock.advance(by: end - desk.clock.now) }
                desk.clock.advance(by: due - desk.clock.now)
            }
            try await run(name)
        }
    }

    /// The jobs that are owed, by their ids.
    func owed() async throws -> [String] {
        try await desk.database.read { db in
            try Outbox.due(in: db, relayedBefore: .max, limit: 1_000).map(\.jobId)
        }
    }

    /// One attempt of an owed job.
    @discardableResult
    func run(_ jobId: String) async throws -> JobOutcome {
        let entry = try await desk.database.read { db in try Outbox.entry(jobId: jobId, in: db) }
        return try await attempt(try #require(entry, "no job \(jobId) is owed"))
    }

    /// One attempt of a job, owed or not: a queue may run one again that was settled.
    func attempt(_ entry: OutboxEntry) async throws -> JobOutcome {
        let token = state.withLock { state in
            state.token += 1
            return state.token
        }
        let handler = try #require(handlers.first { $0.kind == entry.kind })
        let outcome = await handler.run([Self.input(entry, token: token, at: desk.clock.now)])[0]
        state.withLock { state in
            switch outcome {
            case .snoozed(let pause): state.due[entry.jobId] = desk.clock.now + pause
            case .completed: state.due[entry.jobId] = nil
            default: state.due[entry.jobId] = desk.clock.now + .seconds(1)
            }
        }
        return outcome
    }

    private func next() async throws -> (name: String, due: Instant)? {
        let owed = try await owed()
        return state.withLock { state in
            owed.map { (name: $0, due: state.due[$0] ?? desk.clock.now) }.min { $0.due < $1.due }
        }
    }

    /// Another attempt of an order's verification begins, and comes no further.
    func takeOver(_ order: Order) async {
        let token = state.withLock { state in
            state.token += 1
            return state.token
        }
        let attempt = SettlementsRepository.Attempt(
            jobId: VerifyPayment.jobId(of: order.orderId).rawValue, token: token, at: desk.clock.now)
        do {
            _ = try await desk.repository.settlements.beginVerifying(order.orderId, attempt)
        } catch {
            Issue.record("\(error)")
        }
    }

    static func input(_ entry: OutboxEntry, token: UInt64, at now: Instant) -> HandlerInput {
        let context = JobContext(
            id: JobID(entry.jobId), kind: entry.kind, queue: VerifyPayment.queue, attempt: 1, maxAttempts: 1_000,
            token: token, enqueuedAt: now, leasedAt: now, logger: StoreHouse.quiet(),
            reports: JobReports(progress: { _, _, _, _ in true }, result: nil))
        return HandlerInput(payload: entry.payload, payloadVersion: 1, context: context, policy: nil, trace: [:])
    }

    // MARK: Webhooks

    /// The provider tells of an order.
    @discardableResult
    func hear(
        _ id: String, _ type: String = "charge.refunded", of order: Order?,
        as subject: ProviderEvent.Subject = .aftermath, reference: String? = nil
    ) async throws -> WebhookOutcome {
        let event = ProviderEvent(
            id: id, type: type, reference: reference ?? order.map { self.reference($0) }, orderId: order?.orderId,
            subject: subject)
        let clock = desk.clock
        let receiver = WebhookReceiver(
            repository: desk.repository, verifiers: [ToldEvents(name: provider.name, told: event)],
            clock: { clock.now })
        return try await receiver.receive(provider: provider.name, headers: [:], body: Array("{}".utf8))
    }

    // MARK: Orders

    func place(_ product: ProductID = StoreDesk.knight, by player: PlayerID = StoreDesk.player) async throws -> Order {
        try await desk.place(product, by: player)
    }

    /// Places an order and brings it to its end.
    func buy(_ product: ProductID = StoreDesk.knight, by player: PlayerID = StoreDesk.player) async throws -> Order {
        let order = try await place(product, by: player)
        try await run()
        return try await now(order)
    }

    func now(_ order: Order) async throws -> Order { try await desk.store.orders.order(order.orderId) }

    func reference(_ order: Order) -> String { "pi_\(order.orderId)" }

    /// Nothing is owed, the books agree with themselves, and the ledger holds what the provider does.
    func expectSettled(sourceLocation: SourceLocation = #_sourceLocation) async throws {
        #expect(try await owed() == [], sourceLocation: sourceLocation)
        #expect(try await desk.broken() == [], sourceLocation: sourceLocation)
        let report = try await Reconciler(repository: desk.repository, clock: { [desk] in desk.clock.now })
            .run(with: provider, since: Instant(milliseconds: 0), settling: false)
        #expect(report.differences == [], sourceLocation: sourceLocation)
    }
}

/// Takes whatever comes for the event that it is told.
struct ToldEvents: WebhookVerifier {
    let name: String
    let told: ProviderEvent

    func event(headers: [String: String], body: [UInt8], at now: Instant) async throws(StoreError) -> ProviderEvent {
        told
    }
}
