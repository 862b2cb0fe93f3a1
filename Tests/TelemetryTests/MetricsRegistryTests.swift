import CoreMetrics
import Metrics
import Telemetry
import Testing

@Suite("Metrics")
struct MetricsRegistryTests {
    private func lines(_ registry: MetricsRegistry) -> [String] {
        registry.text().split(separator: "\n").map(String.init)
    }

    @Test("counters, gauges and histograms are printed as Prometheus reads them, in order")
    func text() {
        let registry = MetricsRegistry()
        registry.makeCounter(label: "jobs_total", dimensions: [("queue", "verify"), ("kind", "a")]).increment(by: 3)
        registry.makeRecorder(label: "depth", dimensions: [], aggregate: false).record(2.5)
        let timer = registry.makeTimer(label: "wait_seconds", dimensions: [("op", "x")])
        timer.recordNanoseconds(1_000_000)
        timer.recordNanoseconds(3_000_000_000)
        timer.recordNanoseconds(60_000_000_000)
        let text = lines(registry)
        #expect(text.starts(with: ["# TYPE depth gauge", "depth 2.5", "# TYPE jobs_total counter"]))
        #expect(text.contains(#"jobs_total{kind="a",queue="verify"} 3"#))
        #expect(text.contains("# TYPE wait_seconds histogram"))
        #expect(text.contains(#"wait_seconds_bucket{op="x",le="0.0005"} 0"#))
        #expect(text.contains(#"wait_seconds_bucket{op="x",le="0.001"} 1"#))
        #expect(text.contains(#"wait_seconds_bucket{op="x",le="5"} 2"#))
        #expect(text.contains(#"wait_seconds_bucket{op="x",le="+Inf"} 3"#))
        #expect(text.contains(#"wait_seconds_sum{op="x"} 63.001"#))
        #expect(text.contains(#"wait_seconds_count{op="x"} 3"#))
    }

    @Test("an aggregating recorder is a histogram of counts")
    func batches() {
        let registry = MetricsRegistry()
        let recorder = registry.makeRecorder(label: "batch", dimensions: [], aggregate: true)
        recorder.record(Int64(1))
        recorder.record(Int64(60))
        #expect(lines(registry).contains(#"batch_bucket{le="1"} 1"#))
        #expect(lines(registry).contains(#"batch_bucket{le="100"} 2"#))
    }

    @Test("two handlers of one name and the same labels, in any order, are one series")
    func sharesSeries() {
        let registry = MetricsRegistry()
        registry.makeCounter(label: "n", dimensions: [("a", "1"), ("b", "2")]).increment(by: 1)
        registry.makeCounter(label: "n", dimensions: [("b", "2"), ("a", "1")]).increment(by: 1)
        registry.makeFloatingPointCounter(label: "n", dimensions: [("a", "1"), ("b", "2")]).increment(by: 0.5)
        #expect(lines(registry).filter { $0.hasPrefix("n{") } == [#"n{a="1",b="2"} 2.5"#])
    }

    @Test("names and labels that Prometheus does not allow are made so")
    func escapes() {
        let registry = MetricsRegistry()
        registry.makeCounter(label: "1.a-b", dimensions: [("x.y", "say \"hi\"\\\n")]).increment(by: 1)
        #expect(lines(registry).contains(#"_1_a_b{x_y="say \"hi\"\\\n"} 1"#))
    }

    @Test("series past the limit are refused and counted, those before go on")
    func bounded() {
        let registry = MetricsRegistry(seriesMax: 2)
        for index in 0..<5 {
            registry.makeCounter(label: "n", dimensions: [("id", "\(index)")]).increment(by: 1)
        }
        registry.makeCounter(label: "n", dimensions: [("id", "0")]).increment(by: 1)
        #expect(lines(registry).filter { $0.hasPrefix("n{") } == [#"n{id="0"} 2"#, #"n{id="1"} 1"#])
        #expect(lines(registry).contains("metrics_series_refused_total 3"))
    }

    @Test("a name has one type: a second one is refused and counted")
    func oneTypeEach() {
        let registry = MetricsRegistry()
        registry.makeCounter(label: "n", dimensions: []).increment(by: 1)
        registry.makeTimer(label: "n", dimensions: [("a", "b")]).recordNanoseconds(1)
        #expect(lines(registry).filter { $0.hasPrefix("n") } == ["n 1"])
        #expect(lines(registry).contains("metrics_series_refused_total 1"))
    }

    @Test("gauges go up and down; a destroyed series is gone")
    func gauges() {
        let registry = MetricsRegistry()
        let meter = registry.makeMeter(label: "g", dimensions: [])
        meter.set(5.0)
        meter.decrement(by: 7)
        #expect(lines(registry).contains("g -2"))
        registry.destroyMeter(meter)
        #expect(!lines(registry).contains("g -2"))
    }

    @Test("counting from many tasks at once loses nothing")
    func concurrency() async {
        let registry = MetricsRegistry()
        await withTaskGroup(of: Void.self) { group in
            for _ in 0..<8 {
                group.addTask {
                    let counter = registry.makeCounter(label: "n", dimensions: [])
                    for _ in 0..<1000 { counter.increment(by: 1) }
                }
            }
        }
        #expect(lines(registry).contains("n 8000"))
    }
}
