import Foundation
import Hummingbird
import NIOFoundationCompat

/// The sandbox's own routes: `GET /sandbox/faults`, `POST /sandbox/faults`, `GET /sandbox/state`,
/// `POST /sandbox/disputes` (`{"of": "pi_…", "status": "needs_response"}`) and `POST /sandbox/disputes/{id}`
/// (`{"status": "won"}`).
///
/// Faults are JSON by their names: `{"decline": 0.05, "delay": {"rate": 0.1, "milliseconds": 500}}`. What is not
/// named stays as it is.
struct FaultRoutes: Sendable {
    static let bodyBytesMax = 16 << 10
    static let webhookBytesMax = 512 << 10

    let ledger: SandboxLedger
    let dice: FaultDice

    func add(to router: Router<BasicRequestContext>) {
        router.get("/sandbox/faults") { _, _ in Response.json(Self.text(of: dice.faults)) }
        router.post("/sandbox/faults") { request, _ in
            let bytes = Data(buffer: try await request.body.collect(upTo: Self.bodyBytesMax))
            do {
                let faults = try Self.changed(dice.faults, by: bytes)
                dice.set(faults)
                return Response.json(Self.text(of: faults))
            } catch let error as SandboxError {
                return Response.json(StripeJSON.text(["error": error.description]), status: .badRequest)
            }
        }
        router.get("/sandbox/state") { _, _ in
            Response.json(StripeJSON.text(ledger.read(Self.counts)))
        }
        router.post("/sandbox/disputes") { request, _ in
            try await dispute(request) { books, body, given in
                guard let name = body.of, let charge = books.charge(named: name), charge.status == .succeeded else {
                    return nil
                }
                let isPayPal = books.orders[charge.paymentIntent] != nil
                let id = isPayPal ? "PP-D-" + given.payPalId("D") : given.stripeId("du")
                return books.dispute(charge, as: body.status ?? .needsResponse, id: id, given)
            }
        }
        router.post("/sandbox/disputes/{id}") { request, context in
            let id = try context.parameters.require("id")
            return try await dispute(request) { books, body, _ in
                guard let dispute = books.disputes[id], let status = body.status else { return nil }
                return books.move(dispute, to: status)
            }
        }
    }

    /// What is to become of a dispute.
    private struct DisputeBody: Decodable {
        /// A charge, payment intent, capture or order.
        var of: String?
        var status: Dispute.Status?
    }

    private func dispute(
        _ request: Request,
        _ operation: (SandboxBooks, DisputeBody, SandboxBooks.Circumstances) -> SandboxBooks.Outcome?
    ) async throws -> Response {
        let bytes = Data(buffer: try await request.body.collect(upTo: Self.bodyBytesMax))
        let body: DisputeBody
        do {
            body = try JSONDecoder().decode(DisputeBody.self, from: bytes)
        } catch {
            let known = Dispute.Status.allCases.map(\.rawValue).joined(separator: ", ")
            return .json(
                StripeJSON.text(["error": #"write it as {"of": "pi_…", "status": "…"}, with one of \#(known)"#]),
                status: .badRequest)
        }
        let missing = SandboxAnswer(status: 404, body: #"{"error":"there is no such charge or dispute"}"#)
        let outcome = try ledger.perform(key: nil, call: "dispute", body: "", reused: missing) { books, given in
            operation(books, body, given) ?? .init(answer: missing)
        }
        return .answer(outcome.answer)
    }

    private static func counts(_ books: SandboxBooks) -> [String: Int] {
        [
            "paymentIntents": books.intents.count, "paypalOrders": books.orders.count,
            "succeeded": books.charges.count { $0.status == .succeeded }, "refunds": books.refunds.count,
            "disputes": books.disputes.count,
        ]
    }

    /// One fault as JSON: a rate, or a rate with its duration.
    private enum Setting: Codable {
        struct Timed: Codable {
            let rate: Double
            var milliseconds: Int64?
        }

        case rate(Double)
        case timed(Timed)

        init(from decoder: any Decoder) throws {
            let container = try decoder.singleValueContainer()
            do {
                self = .rate(try container.decode(Double.self))
            } catch DecodingError.typeMismatch {
                self = .timed(try container.decode(Timed.self))
            }
        }

        func encode(to encoder: any Encoder) throws {
            var container = encoder.singleValueContainer()
            switch self {
            case .rate(let rate): try container.encode(rate)
            case .timed(let timed): try container.encode(timed)
            }
        }
    }

    static func changed(_ faults: SandboxFaults, by json: Data) throws(SandboxError) -> SandboxFaults {
        let settings: [String: Setting]
        do {
            settings = try JSONDecoder().decode([String: Setting].self, from: json)
        } catch {
            throw .invalid("write faults as {\"decline\": 0.05, \"delay\": {\"rate\": 0.1, \"milliseconds\": 500}}")
        }
        var faults = faults
        for (name, setting) in settings.sorted(by: { $0.key < $1.key }) {
            switch setting {
            case .rate(let rate): try faults.set(name, rate: rate)
            case .timed(let timed):
                try faults.set(name, rate: timed.rate, duration: timed.milliseconds.map { .milliseconds($0) })
            }
        }
        try faults.validate()
        return faults
    }

    static func text(of faults: SandboxFaults) -> String {
        var settings: [String: Setting] = [:]
        for (name, rate) in faults.byName {
            switch name {
            case "delay": settings[name] = .timed(.init(rate: rate, milliseconds: milliseconds(faults.delayFor)))
            case "timeout-after-charge":
                settings[name] = .timed(.init(rate: rate, milliseconds: milliseconds(faults.timeoutFor)))
            case "pending-refund":
                settings[name] = .timed(.init(rate: rate, milliseconds: milliseconds(faults.pendingFor)))
            default: settings[name] = .rate(rate)
            }
        }
        return StripeJSON.text(settings)
    }

    private static func milliseconds(_ duration: Duration) -> Int64 { Int64(duration / .milliseconds(1)) }
}
