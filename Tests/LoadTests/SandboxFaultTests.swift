import Foundation
import Logging
import TestSupport
import Testing

@testable import Sandbox

@Suite("Payment sandbox under faults")
struct SandboxFaultTests {
    private static let visa = "amount=499&currency=eur&payment_method=pm_card_visa&confirm=true"

    private func withFaults(
        _ text: String, _ body: (SandboxClient) async throws -> Void
    ) async throws {
        var configuration = SandboxConfiguration()
        configuration.faults = try SandboxFaults(text)
        configuration.seed = 1
        try await withSandbox(configuration) { try await body($0) }
    }

    @Test("an error before the charge leaves nothing; the same key charges once it is over")
    func errorBefore() async throws {
        try await withFaults("error=1") { sandbox in
            let failed = try await sandbox.post("/v1/payment_intents", Self.visa, key: "k")
            #expect(failed.status == 500)
            #expect(failed.fault["type"] as? String == "api_error")
            #expect(try await sandbox.get("/v1/payment_intents").ids.isEmpty)
            #expect(try await sandbox.post("/sandbox/faults", #"{"error":0}"#, key: nil).status == 200)
            #expect(try await sandbox.post("/v1/payment_intents", Self.visa, key: "k")["status"] == "succeeded")
        }
    }

    @Test("an error after the charge charged; the same key then answers truly, without a second charge")
    func errorAfter() async throws {
        try await withFaults("error-after-charge=1") { sandbox in
            #expect(try await sandbox.post("/v1/payment_intents", Self.visa, key: "k").status == 500)
            let again = try await sandbox.post("/v1/payment_intents", Self.visa, key: "k")
            #expect(again["status"] == "succeeded")
            #expect(try await sandbox.get("/v1/payment_intents").ids.count == 1)
        }
    }

    @Test("a time-out after the charge charged: the connection ends without an answer, the same key gives it")
    func timeoutAfter() async throws {
        try await withFaults("timeout-after-charge=1:0s") { sandbox in
            await #expect(throws: (any Error).self) {
                try await sandbox.post("/v1/payment_intents", Self.visa, key: "k")
            }
            let again = try await sandbox.post("/v1/payment_intents", Self.visa, key: "k")
            #expect(again["status"] == "succeeded")
            #expect(try await sandbox.get("/v1/payment_intents").ids.count == 1)
        }
    }

    @Test("a held answer does not hold the sandbox up when it is asked to stop", .timeLimit(.minutes(1)))
    func stopsWhileHolding() async throws {
        try await withFaults("timeout-after-charge=1:120s") { sandbox in
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask {
                    // It gets no answer; that is what is being held.
                    do { _ = try await sandbox.post("/v1/payment_intents", Self.visa, key: "k") } catch { return }
                }
                try await eventually("the charge is done") {
                    try await sandbox.get("/v1/payment_intents").ids.count == 1
                }
                group.cancelAll()
            }
        }
    }

    @Test("declined at random is declined for good, and 429 begins nothing")
    func declineAndRateLimit() async throws {
        try await withFaults("decline=1") { sandbox in
            #expect(try await sandbox.post("/v1/payment_intents", Self.visa, key: "k").status == 402)
            _ = try await sandbox.post("/sandbox/faults", #"{"decline":0,"rate-limit":1}"#, key: nil)
            #expect(try await sandbox.post("/v1/payment_intents", Self.visa, key: "k2").status == 429)
            _ = try await sandbox.post("/sandbox/faults", #"{"rate-limit":0}"#, key: nil)
            #expect(try await sandbox.post("/v1/payment_intents", Self.visa, key: "k").status == 402)
            #expect(try await sandbox.post("/v1/payment_intents", Self.visa, key: "k2")["status"] == "succeeded")
        }
    }

    @Test("faults are read back as they were set; what can't be is refused and changes nothing")
    func faultRoutes() async throws {
        try await withFaults("decline=0.5,delay=0.1:250ms") { sandbox in
            let before = try await sandbox.get("/sandbox/faults")
            #expect(before.json["decline"] as? Double == 0.5)
            #expect((before.json["delay"] as? [String: Double]) == ["rate": 0.1, "milliseconds": 250])
            for bad in ["{", #"{"decline":2}"#, #"{"nothing":0.1}"#, #"{"decline":{"rate":0.1,"milliseconds":5}}"#] {
                #expect(try await sandbox.post("/sandbox/faults", bad, key: nil).status == 400)
            }
            #expect(try await sandbox.get("/sandbox/faults").body == before.body)
            let changed = try await sandbox.post(
                "/sandbox/faults", #"{"delay":{"rate":0,"milliseconds":100}}"#, key: nil)
            #expect(changed.json["decline"] as? Double == 0.5)
            #expect((changed.json["delay"] as? [String: Double]) == ["rate": 0, "milliseconds": 100])
        }
    }

    @Test("the same seed brings the same faults")
    func seeded() {
        var faults = SandboxFaults()
        faults.decline = 0.3
        let dice = (0..<2).map { _ in FaultDice(faults: faults, seed: 42) }
        let rolls = dice.map { dice in (0..<200).map { _ in dice.roll(\.decline) } }
        #expect(rolls[0] == rolls[1])
        #expect((30...90).contains(rolls[0].count { $0 }))
    }

    @Test(
        "faults that can't be read are refused in words",
        arguments: [
            "decline", "decline=x", "decline=-1", "nothing=0.1", "decline=0.1:5s", "delay=0.1:5h", "delay=1:300s",
        ])
    func refusesFaults(text: String) {
        #expect(throws: SandboxError.self) { try SandboxFaults(text) }
    }
}
