import APIWorker
import AsyncHTTPClient
import Foundation
import Logging
import NIOCore
import NIOHTTP1
import Records
import TestSupport
import Testing

/// `muster store reconcile` as an operator runs it, beside a payment provider.
@Suite struct StoreReconcileCommandTests {
    private struct Report: Decodable {
        struct Difference: Decodable {
            let kind: String
            let detail: String
        }
        let provider: String
        let charges: Int
        let found: Int
        let differences: [Difference]
    }

    private struct Counter {
        let folder: TemporaryFolder
        let url: String

        func reconcile(_ words: String...) async throws -> MusterUp.Ending {
            try await MusterUp.run(
                ["store", "reconcile", "--data", folder.path, "--set", "payments.url=\(url)"] + words)
        }

        /// Somebody charges beside us.
        func charge() async throws {
            var request = HTTPClientRequest(url: "\(url)/v1/payment_intents")
            request.method = .POST
            request.headers = [
                "Authorization": "Bearer sk_test_muster", "Content-Type": "application/x-www-form-urlencoded",
                "Idempotency-Key": "beside-us",
            ]
            request.body = .bytes(
                ByteBuffer(string: "amount=700&currency=eur&payment_method=pm_card_visa&confirm=true"))
            let response = try await HTTPClient.shared.execute(request, timeout: .seconds(60))
            try #require(response.status == .ok)
        }
    }

    private func withCounter(_ body: (Counter) async throws -> Void) async throws {
        let folder = try TemporaryFolder()
        defer { folder.remove() }
        let quiet = Logger(label: "test", factory: { _ in SwiftLogNoOpLogHandler() })
        try RecordsDatabase.open(
            path: folder.file("accounts.sqlite"), durability: .normal, schemas: AccountsFile.schemas, logger: quiet
        ).close()
        let log = folder.file("sandbox.log")
        let sandbox = try await GuardedProcess.start(
            [try MusterUp.executable(), "sandbox", "--port", "0"], log: log,
            environment: ["PATH": ProcessInfo.processInfo.environment["PATH"] ?? ""])
        defer { sandbox.end() }
        func url() -> String? {
            let text = String(decoding: FileManager.default.contents(atPath: log) ?? Data(), as: UTF8.self)
            return text.firstMatch(of: /url=(http:\/\/[0-9.]+:[0-9]+)/).map { String($0.1) }
        }
        try await eventually("the sandbox listens") { url() != nil }
        try await body(Counter(folder: folder, url: try #require(url())))
    }

    @Test("charges that agree with the orders exit with 0, and one that has no order with 1 and what to do")
    func differences() async throws {
        try await withCounter { counter in
            let agreed = try await counter.reconcile()
            #expect(agreed.status == 0, "\(agreed.errors)")
            #expect(agreed.output.hasPrefix("stripe since ") && agreed.output.contains("0 differences"))
            try await counter.charge()
            let differs = try await counter.reconcile("--json")
            #expect(differs.status == 1)
            let reports = try JSONDecoder().decode([Report].self, from: Data(differs.output.utf8))
            #expect(reports.map(\.provider) == ["stripe"] && reports.map(\.found) == [1])
            #expect(reports.first?.differences.map(\.kind) == ["chargeWithoutOrder"])
            let told = try await counter.reconcile("--settle")
            #expect(told.status == 1 && told.output.contains("7.00 EUR charged for no order"))
        }
    }

    @Test("what can't be compared says why, and what to do next")
    func refused() async throws {
        let nowhere = try await MusterUp.run(["store", "reconcile", "--data", "/nowhere"])
        #expect(nowhere.status == 1 && nowhere.errors.contains("There is no accounts.sqlite in /nowhere."))
        let days = try await MusterUp.run(["store", "reconcile", "--since", "0"])
        #expect(days.status == 64 && days.errors.contains("--since takes 1 to 3660 days, not 0."))
        try await withCounter { counter in
            let unknown = try await counter.reconcile("--provider", "other")
            #expect(unknown.status == 1 && unknown.errors.contains("There are: stripe."))
            let away = try await counter.reconcile("--set", "payments.url=http://127.0.0.1:1")
            #expect(away.status == 1 && away.errors.contains("The charges of stripe can't be read"))
        }
    }
}
