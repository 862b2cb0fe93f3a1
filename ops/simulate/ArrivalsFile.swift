import Foundation
import GameModel
import Matchmaking

/// Real arrivals as a CSV file, in place of a made-up population. Its first line names the columns, in any order:
///
/// - `time`: seconds from 00:00, or ISO 8601 (`2026-03-01T18:04:05Z`), then 00:00 is that of the first one's day in
/// UTC;
/// - `player`: who; `rating`: in points;
/// - `deviation` (70 where left out), `region` (whose pool they ask for), `party` (rows of one party at one time are
/// one
///   ticket), and `latency_eu`, `latency_us`, …: ms to a region, empty where unknown. These may be left out.
///
/// As every arrival is in the file, nobody comes back after a match. A player who still waits or plays is passed over
/// and counted (``Figures/busyArrivals``).
public struct ArrivalsFile {
    private struct Columns {
        var time = 0
        var player = 0
        var rating = 0
        var deviation: Int?
        var region: Int?
        var party: Int?
        var latencies: [(region: Region, column: Int)] = []
    }

    private struct Entry {
        var time: Double
        var party: String
        var region: Region?
        var player: SimulatedPlayer
        var line: Int
    }

    /// So many mistakes are named; of more, the number.
    static let problemsMax = 20
    /// The longest time from the first arrival to the last.
    static let daysMax = 31.0

    private let file: String
    private var columns = Columns()
    private var problems: [String] = []
    private var entries: [Entry] = []

    /// Reads arrivals; all or nothing.
    /// - Parameter regions: where matches may be played.
    /// - Throws: ``SimulationError`` with the first ``problemsMax`` mistakes, each with line, column, value and remedy.
    public static func read(
        _ text: String, named file: String, regions: [Region], habits population: Population = Population()
    ) throws(SimulationError) -> Crowd {
        var reading = ArrivalsFile(file: file)
        let csv = CSVRows(text)
        if let line = csv.openQuote { throw SimulationError(["\(file):\(line): a quote is never closed"]) }
        guard let head = csv.rows.first else {
            throw SimulationError(["\(file): empty; want a first line 'time,player,rating,…'"])
        }
        try reading.readHead(head, regions)
        for row in csv.rows.dropFirst() { reading.read(row, regions) }
        if reading.entries.isEmpty, reading.problems.isEmpty {
            reading.problems = ["\(file): no arrivals below line 1"]
        }
        let crowd = reading.crowd(population.habits)
        guard reading.problems.isEmpty else {
            let more = reading.problems.count - problemsMax
            throw SimulationError(
                reading.problems.prefix(problemsMax) + (more > 0 ? ["… and \(more) more like these"] : []))
        }
        return crowd
    }

    private init(file: String) { self.file = file }

    // MARK: Rows

    private mutating func readHead(_ head: CSVRows.Row, _ regions: [Region]) throws(SimulationError) {
        let names = head.cells.map { $0.trimmingCharacters(in: .whitespaces) }
        let known = ["time", "player", "rating", "deviation", "region", "party"]
        var problems: [String] = []
        for (column, name) in names.enumerated() {
            let region = name.hasPrefix("latency_") ? Region(String(name.dropFirst(8))) : nil
            if names.firstIndex(of: name) != column {
                problems.append("\(file):\(head.line): column '\(name)' is there twice")
            } else if let region {
                // Latencies to regions of other rules are of no use, and no mistake.
                if regions.contains(region) { columns.latencies.append((region, column)) }
            } else if !known.contains(name) {
                problems.append(
                    "\(file):\(head.line): unknown column '\(name)'; known are \(known.joined(separator: ", ")) and "
                        + "latency_REGION")
            }
        }
        for name in ["time", "player", "rating"] where !names.contains(name) {
            problems.append("\(file):\(head.line): no column '\(name)'")
        }
        guard problems.isEmpty else { throw SimulationError(problems) }
        columns.time = names.firstIndex(of: "time") ?? 0
        columns.player = names.firstIndex(of: "player") ?? 0
        columns.rating = names.firstIndex(of: "rating") ?? 0
        columns.deviation = names.firstIndex(of: "deviation")
        columns.region = names.firstIndex(of: "region")
        columns.party = names.firstIndex(of: "party")
    }

    private mutating func read(_ row: CSVRows.Row, _ regions: [Region]) {
        func cell(_ column: Int?) -> String {
            guard let column, column < row.cells.count else { return "" }
            return row.cells[column].trimmingCharacters(in: .whitespaces)
        }
        let before = problems.count
        let time = Self.time(cell(columns.time))
        if time == nil { refuse(row, "time", cell(columns.time), "want seconds from 0 on, or 2026-03-01T18:04:05Z") }
        let player = PlayerID(rawValue: cell(columns.player))
        if player == nil { refuse(row, "player", cell(columns.player), "want 1 to 200 visible ASCII characters") }
        let rating = number(row, "rating", cell(columns.rating), 0...10_000)
        let given = cell(columns.deviation)
        let deviation = given.isEmpty ? 70 : number(row, "deviation", given, 0...1_000)
        let name = cell(columns.region)
        let region = name.isEmpty ? nil : Region(name)
        if let region, !regions.contains(region) {
            refuse(row, "region", name, "the rules have \(regions.map(\.rawValue).joined(separator: ", "))")
        }
        var latencies: [Region: Double] = [:]
        for (region, column) in columns.latencies where !cell(column).isEmpty {
            latencies[region] = number(row, "latency_\(region)", cell(column), 0...10_000)
        }
        guard before == problems.count, let time, let player, let rating, let deviation else { return }
        let skill = Skill(rating: rating, deviation: deviation)
        let home = region ?? latencies.min { ($0.value, $0.key) < ($1.value, $1.key) }?.key ?? regions[0]
        entries.append(
            Entry(
                time: time, party: cell(columns.party), region: region,
                player: SimulatedPlayer(
                    member: TicketMember(player: player, skill: skill, games: 100, latencies: latencies),
                    strength: rating, home: home), line: row.line))
    }

    private mutating func refuse(_ row: CSVRows.Row, _ column: String, _ value: String, _ remedy: String) {
        problems.append("\(file):\(row.line): column \(column): '\(value.prefix(60))': \(remedy)")
    }

    private mutating func number(
        _ row: CSVRows.Row, _ column: String, _ text: String, _ range: ClosedRange<Double>
    ) -> Double? {
        if let value = Double(text), range.contains(value) { return value }
        let bounds = "\(YAMLFields.text(range.lowerBound)) to \(YAMLFields.text(range.upperBound))"
        refuse(row, column, text, "want a number from \(bounds)")
        return nil
    }

    /// Seconds from 00:00 or from 1970.
    private static func time(_ text: String) -> Double? {
        if let seconds = Double(text) { return (0...1e11).contains(seconds) ? seconds : nil }
        let plain = Date.ISO8601FormatStyle()
        for style in [plain, Date.ISO8601FormatStyle(includingFractionalSeconds: true)] {
            // Each form is tried in turn; neither fitting is the answer `nil`.
            if let date = try? Date(text, strategy: style) { return date.timeIntervalSince1970 }
        }
        return nil
    }

    // MARK: The crowd

    private mutating func crowd(_ habits: Habits) -> Crowd {
        let first = entries.map(\.time).min() ?? 0
        // Times of day need no shift; dates begin with the day of the first.
        let midnight = first > 1e8 ? (first / 86_400).rounded(.down) * 86_400 : 0
        var places: [PlayerID: Int32] = [:]
        var parties: [String: Int] = [:]
        var crowd = Crowd(players: [], arrivals: [], habits: habits, span: 0..<1)
        crowd.habits.returns = 0
        for entry in entries {
            let at = Int64(((entry.time - midnight) * 1_000).rounded())
            let place = places[entry.player.member.player] ?? Int32(crowd.players.count)
            if Int(place) == crowd.players.count {
                crowd.players.append(entry.player)
                places[entry.player.member.player] = place
            }
            let key = "\(at) \(entry.party)"
            if !entry.party.isEmpty, let arrival = parties[key] {
                if crowd.arrivals[arrival].players.contains(place) {
                    problems.append(
                        "\(file):\(entry.line): column player: '\(entry.player.member.player)' is in party "
                            + "'\(entry.party)' twice: name each player once")
                }
                crowd.arrivals[arrival].players.append(place)
                continue
            }
            if !entry.party.isEmpty { parties[key] = crowd.arrivals.count }
            crowd.arrivals.append(Arrival(at: at, players: [place], region: entry.region))
        }
        if let latest = entries.max(by: { $0.time < $1.time }), latest.time - first > Self.daysMax * 86_400 {
            problems.append(
                "\(file):\(latest.line): column time: more than \(Int(Self.daysMax)) days after the first: split the "
                    + "file"
            )
        }
        crowd.arrivals.sort { ($0.at, $0.players[0]) < ($1.at, $1.players[0]) }
        let last = crowd.arrivals.last?.at ?? 0
        // To the end of the hour after the last arrival, so that the last have time to be matched.
        crowd.span = (crowd.arrivals.first?.at ?? 0) / 3_600_000 * 3_600_000..<(last / 3_600_000 + 2) * 3_600_000
        return crowd
    }
}
