import AsyncHTTPClient
import Foundation
import GameModel
import NIOCore
import NIOFoundationCompat
import NIOHTTP1
import Sandbox
import ServiceLifecycle
import TestSupport

@testable import Store

/// A sandbox of a test's own, and providers that talk to it.
struct SandboxHouse {
    let url: String
    let stripe: StripeProvider
    let payPal: PayPalProvider

    /// Runs the body beside a sandbox.
    static func open(
        faults: String = "", secretKey: String? = nil, clientSecret: String? = nil, timeout: Duration = .seconds(60),
        stripeHook: String? = nil, payPalHook: String? = nil, _ body: (SandboxHouse) async throws -> Void
    ) async throws {
        var configuration = SandboxConfiguration()
        configuration.port = 0
        configuration.seed = 7
        configuration.faults = try SandboxFaults(faults)
        (configuration.webhookURL, configuration.payPalWebhookURL) = (stripeHook, payPalHook)
        let (ports, listening) = AsyncStream<Int>.makeStream()
        let services = try SandboxProcess(configuration: configuration)
            .services(logger: StoreHouse.quiet()) { listening.yield($0) }
        try await withServices(services) {
            var iterator = ports.makeAsyncIterator()
            guard let port = await iterator.next() else { throw TestSupportError("the sandbox did not listen") }
            let url = "http://127.0.0.1:\(port)"
            let house = SandboxHouse(
                url: url,
                stripe: StripeProvider(
                    url: url, secretKey: secretKey ?? configuration.secretKey, timeout: timeout, connections: 16),
                payPal: PayPalProvider(
                    url: url, clientId: configuration.payPalClientId,
                    clientSecret: clientSecret ?? configuration.payPalClientSecret, timeout: timeout, connections: 16))
            let outcome: Result<Void, any Error>
            do {
                outcome = .success(try await body(house))
            } catch {
                outcome = .failure(error)
            }
            try await house.stripe.shutdown()
            try await house.payPal.shutdown()
            try outcome.get()
        }
    }

    /// Tells the sandbox something: faults, a dispute. Answers the fields of its answer that are text.
    @discardableResult
    func tell(_ path: String, _ json: String) async throws -> [String: String] {
        var request = HTTPClientRequest(url: url + "/sandbox/" + path)
        request.method = .POST
        request.body = .bytes(ByteBuffer(string: json))
        let response = try await HTTPClient.shared.execute(request, timeout: .seconds(60))
        let body = Data(buffer: try await response.body.collect(upTo: 1 << 20))
        guard response.status == .ok else { throw TestSupportError(String(decoding: body, as: UTF8.self)) }
        let fields = try JSONSerialization.jsonObject(with: body) as? [String: Any] ?? [:]
        return fields.compactMapValues { $0 as? String }
    }

    static func request(_ order: String, _ minorUnits: Int64 = 499, method: String = "pm_card_visa") -> ChargeRequest {
        ChargeRequest(
            orderId: OrderID(order), playerId: StoreHouse.player,
            amount: Money(minorUnits: minorUnits, currency: .eur), paymentMethod: method)
    }

    static func refund(_ charge: Charge, _ order: String, _ minorUnits: Int64 = 499) -> RefundRequest {
        RefundRequest(
            reference: charge.reference, orderId: OrderID(order), amount: Money(minorUnits: minorUnits, currency: .eur))
    }
}

extension ChargeOutcome {
    /// The charge, where there is one.
    var charged: Charge {
        get throws {
            guard case .succeeded(let charge) = self else { throw TestSupportError("it is no charge: \(self)") }
            return charge
        }
    }
}
