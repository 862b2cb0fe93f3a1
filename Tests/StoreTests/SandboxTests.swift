import GameModel
import Jobs
import Records
import Sandbox
import ServiceLifecycle
import TestSupport
import Testing

@testable import Store

@Suite("Over HTTP, against the sandbox")
struct SandboxTests {
    /// Runs the body beside a sandbox of its own, with a provider that talks to it.
    private func withSandbox(
        faults: String = "", secretKey: String? = nil, timeout: Duration = .seconds(20),
        _ body: (StripeProvider) async throws -> Void
    ) async throws {
        var configuration = SandboxConfiguration()
        configuration.port = 0
        configuration.seed = 7
        configuration.faults = try SandboxFaults(faults)
        let (ports, listening) = AsyncStream<Int>.makeStream()
        let services = try SandboxProcess(configuration: configuration)
            .services(logger: StoreHouse.quiet()) { listening.yield($0) }
        try await withServices(services) {
            var iterator = ports.makeAsyncIterator()
            let port = try #require(await iterator.next())
            let provider = StripeProvider(
                url: "http://127.0.0.1:\(port)", secretKey: secretKey ?? configuration.secretKey, timeout: timeout,
                connections: 16)
            do {
                try await body(provider)
            } catch {
                try await provider.shutdown()
                throw error
            }
            try await provider.shutdown()
        }
    }

    private func request(_ order: String, _ minorUnits: Int64 = 499, method: String = "pm_card_visa") -> ChargeRequest {
        ChargeRequest(
            orderId: OrderID(order), playerId: StoreHouse.player,
            amount: Money(minorUnits: minorUnits, currency: .eur), paymentMethod: method)
    }

    @Test("a charge is made once per order, can be looked up, listed and refunded")
    func lifecycle() async throws {
        try await withSandbox { provider in
            let first = try await provider.charge(request("o-1"))
            guard case .succeeded(let charge) = first else {
                Issue.record("unexpected \(first)")
                return
            }
            #expect(charge.orderId == OrderID("o-1"))
            #expect(charge.isExactly(Money(minorUnits: 499, currency: .eur)))
            #expect(try await provider.charge(request("o-1")) == first)
            #expect(try await provider.charge(reference: charge.reference) == first)
            let error = await #expect(throws: PaymentError.self) { try await provider.charge(request("o-1", 500)) }
            guard case .refused = error else {
                Issue.record("unexpected \(String(describing: error))")
                return
            }
            _ = try await provider.charge(request("o-2"))
            #expect(try await provider.charges(after: nil).succeeded.count == 2)
            try await provider.refund(reference: charge.reference, idempotencyKey: "refund-o-1")
        }
    }

    @Test("a bad secret key is told apart from an outage")
    func unauthorized() async throws {
        try await withSandbox(secretKey: "sk_wrong") { provider in
            let error = await #expect(throws: PaymentError.self) { try await provider.charge(request("o-1")) }
            guard case .unauthorized = error else {
                Issue.record("unexpected \(String(describing: error))")
                return
            }
        }
    }

    @Test("nobody listening and an answer that doesn't come are outages")
    func outages() async throws {
        try await withSandbox(faults: "timeout-after-charge=1:30s", timeout: .milliseconds(300)) { provider in
            let late = await #expect(throws: PaymentError.self) { try await provider.charge(request("o-1")) }
            guard case .unavailable = late else {
                Issue.record("unexpected \(String(describing: late))")
                return
            }
            let page = try await provider.charges(after: nil)
            #expect(page.succeeded.count == 1)
        }
        let nobody = StripeProvider(url: "http://127.0.0.1:1", secretKey: "sk")
        let refused = await #expect(throws: PaymentError.self) { try await nobody.charge(request("o-1")) }
        try await nobody.shutdown()
        guard case .unavailable = refused else {
            Issue.record("unexpected \(String(describing: refused))")
            return
        }
    }

    @Test("with half of all calls failing, every order gets one verdict and the books agree with the provider's")
    func faults() async throws {
        let faults = "decline=0.1,rate-limit=0.1,error=0.1,error-after-charge=0.1,timeout-after-charge=0.1:0ms"
        try await withSandbox(faults: faults) { provider in
            try await StoreHouse.open(verifiers: 2, charging: provider) { house in
                var orders: [Order] = []
                for index in 0..<60 {
                    orders.append(try await house.place(by: PlayerID("player-\(index)")))
                }
                var states: [OrderState: Int] = [:]
                for order in orders {
                    states[try await house.verdict(on: order, within: .seconds(60)).state, default: 0] += 1
                }
                #expect(Set(states.keys).isSubset(of: [.paid, .declined]))
                #expect(states[.paid, default: 0] > 30)
                try await house.expectSettled()
            }
        }
    }
}
