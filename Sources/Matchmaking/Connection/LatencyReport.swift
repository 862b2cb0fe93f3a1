import GameModel

/// What a client measured: some samples for each region, in ms. Checked when it is made, so that what is in it can
/// have been measured.
public struct LatencyReport: Sendable, Hashable {
    /// The most regions of a report.
    public static let regionsMax = 20
    /// The most samples of a region.
    public static let samplesMax = 20
    /// In ms.
    public static let range = 0...TicketRequest.latencyMsMax

    public let samples: [Region: [Double]]

    /// - Throws: ``LatencyError`` naming the region, where one is not played in, or a sample can't have been measured.
    public init(_ samples: [Region: [Double]], played regions: [Region]) throws(LatencyError) {
        guard samples.count <= Self.regionsMax else { throw .regions(samples.count) }
        for (region, values) in samples.sorted(by: { $0.key < $1.key }) {
            guard regions.contains(region) else { throw .elsewhere(region, known: regions) }
            guard (1...Self.samplesMax).contains(values.count) else { throw .samples(region, values.count) }
            for value in values where !value.isFinite || !Self.range.contains(value) {
                throw .value(region, "\(value)")
            }
        }
        self.samples = samples
    }

    /// The median of each region's samples: one lost packet or one lucky one moves it little.
    public var medians: [Region: Double] { samples.mapValues(Self.median) }

    static func median(_ values: [Double]) -> Double {
        let sorted = values.sorted()
        guard !sorted.isEmpty else { return 0 }
        let middle = sorted.count / 2
        return sorted.count.isMultiple(of: 2) ? (sorted[middle - 1] + sorted[middle]) / 2 : sorted[middle]
    }
}

/// Why latencies were refused, or could not be kept.
public enum LatencyError: Error, Sendable, Hashable, CustomStringConvertible {
    case regions(Int)
    case elsewhere(Region, known: [Region])
    case samples(Region, Int)
    /// The number as text, for NaN has no other.
    case value(Region, String)
    /// See ``MatchmakingError/redis(_:)``: nothing is lost that the client can't say again.
    case unavailable(MatchmakingError)

    /// The region at fault.
    public var region: Region? {
        switch self {
        case .elsewhere(let region, _), .samples(let region, _), .value(let region, _): region
        case .regions, .unavailable: nil
        }
    }

    public var description: String {
        switch self {
        case .regions(let count): "\(count) regions are more than \(LatencyReport.regionsMax)"
        case .elsewhere(let region, let known):
            "no region '\(region)'; there are \(known.map(\.rawValue).sorted().joined(separator: ", "))"
        case .samples(let region, let count):
            "\(count) samples for '\(region)', expected 1 to \(LatencyReport.samplesMax)"
        case .value(let region, let value):
            "latency to '\(region)' is \(value), must be a number of ms from 0 to \(Int(TicketRequest.latencyMsMax))"
        case .unavailable(let error): "\(error)"
        }
    }
}
