import GameModel
import Histogram
import NIOCore
import Synchronization

/// What the players of a benchmark see of their matches.
final class MatchTally: Sendable {
    private struct State {
        var running = 0
        var isMeasuring = false
        var isOver = false
        var failure: String?
        /// µs for each tick.
        var ticks = Histogram<UInt64>(numberOfSignificantValueDigits: .three)
    }

    private let state = Mutex(State())

    /// Matches that have begun and not ended.
    var running: Int { state.withLock { $0.running } }
    /// Whether no more matches are to begin.
    var isOver: Bool { state.withLock { $0.isOver } }

    func measure(_ isMeasuring: Bool) { state.withLock { $0.isMeasuring = isMeasuring } }

    /// From now on connections may end however they do.
    func finish() { state.withLock { $0.isOver = true } }

    func begin() { state.withLock { $0.running += 1 } }

    func end() { state.withLock { $0.running -= 1 } }

    func fail(_ reason: String) {
        state.withLock { state in
            if !state.isOver, state.failure == nil { state.failure = reason }
        }
    }

    /// So many ticks took so long, as a player saw them.
    func note(ticks: Int, took: Duration) {
        guard ticks > 0 else { return }
        state.withLock { state in
            guard state.isMeasuring else { return }
            state.ticks.record(UInt64(max(1, took.inSeconds * 1e6 / Double(ticks))))
        }
    }

    func check() throws(BenchError) {
        if let failure = state.withLock({ $0.failure }) { throw BenchError("a player failed: \(failure)") }
    }

    /// How long a tick took, in ms: the mean and the 99th percentile.
    var tickMs: (mean: Double, p99: Double) {
        state.withLock { ($0.ticks.mean / 1_000, Double($0.ticks.valueAtPercentile(99)) / 1_000) }
    }
}

/// A player of the reference game who joins and looks on: one connection to the game port.
final class BenchPlayer: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer

    private let token: String
    private let tally: MatchTally
    /// Whether this is the player who tells the tally of the match.
    private let isWitness: Bool
    private var unread: [UInt8] = []
    private var last: (tick: Int, at: ContinuousClock.Instant)?

    init(token: String, tally: MatchTally, isWitness: Bool) {
        self.token = token
        self.tally = tally
        self.isWitness = isWitness
    }

    func channelActive(context: ChannelHandlerContext) {
        let frame = ByteBuffer(string: #"{"type":"join","token":"\#(token)"}"# + "\n")
        context.writeAndFlush(NIOAny(frame), promise: nil)
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        unread.append(contentsOf: unwrapInboundIn(data).readableBytesView)
        while let end = unread.firstIndex(of: UInt8(ascii: "\n")) {
            read(unread[..<end])
            unread.removeSubrange(...end)
        }
    }

    func channelInactive(context: ChannelHandlerContext) {
        if isWitness, last != nil { tally.end() }
        context.fireChannelInactive()
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        tally.fail("\(error)")
        context.close(promise: nil)
    }

    private static let refusal = Array(#""type":"error""#.utf8)
    private static let tick = Array(#""tick":"#.utf8)

    private func read(_ line: ArraySlice<UInt8>) {
        if line.firstRange(of: Self.refusal) != nil { tally.fail(String(decoding: line, as: UTF8.self)) }
        guard isWitness, let name = line.firstRange(of: Self.tick) else { return }
        let digits = line[name.upperBound...].prefix { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }
        guard let tick = Int(String(decoding: digits, as: UTF8.self)) else { return }
        let now = ContinuousClock.now
        if let last { tally.note(ticks: tick - last.tick, took: now - last.at) } else { tally.begin() }
        last = (tick, now)
    }
}
