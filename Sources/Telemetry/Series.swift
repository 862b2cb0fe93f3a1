import CoreMetrics
import Synchronization

/// What a series is to Prometheus.
enum SeriesType: String, Sendable {
    case counter, gauge, histogram
}

/// The name of a series: a metric and its labels, in the characters that Prometheus allows, labels in order.
struct SeriesName: Hashable, Comparable, Sendable {
    let metric: String
    /// `key="value",…`, escaped; empty where there are none.
    let labels: String

    init(label: String, dimensions: [(String, String)]) {
        metric = PrometheusText.name(label, allowsColon: true)
        labels =
            dimensions
            .map { (PrometheusText.name($0.0, allowsColon: false), PrometheusText.escaped($0.1)) }
            .sorted { $0 < $1 }
            .map { "\($0.0)=\"\($0.1)\"" }
            .joined(separator: ",")
    }

    static func < (left: Self, right: Self) -> Bool {
        (left.metric, left.labels) < (right.metric, right.labels)
    }
}

/// A series of any type.
enum Series: Sendable {
    case counter(CounterSeries)
    case gauge(GaugeSeries)
    case histogram(HistogramSeries)

    var type: SeriesType {
        switch self {
        case .counter: .counter
        case .gauge: .gauge
        case .histogram: .histogram
        }
    }

    var object: AnyObject {
        switch self {
        case .counter(let series): series
        case .gauge(let series): series
        case .histogram(let series): series
        }
    }
}

/// A sum that only grows.
final class CounterSeries: CounterHandler, FloatingPointCounterHandler, Sendable {
    private let sum = Mutex<(whole: Int64, fraction: Double)>((0, 0))

    var value: Double { sum.withLock { Double($0.whole) + $0.fraction } }

    func increment(by amount: Int64) {
        guard amount > 0 else { return }
        sum.withLock { sum in
            let (next, overflow) = sum.whole.addingReportingOverflow(amount)
            sum.whole = overflow ? .max : next
        }
    }

    func increment(by amount: Double) {
        guard amount > 0, amount.isFinite else { return }
        sum.withLock { $0.fraction += amount }
    }

    func reset() { sum.withLock { $0 = (0, 0) } }
}

/// A value that goes up and down.
final class GaugeSeries: MeterHandler, RecorderHandler, Sendable {
    private let current = Mutex(0.0)

    var value: Double { current.withLock { $0 } }

    func set(_ value: Int64) { current.withLock { $0 = Double(value) } }
    func set(_ value: Double) { current.withLock { $0 = value } }
    func increment(by amount: Double) { current.withLock { $0 += amount } }
    func decrement(by amount: Double) { current.withLock { $0 -= amount } }
    func record(_ value: Int64) { set(value) }
    func record(_ value: Double) { set(value) }
}

/// The upper bounds of histograms' buckets.
enum HistogramBounds {
    /// Seconds, from half a millisecond to ten.
    static let seconds = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10]
    /// Counts of things: batch sizes, lengths.
    static let counts: [Double] = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10_000]
}

/// How often values fell into each bucket, with their sum.
final class HistogramSeries: TimerHandler, RecorderHandler, Sendable {
    struct Snapshot: Sendable {
        /// How many values were in each bucket alone; one more than there are bounds.
        var counts: [UInt64]
        var sum = 0.0
    }

    let bounds: [Double]
    private let state: Mutex<Snapshot>

    init(bounds: [Double]) {
        self.bounds = bounds
        state = Mutex(Snapshot(counts: Array(repeating: 0, count: bounds.count + 1)))
    }

    var snapshot: Snapshot { state.withLock { $0 } }

    func recordNanoseconds(_ duration: Int64) { record(Double(duration) / 1e9) }

    func record(_ value: Int64) { record(Double(value)) }

    func record(_ value: Double) {
        guard value.isFinite else { return }
        let bucket = bounds.firstIndex { value <= $0 } ?? bounds.count
        state.withLock { state in
            state.counts[bucket] += 1
            state.sum += value
        }
    }
}
