/// Prometheus's text exposition format 0.0.4.
///
/// Source: prometheus.io/docs/instrumenting/exposition_formats.
enum PrometheusText {
    static let contentType = "text/plain; version=0.0.4; charset=utf-8"

    /// The metric that counts refused series.
    static let refusedName = "metrics_series_refused_total"

    static func write(_ series: [SeriesName: Series], refused: UInt64) -> String {
        var text = ""
        var metric: String?
        for (name, series) in series.sorted(by: { $0.key < $1.key }) {
            if name.metric != metric {
                text += "# TYPE \(name.metric) \(series.type.rawValue)\n"
                metric = name.metric
            }
            switch series {
            case .counter(let counter): line(name.metric, name.labels, number(counter.value), to: &text)
            case .gauge(let gauge): line(name.metric, name.labels, number(gauge.value), to: &text)
            case .histogram(let histogram): write(histogram, name, to: &text)
            }
        }
        text += "# TYPE \(refusedName) counter\n\(refusedName) \(refused)\n"
        return text
    }

    private static func write(_ histogram: HistogramSeries, _ name: SeriesName, to text: inout String) {
        let snapshot = histogram.snapshot
        let separator = name.labels.isEmpty ? "" : ","
        var total: UInt64 = 0
        for (index, count) in snapshot.counts.enumerated() {
            total += count
            let bound = index < histogram.bounds.count ? number(histogram.bounds[index]) : "+Inf"
            line("\(name.metric)_bucket", "\(name.labels)\(separator)le=\"\(bound)\"", "\(total)", to: &text)
        }
        line("\(name.metric)_sum", name.labels, number(snapshot.sum), to: &text)
        line("\(name.metric)_count", name.labels, "\(total)", to: &text)
    }

    private static func line(_ metric: String, _ labels: String, _ value: String, to text: inout String) {
        text += labels.isEmpty ? "\(metric) \(value)\n" : "\(metric){\(labels)} \(value)\n"
    }

    /// A number as Prometheus reads it; whole ones without a fraction.
    static func number(_ value: Double) -> String {
        if value.isNaN { return "NaN" }
        if value.isInfinite { return value < 0 ? "-Inf" : "+Inf" }
        if let whole = Int64(exactly: value) { return "\(whole)" }
        return "\(value)"
    }

    /// A name of letters, digits and `_` (and `:` in metrics' names); other characters become `_`.
    static func name(_ text: String, allowsColon: Bool) -> String {
        var result: [UInt8] = []
        for byte in text.utf8 {
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "_"):
                result.append(byte)
            case UInt8(ascii: ":") where allowsColon: result.append(byte)
            case UInt8(ascii: "0")...UInt8(ascii: "9"):
                if result.isEmpty { result.append(UInt8(ascii: "_")) }
                result.append(byte)
            default: result.append(UInt8(ascii: "_"))
            }
        }
        return result.isEmpty ? "_" : String(decoding: result, as: UTF8.self)
    }

    /// A label's value: backslash, quote and line end escaped.
    static func escaped(_ text: String) -> String {
        var result = ""
        for character in text.unicodeScalars {
            switch character {
            case "\\": result += "\\\\"
            case "\"": result += "\\\""
            case "\n": result += "\\n"
            default: result.unicodeScalars.append(character)
            }
        }
        return result
    }
}
