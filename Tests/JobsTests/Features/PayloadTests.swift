import Foundation
import GameModel
import Redis
import TestSupport
import Testing

@testable import Jobs

/// Its third form; the first had a name in one field, the second no greeting.
private struct Greeting: Job {
    static let kind = "test.greeting"
    static let payloadVersion = 3
    let first: String
    let last: String
    let word: String

    static func upcast(_ payload: [UInt8], from version: Int) throws -> [UInt8] {
        guard var fields = try JSONSerialization.jsonObject(with: Data(payload)) as? [String: String] else {
            throw Bury("no object")
        }
        if version == 1 {
            guard let parts = fields["name"]?.split(separator: " "), parts.count == 2 else {
                throw Bury("no full name")
            }
            (fields["first"], fields["last"]) = (String(parts[0]), String(parts[1]))
        } else {
            fields["word"] = "hello"
        }
        return [UInt8](try JSONSerialization.data(withJSONObject: fields))
    }
}

/// Raised without an upcaster.
private struct Raised: Job {
    static let kind = "test.raised"
    static let payloadVersion = 2
}

@Suite struct PayloadTests {
    private func job(_ id: String, _ version: Int, _ payload: String, kind: String = Greeting.kind) -> EncodedJob {
        EncodedJob(id: JobID(id), kind: kind, payload: Array(payload.utf8), payloadVersion: version)
    }

    @Test("payloads of older versions are brought up step by step, and run beside new ones")
    func upcast() async throws {
        try await withQueue { queue, _ in
            let ledger = Ledger()
            let handler = JobHandler.each(Greeting.self) { job, _ in ledger.note("\(job.word) \(job.first) \(job.last)")
            }
            try await queue.enqueue(encoded: [
                job("v1", 1, #"{"name":"Ada Lovelace"}"#), job("v2", 2, #"{"first":"Grace","last":"Hopper"}"#),
            ])
            try await queue.enqueue(Greeting(first: "Mary", last: "Shaw", word: "hi"))
            try await withWorkers([queue.worker(patient(), handler)]) { try await queue.completed(3) }
            #expect(Set(ledger.noted) == ["hello Ada Lovelace", "hello Grace Hopper", "hi Mary Shaw"])
        }
    }

    @Test("a payload that no upcaster takes is buried as undecodable, with what the upcaster said")
    func notUpcast() async throws {
        try await withQueue { queue, _ in
            let handlers = [
                JobHandler.each(Greeting.self) { _, _ in }, JobHandler.each(Raised.self) { _, _ in },
            ]
            try await queue.enqueue(encoded: [
                job("short", 1, #"{"name":"Ada"}"#), job("old", 1, "{}", kind: Raised.kind),
            ])
            let worker = JobWorker(queue: queue, configuration: patient(), handlers: handlers, logger: quiet)
            try await withWorkers([worker]) { try await queue.settled() }
            let short = try #require(try await queue.record("short"))
            #expect(short.reason == "undecodable" && short.error == "no full name" && short.attempt == 1)
            #expect(try await queue.record("old")?.reason == "undecodable")
        }
    }

    @Test("a payload of a newer version goes back unattempted, for a worker that knows it")
    func newer() async throws {
        try await withQueue { queue, _ in
            let ledger = Ledger()
            let handler = JobHandler.each(Greeting.self) { _, context in ledger.ran(context.id) }
            try await queue.enqueue(encoded: [job("v4", 4, "{}")])
            try await withWorkers([queue.worker(patient { $0.unknownKindDelay = .seconds(600) }, handler)]) {
                try await eventually("it is put off") { try await queue.counts().later == 1 }
            }
            let record = try #require(try await queue.record("v4"))
            #expect(
                ledger.total == 0 && record.attempt == 0 && record.state == .scheduled && record.payloadVersion == 4)
        }
    }

    @Test("a payload over the limit is refused before anything is sent")
    func tooLarge() async throws {
        try await withQueue { queue, _ in
            let big = [UInt8](repeating: 32, count: EncodedJob.payloadBytesMax + 1)
            await #expect(throws: JobError.self) {
                try await queue.enqueue(encoded: [EncodedJob(id: JobID("a"), kind: "k", payload: big)])
            }
            let counts = try await queue.counts()
            #expect(counts.enqueued == 0)
        }
    }

    @Test(
        "one that got in by another writer is buried as oversize, its hook told, and the books hold",
        arguments: [1, 20])
    func oversize(_ factor: Int) async throws {
        try await withQueue { queue, _ in
            let script = RedisScript(
                name: "test",
                fragments: [
                    JobScripts.enqueueFragment,
                    Array(
                        """
                        local payload = string.rep('x', tonumber(ARGV[3]))
                        return muster_enqueue(1, (muster_clock()), { ARGV[1], ARGV[2] .. payload, '0' })
                        """.utf8),
                ])
            let job = EncodedJob(id: JobID("big"), kind: Errand.kind, payload: [])
            _ = try await queue.redis.run(
                script, keys: JobKeys(queue.name).forEnqueue,
                arguments: [
                    RedisArgument(job.id.rawValue), RedisArgument(job.header),
                    RedisArgument(EncodedJob.payloadBytesMax * factor + 1),
                ])
            let ledger = Ledger()
            let handler = JobHandler.each(
                Errand.self, onBury: { job, _, bury in ledger.note("\(job == nil) \(bury.reason)") },
                { _, context in ledger.ran(context.id) })
            try await withWorkers([queue.worker(patient(), handler)]) { try await queue.settled() }
            #expect(ledger.noted == ["true oversize"] && ledger.total == 0)
            #expect(try await queue.record("big")?.reason == "oversize")
            #expect(try await queue.purge([JobID("big")]) == [true])
            let counts = try await queue.counts()
            #expect(counts.bytes == 0 && counts.deadBytes == 0 && counts.isBalanced)
        }
    }

    @Test("a kind that could be read as a word of the envelope is refused")
    func kindWithEquals() async throws {
        try await withQueue { queue, _ in
            await #expect(throws: JobError.self) {
                try await queue.enqueue(encoded: [EncodedJob(id: JobID("a"), kind: "c=1", payload: [])])
            }
        }
    }

    @Test("every reason code can be given by a handler and by hand, and is read back", arguments: ReasonCode.allCases)
    func reasons(_ reason: ReasonCode) async throws {
        try await withQueue { queue, _ in
            try await queue.put("handler", "hand")
            let lease = try #require(try await queue.take(1).first)
            try await queue.settle(lease, .bury(Bury("because", reason: reason)))
            #expect(try await queue.bury(JobID("hand"), as: Bury("because", reason: reason)) == .buried)
            for id in ["handler", "hand"] {
                let record = try #require(try await queue.record(id))
                #expect(record.reason == reason.rawValue && record.error == "because" && record.state == .dead)
            }
        }
    }

    @Test("the reason codes are those that operators filter by")
    func reasonCodes() {
        let codes = ["handlerError", "timeout", "crashed", "undecodable", "unknownType", "oversize", "expired"]
        #expect(ReasonCode.allCases.map(\.rawValue) == codes)
    }
}
