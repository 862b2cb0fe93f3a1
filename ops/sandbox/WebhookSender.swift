import AsyncHTTPClient
import Crypto
import Foundation
import Logging
import Metrics
import NIOCore
import NIOHTTP1
import ServiceLifecycle
import Synchronization

/// Posts events to the webhook URLs, signed as Stripe and PayPal sign them; tries again with back-off when they are not
/// taken.
///
/// Events wait in memory: those not delivered when the process ends are lost, as the receiver has to expect anyway.
final class WebhookSender: Service {
    /// The most events that wait or are under way; past it the newest is dropped and counted.
    static let waitingMax = 100_000
    static let deliveriesMax = 32

    struct Settings: Sendable {
        /// Whom Stripe's events are told.
        struct Stripe: Sendable {
            let url: String
            let secret: String
        }

        /// Whom PayPal's events are told.
        struct PayPal: Sendable {
            let url: String
            let account: PayPalAccount
        }

        var stripe: Stripe?
        var payPal: PayPal?
        /// The pauses between the tries of one event; one try more than there are pauses.
        var pauses: [Duration] = [.milliseconds(250), .seconds(1), .seconds(2), .seconds(4), .seconds(8)]
        var timeout: Duration = .seconds(10)
        /// How late an event comes that others are to overtake.
        var lateness: Duration = .milliseconds(700)
    }

    private struct Delivery: Sendable {
        let type: String
        let body: String
        let isLate: Bool
        let isPayPal: Bool
    }

    private let settings: Settings
    private let dice: FaultDice
    private let client: HTTPClient
    private let logger: Logger
    private let deliveries: AsyncStream<Delivery>
    private let queue: AsyncStream<Delivery>.Continuation
    private let delivered = Counter(label: "sandbox_webhooks_delivered_total")
    private let lost = Counter(label: "sandbox_webhooks_lost_total")

    init(settings: Settings, dice: FaultDice, client: HTTPClient, logger: Logger) {
        self.settings = settings
        self.dice = dice
        self.client = client
        self.logger = logger
        (deliveries, queue) = AsyncStream.makeStream(bufferingPolicy: .bufferingOldest(Self.waitingMax))
    }

    /// Queues an event, with the faults that hit it; drops it where nobody is told.
    func send(_ event: SandboxBooks.Event) {
        guard event.isPayPal ? settings.payPal != nil : settings.stripe != nil else { return }
        var random = SystemRandomNumberGenerator()
        let id = SandboxLedger.name(event.isPayPal ? "WH" : "evt", &random)
        let body = Self.text(of: event, id: id, created: Int64(Date().timeIntervalSince1970))
        let copies = dice.roll(\.duplicateWebhook) ? 2 : 1
        for _ in 0..<copies {
            let delivery = Delivery(
                type: event.type, body: body, isLate: dice.roll(\.reorderWebhook), isPayPal: event.isPayPal)
            if case .enqueued = queue.yield(delivery) { continue }
            lost.increment()
        }
    }

    func run() async throws {
        await withDiscardingTaskGroup { group in
            let places = Places(free: Self.deliveriesMax)
            for await delivery in deliveries.cancelOnGracefulShutdown() {
                await places.take()
                group.addTask {
                    await cancelWhenGracefulShutdown { await self.deliver(delivery) }
                    await places.giveBack()
                }
            }
            // What is under way is not waited for: its receiver may be the next one to stop.
            group.cancelAll()
        }
    }

    private func deliver(_ delivery: Delivery) async {
        do {
            if delivery.isLate { try await Task.sleep(for: settings.lateness) }
            for pause in settings.pauses {
                if try await post(delivery) { return }
                try await Task.sleep(for: pause)
            }
            if try await post(delivery) { return }
            logger.warning("a webhook was not taken", metadata: ["type": "\(delivery.type)"])
        } catch {
            logger.debug("a webhook is given up: stopping", metadata: ["type": "\(delivery.type)"])
        }
        lost.increment()
    }

    /// Whether the receiver took it.
    private func post(_ delivery: Delivery) async throws(CancellationError) -> Bool {
        guard var request = request(of: delivery) else { return false }
        request.headers.add(name: "Content-Type", value: "application/json; charset=utf-8")
        request.body = .bytes(ByteBuffer(string: delivery.body))
        do {
            let response = try await client.execute(
                request, deadline: .now() + .nanoseconds(Int64(settings.timeout / .nanoseconds(1))))
            for try await _ in response.body {}
            guard (200..<300).contains(response.status.code) else {
                logger.debug("a webhook was refused", metadata: ["status": "\(response.status.code)"])
                return false
            }
            delivered.increment()
            return true
        } catch {
            if Task.isCancelled { throw CancellationError() }
            logger.debug("a webhook did not arrive", metadata: ["error": "\(error)"])
            return false
        }
    }

    /// The signed call, without its body; `nil` where nobody is told.
    private func request(of delivery: Delivery) -> HTTPClientRequest? {
        var request: HTTPClientRequest
        let now = Int64(Date().timeIntervalSince1970)
        if delivery.isPayPal {
            guard let receiver = settings.payPal else { return nil }
            request = HTTPClientRequest(url: receiver.url)
            do {
                let headers = try receiver.account.headers(
                    of: delivery.body, id: UUID().uuidString.lowercased(), at: PayPalJSON.time(now))
                for (name, value) in headers { request.headers.add(name: name, value: value) }
            } catch {
                preconditionFailure("our own events are JSON: \(error)")
            }
        } else {
            guard let receiver = settings.stripe else { return nil }
            request = HTTPClientRequest(url: receiver.url)
            let signature = Self.signature(of: delivery.body, secret: receiver.secret, at: now)
            request.headers.add(name: "Stripe-Signature", value: signature)
        }
        request.method = .POST
        return request
    }

    /// `t=<Unix seconds>,v1=<hex HMAC-SHA-256 of "t.body">`. Source: docs.stripe.com/webhooks/signature.
    static func signature(of body: String, secret: String, at time: Int64) -> String {
        let code = HMAC<SHA256>.authenticationCode(
            for: Data("\(time).\(body)".utf8), using: SymmetricKey(data: Data(secret.utf8)))
        let hex = code.map { byte in
            let digits = String(byte, radix: 16)
            return digits.count == 1 ? "0" + digits : digits
        }
        return "t=\(time),v1=\(hex.joined())"
    }

    private static func text(of event: SandboxBooks.Event, id: String, created: Int64) -> String {
        text(event.object, event, id, created)
    }

    private static func text(
        _ object: some Encodable & Sendable, _ event: SandboxBooks.Event, _ id: String, _ created: Int64
    ) -> String {
        event.isPayPal
            ? PayPalJSON.text(
                PayPalEvent(id: id, eventType: event.type, createTime: PayPalJSON.time(created), resource: object))
            : StripeJSON.text(StripeEvent(id: id, type: event.type, created: created, data: .init(object: object)))
    }
}

/// A number of places, one for each delivery under way.
private actor Places {
    private var free: Int
    private var waiting: CheckedContinuation<Void, Never>?

    init(free: Int) { self.free = free }

    /// Waits for a free place; one caller at a time.
    func take() async {
        if free == 0 { await withCheckedContinuation { waiting = $0 } }
        free -= 1
    }

    func giveBack() {
        free += 1
        waiting?.resume()
        waiting = nil
    }
}
