import Foundation
import GameModel
import Histogram
import NIOCore
import NIOPosix
import Synchronization

/// A closed loop over HTTP/1.1: each connection sends its next request when it has the last one's answer whole.
///
/// One thread serves all connections and reads of an answer only what it must (status and length), so that most of the
/// machine is left to the server. Answers must carry Content-Length, which ours and Hummingbird's do.
struct HTTPHammer: Sendable {
    let host: String
    let port: Int
    var connections = 32

    /// What came of a run.
    struct Result: Sendable {
        var answers = 0
        var seconds = 0.0
        /// Answers by status.
        var statuses: [Int: Int] = [:]
        /// µs.
        var p50 = 0.0
        var p99 = 0.0

        var perSecond: Double { seconds > 0 ? Double(answers) / seconds : 0 }
        /// Answers that were not as wished.
        func others(than status: Int) -> Int { answers - (statuses[status] ?? 0) }
    }

    /// Sends requests until the time is over, or there are no more.
    ///
    /// - Parameter request: the bytes of the request of a number, counted over all connections; `nil` ends it.
    func run(
        for duration: Duration, _ request: @escaping @Sendable (Int) -> [UInt8]?
    ) async throws -> Result {
        let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
        let tally = HammerTally(deadline: .now + duration, request: request)
        let result: Result
        do {
            let clock = ContinuousClock.now
            let channels = try await connect(group, tally)
            for channel in channels { try await channel.closeFuture.get() }
            result = try tally.result(seconds: (ContinuousClock.now - clock).inSeconds)
        } catch {
            try await group.shutdownGracefully()
            throw error
        }
        try await group.shutdownGracefully()
        return result
    }

    private func connect(_ group: MultiThreadedEventLoopGroup, _ tally: HammerTally) async throws -> [any Channel] {
        var channels: [any Channel] = []
        for _ in 0..<connections {
            let channel = try await ClientBootstrap(group: group)
                .channelOption(.tcpOption(.tcp_nodelay), value: 1)
                .channelInitializer { channel in
                    channel.eventLoop.makeCompletedFuture {
                        try channel.pipeline.syncOperations.addHandler(HammerHandler(tally: tally))
                    }
                }
                .connect(host: host, port: port).get()
            channels.append(channel)
        }
        return channels
    }

    /// The bytes of a request.
    static func request(
        _ method: String, _ path: String, token: String? = nil, headers: [(String, String)] = [], body: String = ""
    ) -> [UInt8] {
        var text = "\(method) \(path) HTTP/1.1\r\nHost: bench\r\n"
        if let token { text += "Authorization: Bearer \(token)\r\n" }
        for (name, value) in headers { text += "\(name): \(value)\r\n" }
        if !body.isEmpty { text += "Content-Type: application/json\r\nContent-Length: \(body.utf8.count)\r\n" }
        return Array((text + "\r\n" + body).utf8)
    }
}

/// What all connections of a run share.
final class HammerTally: Sendable {
    private struct State {
        var next = 0
        var statuses: [Int: Int] = [:]
        var histogram = Histogram<UInt64>(numberOfSignificantValueDigits: .three)
        var failure: String?
    }

    private let state = Mutex(State())
    private let deadline: ContinuousClock.Instant
    private let request: @Sendable (Int) -> [UInt8]?

    init(deadline: ContinuousClock.Instant, request: @escaping @Sendable (Int) -> [UInt8]?) {
        self.deadline = deadline
        self.request = request
    }

    /// The next request; `nil` when it is over.
    func next() -> [UInt8]? {
        guard ContinuousClock.now < deadline else { return nil }
        let number = state.withLock { state in
            defer { state.next += 1 }
            return state.next
        }
        return request(number)
    }

    func note(status: Int, after duration: Duration) {
        state.withLock { state in
            state.statuses[status, default: 0] += 1
            state.histogram.record(UInt64(max(1, duration.inSeconds * 1e6)))
        }
    }

    func fail(_ reason: String) { state.withLock { $0.failure = reason } }

    func result(seconds: Double) throws -> HTTPHammer.Result {
        try state.withLock { state in
            if let failure = state.failure { throw BenchError(failure) }
            var result = HTTPHammer.Result()
            result.statuses = state.statuses
            result.answers = state.statuses.values.reduce(0, +)
            result.seconds = seconds
            result.p50 = Double(state.histogram.valueAtPercentile(50))
            result.p99 = Double(state.histogram.valueAtPercentile(99))
            return result
        }
    }
}

/// Why a benchmark can't go on, in words.
struct BenchError: Error, CustomStringConvertible {
    let description: String

    init(_ description: String) { self.description = description }
}

/// One connection of a hammer.
private final class HammerHandler: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer

    private let tally: HammerTally
    private var answer: [UInt8] = []
    private var sentAt = ContinuousClock.now

    init(tally: HammerTally) { self.tally = tally }

    func channelActive(context: ChannelHandlerContext) { send(context) }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        answer.append(contentsOf: unwrapInboundIn(data).readableBytesView)
        guard let head = Self.head(of: answer), answer.count >= head.length else { return }
        tally.note(status: head.status, after: .now - sentAt)
        answer.removeAll(keepingCapacity: true)
        send(context)
    }

    func channelInactive(context: ChannelHandlerContext) {
        if !answer.isEmpty { tally.fail("the server closed a connection in the middle of an answer") }
        context.fireChannelInactive()
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        tally.fail("a connection failed: \(error)")
        context.close(promise: nil)
    }

    private func send(_ context: ChannelHandlerContext) {
        guard let bytes = tally.next() else { return context.close(promise: nil) }
        sentAt = .now
        context.writeAndFlush(NIOAny(ByteBuffer(bytes: bytes)), promise: nil)
    }

    /// The status, and how many bytes the answer has with its body; `nil` before its head is whole.
    private static func head(of answer: [UInt8]) -> (status: Int, length: Int)? {
        guard answer.count > 12 else { return nil }
        guard let end = answer.firstRange(of: Array("\r\n\r\n".utf8)) else { return nil }
        let status = Int(String(decoding: answer[9..<12], as: UTF8.self)) ?? 0
        let lines = String(decoding: answer[..<end.lowerBound], as: UTF8.self).lowercased()
        guard let field = lines.range(of: "\r\ncontent-length:") else { return (status, end.upperBound) }
        let value = lines[field.upperBound...].prefix { $0 != "\r\n" && $0 != "\r" }
        return (status, end.upperBound + (Int(value.trimmingCharacters(in: .whitespaces)) ?? 0))
    }
}
