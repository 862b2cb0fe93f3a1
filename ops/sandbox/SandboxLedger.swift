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

    /// - Parameter folder: where the file is; `nil` keeps nothing past this process.
    init(folder: String?, logger: Logger) throws(SandboxError) {
        var books = SandboxBooks()
        guard let folder else {
            state = Mutex(State(books: books, file: nil))
            return
        }
        let file = try BooksFile.open(folder: folder) { books.apply($0) }
        if books.intents.count > 0 {
            logger.info("knows earlier charges", metadata: ["intents": "\(books.intents.count)"])
        }
        state = Mutex(State(books: books, file: file))
    }

    /// Reads the books in place: a copy that outlives this call would make the next change copy all of them.
    func read<T: Sendable>(_ body: (SandboxBooks) -> T) -> T { state.withLock { body($0.books) } }

    /// Runs an operation once for its idempotency key; a call that comes again gets the first one's answer.
    ///
    /// Answers that say the call itself was wrong (400, 404, 429) are not kept, as with Stripe: nothing was begun.
    func perform(
        key: String?, call: String, body: String, declines: Bool,
        _ operation: (SandboxBooks, SandboxBooks.Circumstances) -> SandboxBooks.Outcome
    ) throws(SandboxError) -> SandboxBooks.Outcome {
        let fingerprint = Self.fingerprint(call + "\n" + body)
        let result: Result<SandboxBooks.Outcome, SandboxError> = state.withLock { state in
            if let key, let answer = state.books.replay(key: key, fingerprint: fingerprint) {
                return .success(SandboxBooks.Outcome(answer: answer))
            }
            let given = SandboxBooks.Circumstances(
                now: Int64(Date().timeIntervalSince1970), intentId: Self.name("pi", &state.random),
                chargeId: Self.name("ch", &state.random), refundId: Self.name("re", &state.random),
                declines: declines)
            let outcome = operation(state.books, given)
            var change = outcome.change
            if let key, outcome.answer.status == 200 || outcome.answer.status == 402 {
                change.keyed = .init(key: key, fingerprint: fingerprint, answer: outcome.answer)
            }
            guard !change.isEmpty else { return .success(outcome) }
            do throws(SandboxError) {
                try state.file?.append(change)
            } catch {
                return .failure(error)
            }
            state.books.apply(change)
            return .success(outcome)
        }
        return try result.get()
    }

    /// A name like Stripe's: a prefix and 24 letters and digits.
    static func name(_ prefix: String, _ random: inout some RandomNumberGenerator) -> String {
        let alphabet = Array("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz".utf8)
        let letters = (0..<24).map { _ in alphabet[Int.random(in: 0..<alphabet.count, using: &random)] }
        return prefix + "_" + String(decoding: letters, as: UTF8.self)
    }

    private static func fingerprint(_ text: String) -> String {
        Data(SHA256.hash(data: Data(text.utf8))).base64EncodedString()
    }
}
