import GameModel
import Testing

@testable import Jobs

@Suite struct BackoffTests {
    @Test("the wait doubles with each attempt up to the cap")
    func doubling() {
        let backoff = Backoff.exponential(base: .seconds(1), cap: .seconds(60), jitter: 0)
        let waits = (1...8).map { backoff.delay(afterAttempt: $0, random: 0.5).milliseconds }
        #expect(waits == [1000, 2000, 4000, 8000, 16000, 32000, 60000, 60000])
        #expect(backoff.delay(afterAttempt: 1_000_000, random: 0.5) == .seconds(60))
    }

    @Test("jitter spreads the wait evenly around itself, and no further")
    func jitter() {
        let backoff = Backoff.exponential(base: .seconds(10), cap: .seconds(60), jitter: 0.2)
        #expect(backoff.delay(afterAttempt: 1, random: 0) == .seconds(8))
        #expect(backoff.delay(afterAttempt: 1, random: 0.5) == .seconds(10))
        #expect(backoff.delay(afterAttempt: 1, random: 1) == .seconds(12))
        #expect(Backoff.fixed(.seconds(3)).delay(afterAttempt: 9, random: 0) == .seconds(3))
    }

    @Test(
        "an envelope's form of it reads back the same",
        arguments: [
            Backoff.standard, .fixed(.milliseconds(250)), .fixed(.seconds(1), jitter: 0.5),
            .exponential(base: .milliseconds(1), cap: .seconds(9), jitter: 0.125),
        ])
    func text(_ backoff: Backoff) {
        #expect(Backoff(text: backoff.text) == backoff)
    }

    @Test("other text is no backoff", arguments: ["", "x", "e:1:2", "f:a:0", "e:1:2:z"])
    func malformed(_ text: String) { #expect(Backoff(text: text) == nil) }
}

@Suite struct EnvelopeTests {
    @Test("the golden form of version 1 is read, fields that nobody knows are skipped")
    func golden() throws {
        let text = "1 1764020000123 2 7 store.verify-payment z=later b=f:250:0.0\n{\"a\":\n1}"
        let envelope = try #require(Envelope(Array(text.utf8)))
        #expect(envelope.enqueuedAt == Instant(milliseconds: 1_764_020_000_123))
        #expect(envelope.priority == 2)
        #expect(envelope.maxAttempts == 7)
        #expect(envelope.kind == "store.verify-payment")
        #expect(envelope.words.backoff == .fixed(.milliseconds(250)))
        #expect(String(decoding: envelope.payload, as: UTF8.self) == "{\"a\":\n1}")
    }

    @Test(
        "what is no envelope is refused", arguments: ["", "\n", "1 2 3\n", "3 1 0 3 k\n", "1 x 0 3 k\n"])
    func malformed(_ text: String) { #expect(Envelope(Array(text.utf8)) == nil) }

    @Test("a job out of bounds is refused before anything is sent")
    func validation() {
        func refused(_ job: EncodedJob) -> Bool {
            do { try job.validate() } catch { return true }
            return false
        }
        let big = [UInt8](repeating: 32, count: EncodedJob.payloadBytesMax + 1)
        #expect(refused(EncodedJob(id: JobID("a"), kind: "k", payload: big)))
        #expect(refused(EncodedJob(id: JobID("a b"), kind: "k", payload: [])))
        #expect(refused(EncodedJob(id: JobID("a"), kind: "k k", payload: [])))
        #expect(refused(EncodedJob(id: JobID("a"), kind: "k", payload: [], options: JobOptions(priority: 4))))
        #expect(refused(EncodedJob(id: JobID("a"), kind: "k", payload: [], options: JobOptions(maxAttempts: 0))))
        #expect(!refused(EncodedJob(id: JobID("a"), kind: "k", payload: [])))
    }

    @Test("a queue's name has a narrow alphabet, since it is part of every key")
    func names() {
        #expect(QueueName(rawValue: "duel:eu") != nil)
        for text in ["", "a b", "a{b}", "A", String(repeating: "a", count: 65)] {
            #expect(QueueName(rawValue: text) == nil)
        }
    }
}

@Suite struct LeaseStateMachineTests {
    @Test("an attempt that ends while its lease is held is settled")
    func held() {
        var lease = LeaseStateMachine()
        #expect(lease.handlerEnded() == .settle)
        #expect(lease.renewalRefused() == .none)
        #expect(lease.graceEnded() == .none)
    }

    @Test("a lost lease cancels its handler once, and late success sends nothing")
    func lost() {
        var lease = LeaseStateMachine()
        #expect(lease.renewalRefused() == .cancelHandler)
        #expect(lease.renewalRefused() == .none)
        #expect(!lease.isHeld)
        #expect(lease.handlerEnded() == .discard)
    }

    @Test("a stop cancels, then hands back; what ends in between is settled")
    func stop() {
        var slow = LeaseStateMachine()
        #expect(slow.stopRequested() == .cancelHandler)
        #expect(slow.stopRequested() == .none)
        #expect(slow.isHeld)
        var quick = slow
        #expect(quick.handlerEnded() == .settle)
        #expect(slow.graceEnded() == .release)
        #expect(slow.handlerEnded() == .discard)
    }
}
