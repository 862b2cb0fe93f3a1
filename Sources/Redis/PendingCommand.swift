import NIOCore
import Synchronization

/// One call that waits for its reply or replies: a command, or a pipeline that is written and answered as one.
///
/// It ends exactly once, by whichever comes first of reply, time-out, cancellation and failure. One that ended before
/// its reply came stays in its connection's line as a placeholder, so that the reply is still matched to it and
/// dropped.
// @unchecked: `state` decides who may touch `completion` (written before state leaves `new`, taken by the one that
// moves it to `ended`); `budget` and `charged` are written before the call is handed on; `replies` and `sentAt` are
// touched on the connection's event loop only; all else is constant.
final class PendingCommand: @unchecked Sendable {
    enum Payload: Sendable {
        case one(RedisCommand)
        case many([RedisCommand])
    }

    enum Replies: Sendable {
        case one(RESPValue)
        case many([RESPValue])
    }

    typealias Outcome = Result<Replies, RedisError>

    private enum Completion {
        case task(UnsafeContinuation<Outcome, Never>)
        case callback((Outcome) -> Void)
    }

    let payload: Payload
    /// The number of commands, and so of replies.
    let count: Int
    let timeout: TimeAmount
    let deadline: NIODeadline
    let isSafeToRepeat: Bool
    private(set) var sentAt = NIODeadline.uptimeNanoseconds(0)

    private static let new: UInt8 = 0
    private static let waiting: UInt8 = 1
    private static let ended: UInt8 = 2

    private let state = Atomic<UInt8>(PendingCommand.new)
    private var completion: Completion?
    private var replies: [RESPValue] = []

    /// What its bytes count against, from its admission to its end and its reply.
    private var budget: ByteBudget?
    private var charged = 0

    deinit { budget?.give(charged) }

    /// The name of its first command.
    var name: String {
        switch payload {
        case .one(let command): command.name
        case .many(let commands): commands.first?.name ?? ""
        }
    }

    /// The bytes of all its arguments.
    var byteCount: Int {
        switch payload {
        case .one(let command): command.byteCount
        case .many(let commands): commands.reduce(0) { $0 + $1.byteCount }
        }
    }

    /// Takes its bytes out of the budget until it is gone; false where the budget is spent.
    func charge(to budget: ByteBudget) -> Bool {
        let bytes = byteCount
        guard budget.take(bytes) else { return false }
        (self.budget, charged) = (budget, bytes)
        return true
    }

    init(_ command: RedisCommand, timeout: TimeAmount) {
        payload = .one(command)
        count = 1
        self.timeout = timeout
        deadline = .now() + timeout
        isSafeToRepeat = command.isSafeToRepeat
    }

    init(_ commands: [RedisCommand], timeout: TimeAmount) {
        payload = .many(commands)
        count = commands.count
        self.timeout = timeout
        deadline = .now() + timeout
        isSafeToRepeat = commands.allSatisfy(\.isSafeToRepeat)
    }

    var isEnded: Bool { state.load(ordering: .acquiring) == Self.ended }

    /// Names the task to resume. False where it was cancelled before: the task is resumed at once, and nothing is to
    /// be sent.
    func wait(_ continuation: UnsafeContinuation<Outcome, Never>) -> Bool {
        completion = .task(continuation)
        if begin() { return true }
        continuation.resume(returning: .failure(.cancelled))
        return false
    }

    /// Calls back on the event loop instead of resuming a task.
    func whenEnded(_ callback: @escaping (Outcome) -> Void) {
        completion = .callback(callback)
        if !begin() { callback(.failure(.cancelled)) }
    }

    /// Ends it with this outcome, unless it ended before; answers whether this call ended it.
    @discardableResult
    func end(_ outcome: Outcome) -> Bool {
        guard state.exchange(Self.ended, ordering: .acquiringAndReleasing) == Self.waiting else {
            return false
        }
        switch completion {
        case .task(let continuation): continuation.resume(returning: outcome)
        case .callback(let callback): callback(outcome)
        case nil: break
        }
        completion = nil
        return true
    }

    func end(_ error: RedisError) { end(.failure(error)) }

    /// Takes the next reply; answers whether it was the last one.
    func take(_ reply: RESPValue) -> Bool {
        if case .one = payload {
            end(.success(.one(reply)))
            return true
        }
        replies.append(reply)
        guard replies.count == count else { return false }
        end(.success(.many(replies)))
        return true
    }

    func write(into buffer: inout ByteBuffer, at now: NIODeadline) {
        sentAt = now
        switch payload {
        case .one(let command):
            CommandWriter.write(command, into: &buffer)
        case .many(let commands):
            replies.reserveCapacity(count)
            for command in commands { CommandWriter.write(command, into: &buffer) }
        }
    }

    /// Forgets the replies that came before the connection was cut, as all commands are sent again.
    func prepareToRepeat() { replies.removeAll(keepingCapacity: true) }

    private func begin() -> Bool {
        state.compareExchange(
            expected: Self.new, desired: Self.waiting, ordering: .acquiringAndReleasing
        ).exchanged
    }
}

/// The bytes that waiting commands may have together.
final class ByteBudget: Sendable {
    private let max: Int
    private let taken = Atomic<Int>(0)

    init(max: Int) { self.max = max }

    /// The first of several is always admitted, however large.
    func take(_ bytes: Int) -> Bool {
        let before = taken.add(bytes, ordering: .relaxed).oldValue
        guard before > 0, before + bytes > max else { return true }
        give(bytes)
        return false
    }

    func give(_ bytes: Int) { taken.subtract(bytes, ordering: .relaxed) }
}

extension RedisCommand {
    fileprivate var byteCount: Int { arguments.reduce(0) { $0 + $1.byteCount } }

    /// Its name in upper case, as metrics have it.
    var name: String { arguments.first?.text.uppercased() ?? "" }
}

extension RedisArgument {
    fileprivate var byteCount: Int {
        switch storage {
        case .text(let text): text.utf8.count
        case .bytes(let bytes): bytes.count
        case .number: 8
        }
    }
}

extension Duration {
    /// In nanoseconds for NIO; more than a hundred years become a hundred years.
    var timeAmount: TimeAmount {
        let secondsMax: Int64 = 100 * 366 * 86_400
        let (seconds, attoseconds) = components
        if seconds >= secondsMax { return .seconds(secondsMax) }
        if seconds < 0 { return .zero }
        return .nanoseconds(seconds * 1_000_000_000 + attoseconds / 1_000_000_000)
    }
}
