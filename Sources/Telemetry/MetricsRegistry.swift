import CoreMetrics
import Metrics
import Synchronization

/// All metrics of a process, for swift-metrics to write to and Prometheus to read.
///
/// Promises: two handlers of one name and the same labels are one series; the number of series is bounded, and what is
/// refused is counted in `metrics_series_refused_total`; names that Prometheus does not allow are made so.
public final class MetricsRegistry: MetricsFactory, Sendable {
    /// The registry that ``bootstrap()`` installs and health servers print.
    public static let shared = MetricsRegistry()

    /// The most series a registry holds, unless told otherwise.
    public static let seriesMaxDefault = 5000

    private static let isInstalled = Mutex(false)

    private struct State {
        var series: [SeriesName: Series] = [:]
        /// A name has one type, whatever its labels.
        var types: [String: SeriesType] = [:]
        var refused: UInt64 = 0
    }

    /// The most series that are kept; each histogram is one.
    public let seriesMax: Int
    private let state = Mutex(State())

    public init(seriesMax: Int = MetricsRegistry.seriesMaxDefault) {
        self.seriesMax = seriesMax
    }

    /// Makes ``shared`` what swift-metrics writes to. The first call decides; later ones do nothing.
    public static func bootstrap() {
        let isFirst = isInstalled.withLock { installed in
            defer { installed = true }
            return !installed
        }
        if isFirst { MetricsSystem.bootstrap(shared) }
    }

    /// The Prometheus text exposition format, version 0.0.4: sorted by name and labels.
    public func text() -> String {
        let (series, refused) = state.withLock { ($0.series, $0.refused) }
        return PrometheusText.write(series, refused: refused)
    }

    // MARK: MetricsFactory

    public func makeCounter(label: String, dimensions: [(String, String)]) -> any CounterHandler {
        let made = series(label, dimensions, .counter) { .counter(CounterSeries()) }
        if case .counter(let counter) = made { return counter }
        return CounterSeries()
    }

    public func makeFloatingPointCounter(
        label: String, dimensions: [(String, String)]
    ) -> any FloatingPointCounterHandler {
        let made = series(label, dimensions, .counter) { .counter(CounterSeries()) }
        if case .counter(let counter) = made { return counter }
        return CounterSeries()
    }

    public func makeMeter(label: String, dimensions: [(String, String)]) -> any MeterHandler {
        let made = series(label, dimensions, .gauge) { .gauge(GaugeSeries()) }
        if case .gauge(let gauge) = made { return gauge }
        return GaugeSeries()
    }

    /// A recorder that aggregates is a histogram; one that does not is a gauge.
    public func makeRecorder(
        label: String, dimensions: [(String, String)], aggregate: Bool
    ) -> any RecorderHandler {
        guard aggregate else {
            let made = series(label, dimensions, .gauge) { .gauge(GaugeSeries()) }
            if case .gauge(let gauge) = made { return gauge }
            return GaugeSeries()
        }
        let made = series(label, dimensions, .histogram) { .histogram(HistogramSeries(bounds: HistogramBounds.counts)) }
        if case .histogram(let histogram) = made { return histogram }
        return HistogramSeries(bounds: HistogramBounds.counts)
    }

    /// A timer is a histogram in seconds.
    public func makeTimer(label: String, dimensions: [(String, String)]) -> any TimerHandler {
        let made = series(label, dimensions, .histogram) {
            .histogram(HistogramSeries(bounds: HistogramBounds.seconds))
        }
        if case .histogram(let histogram) = made { return histogram }
        return HistogramSeries(bounds: HistogramBounds.seconds)
    }

    public func destroyCounter(_ handler: any CounterHandler) { remove(handler) }
    public func destroyFloatingPointCounter(_ handler: any FloatingPointCounterHandler) { remove(handler) }
    public func destroyMeter(_ handler: any MeterHandler) { remove(handler) }
    public func destroyRecorder(_ handler: any RecorderHandler) { remove(handler) }
    public func destroyTimer(_ handler: any TimerHandler) { remove(handler) }

    // MARK: Series

    /// The series of a name, made where it is missing; `nil` where the name has another type or the registry is full:
    /// the caller then writes to one that nobody reads.
    private func series(
        _ label: String, _ dimensions: [(String, String)], _ type: SeriesType, _ make: () -> Series
    ) -> Series? {
        let name = SeriesName(label: label, dimensions: dimensions)
        return state.withLock { state in
            guard state.types[name.metric, default: type] == type else {
                state.refused += 1
                return nil
            }
            if let series = state.series[name] { return series }
            guard state.series.count < seriesMax else {
                state.refused += 1
                return nil
            }
            let series = make()
            state.series[name] = series
            state.types[name.metric] = type
            return series
        }
    }

    private func remove(_ handler: AnyObject) {
        state.withLock { state in
            for (name, series) in state.series where series.object === handler { state.series[name] = nil }
        }
    }
}
