import Crypto
import Foundation
import Logging
import Synchronization

/// The sandbox's books in this process: operations one at a time, each written to the file before it is answered.
final class SandboxLedger: Sendable {
    private struct State: Sendable {
        var books: SandboxBooks
        let file: BooksFile?
        var random = SystemRandomNumberGenerator()
    }

    private let state: Mutex<State>
    private let dice: FaultDice
    private let tell: @Sendable ([SandboxBooks.Event]) -> Void
    private let logger: Logger

    /// - Parameters:
    ///   - folder: where the file is; `nil` keeps nothing past this process.
    ///   - tell: told what happened, for webhooks.
    init(
        folder: String?, dice: FaultDice, logger: Logger,
        tell: @escaping @Sendable ([SandboxBooks.Event]) -> Void = { _ in }
    ) throws(SandboxError) {
        (self.dice, self.logger, self.tell) = (dice, logger, tell)
        var books = SandboxBooks()
        guard let folder else {
            state = Mutex(State(books: books, file: nil))
            return
        }
        let file = try BooksFile.open(folder: folder) { books.apply($0) }
        if books.charges.count > 0 {
            logger.info("knows earlier charges", metadata: ["charges": "\(books.charges.count)"])
        }
        state = Mutex(State(books: books, file: file))
    }

    /// Reads the books in place: a copy that outlives this call would make the next change copy all of them.
    func read<T: Sendable>(_ body: (SandboxBooks) -> T) -> T {
        decideRefunds()
        return state.withLock { body($0.books) }
    }

    /// Runs an operation once for its idempotency key; a call that comes again gets the first one's answer.
    ///
    /// Answers that say the call itself was wrong (400, 404, 429) are not kept, as with Stripe: nothing was begun.
    ///
    /// - Parameter reused: the answer to another call under a key that was used.
    func perform(
        key: String?, call: String, body: String, reused: SandboxAnswer,
        _ operation: (SandboxBooks, SandboxBooks.Circumstances) -> SandboxBooks.Outcome
    ) throws(SandboxError) -> SandboxBooks.Outcome {
        decideRefunds()
        let fingerprint = Self.fingerprint(call + "\n" + body)
        let faults = dice.faults
        let luck = (dice.roll(\.decline), dice.roll(\.wrongAmount), dice.roll(\.pendingRefund))
        let result: Result<SandboxBooks.Outcome, SandboxError> = state.withLock { state in
            if let key, let kept = state.books.answer(to: key) {
                return .success(
                    SandboxBooks.Outcome(answer: kept.fingerprint == fingerprint ? kept.answer : reused))
            }
            let given = SandboxBooks.Circumstances(
                milliseconds: Self.now(), token: Self.token(&state.random), declines: luck.0, missesAmount: luck.1,
                delaysRefund: luck.2, pendingFor: Int64(faults.pendingFor / .milliseconds(1)))
            let outcome = operation(state.books, given)
            var change = outcome.change
            if let key, [200, 201, 402, 422].contains(outcome.answer.status) {
                change.keyed = .init(key: key, fingerprint: fingerprint, answer: outcome.answer)
            }
            return Self.write(change, of: outcome, to: &state)
        }
        let outcome = try result.get()
        tell(outcome.events)
        return outcome
    }

    /// Decides the refunds whose time has come: whoever looks finds them decided.
    private func decideRefunds() {
        while true {
            let decided: Result<SandboxBooks.Outcome, SandboxError>? = state.withLock { state in
                guard let refund = state.books.dueRefund(at: Self.now()) else { return nil }
                let outcome = state.books.decide(refund)
                return Self.write(outcome.change, of: outcome, to: &state)
            }
            switch decided {
            case nil: return
            case .success(let outcome): tell(outcome.events)
            case .failure(let error):
                logger.error("a refund can't be decided", metadata: ["error": "\(error)"])
                return
            }
        }
    }

    private static func write(
        _ change: SandboxBooks.Change, of outcome: SandboxBooks.Outcome, to state: inout State
    ) -> Result<SandboxBooks.Outcome, SandboxError> {
        guard !change.isEmpty else { return .success(outcome) }
        do throws(SandboxError) {
            try state.file?.append(change)
        } catch {
            return .failure(error)
        }
        state.books.apply(change)
        return .success(outcome)
    }

    /// A name like Stripe's: a prefix and 24 letters and digits.
    static func name(_ prefix: String, _ random: inout some RandomNumberGenerator) -> String {
        prefix + "_" + token(&random)
    }

    private static func token(_ random: inout some RandomNumberGenerator) -> String {
        let alphabet = Array("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz".utf8)
        let letters = (0..<24).map { _ in alphabet[Int.random(in: 0..<alphabet.count, using: &random)] }
        return String(decoding: letters, as: UTF8.self)
    }

    private static func now() -> Int64 { Int64(Date().timeIntervalSince1970 * 1000) }

    private static func fingerprint(_ text: String) -> String {
        Data(SHA256.hash(data: Data(text.utf8))).base64EncodedString()
    }
}
