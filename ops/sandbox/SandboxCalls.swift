import Foundation
import HTTPTypes
import Hummingbird
import Logging
import ServiceLifecycle

/// How calls go that move money, whoever's API they are of: the faults that hit them, the operation, the faults of the
/// way back.
struct SandboxCalls: Sendable {
    static let bodyBytesMax = 64 << 10

    /// What a fault is answered as.
    struct Words: Sendable {
        let rateLimit: SandboxAnswer
        let internalError: SandboxAnswer
        /// Another call under a key that was used.
        let reusedKey: SandboxAnswer
    }

    let ledger: SandboxLedger
    let dice: FaultDice
    let logger: Logger

    /// Why no answer is sent: the connection is closed instead.
    private struct ConnectionCut: Error {}

    /// - Parameters:
    ///   - key: the call's idempotency key.
    ///   - call: what the key is for, beside the body.
    func perform(
        key: String?, call: String, body: String, words: Words,
        _ operation: (SandboxBooks, SandboxBooks.Circumstances) -> SandboxBooks.Outcome
    ) async throws -> Response {
        if dice.roll(\.delay) { try await hold(dice.faults.delayFor) }
        if dice.roll(\.rateLimit) { return .answer(words.rateLimit) }
        if dice.roll(\.error) { return .answer(words.internalError) }
        let outcome: SandboxBooks.Outcome
        do {
            outcome = try ledger.perform(key: key, call: call, body: body, reused: words.reusedKey, operation)
        } catch {
            logger.error("the books can't be written", metadata: ["error": "\(error)"])
            return .answer(words.internalError)
        }
        if outcome.isMoney {
            // The idempotency key keeps the true answer: these faults are of the way back, not of the charge.
            if dice.roll(\.timeoutAfterCharge) {
                try await hold(dice.faults.timeoutFor)
                return Self.cut()
            }
            if dice.roll(\.errorAfterCharge) { return .answer(words.internalError) }
        }
        return .answer(outcome.answer)
    }

    /// Waits, but not past the moment when the sandbox is asked to stop.
    private func hold(_ duration: Duration) async throws {
        try await cancelWhenGracefulShutdown {
            do {
                try await Task.sleep(for: duration)
            } catch is CancellationError {
                logger.debug("a held call is let go: stopping")
            }
        }
    }

    /// Announces an answer and closes the connection instead of sending it.
    private static func cut() -> Response {
        Response(status: .ok, body: ResponseBody { _ in throw ConnectionCut() })
    }
}

extension Response {
    static func json(_ text: String, status: HTTPResponse.Status = .ok) -> Response {
        Response(
            status: status, headers: [.contentType: "application/json"],
            body: ResponseBody(byteBuffer: ByteBuffer(string: text + "\n")))
    }

    static func answer(_ answer: SandboxAnswer) -> Response {
        .json(answer.body, status: HTTPResponse.Status(code: answer.status))
    }
}
