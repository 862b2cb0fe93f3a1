import Foundation
import GameModel
import Matchmaking
import Testing

@testable import Simulate

@Suite("Comparison of rules") struct ComparisonTests {
    /// Two rule files on the same duellists of an evening; the second widens sooner.
    private static let pair = Result { try comparison(names: ["a.yaml", "<b> & \"c\".yaml"], windows: [100, 500]) }

    private static func comparison(names: [String], windows: [Double], seed: UInt64 = 5) throws -> Comparison {
        var population = Population()
        population.players = 1_500
        population.parties = [1, 1]
        let mode = Mode("duel")
        let rules = windows.map { window in
            var rules = MatchmakingRules.standard
            rules.modes[mode]?.window = window
            return rules
        }
        let crowd = Crowd(
            population, rules: rules, mode: mode, seed: seed, span: 61_200_000..<82_800_000)
        let simulations = try rules.map { try Simulation(rules: $0, mode: mode, crowd: crowd, seed: seed) }
        let runs = zip(names, simulations).map { Comparison.Run(name: $0, figures: $1.run()) }
        return Comparison(simulations[0], runs: runs)
    }

    @Test("page, picture, table and JSON are the same bytes for the same seed, and others for another")
    func determinism() throws {
        func texts(_ seed: UInt64) throws -> [String] {
            let comparison = try Self.comparison(names: ["a", "b"], windows: [100, 500], seed: seed)
            let page = ComparisonPage(comparison)
            return [page.html(), page.picture(), ComparisonTable(comparison).text, try comparison.jsonText()]
        }
        let first = try texts(5)
        #expect(first == (try texts(5)))
        let other = try texts(6)
        for (left, right) in zip(first, other) { #expect(left != right) }
    }

    @Test("each plot has every run's series, with points within its axes")
    func series() throws {
        let comparison = try Self.pair.get()
        let charts = ComparisonCharts(comparison: comparison).all
        #expect(
            charts.map(\.title) == [
                "Wait over the day: p50, and dashed p90", "Matched within", "Players who wait",
                "Wait by rating: p50 to p99 of each tenth",
                "How even matches are", "Latency in matches",
            ])
        for chart in charts {
            for run in comparison.runs {
                #expect(chart.series.contains { $0.name.hasPrefix(run.name) }, "\(chart.title) of \(run.name)")
                #expect(chart.summary.contains(run.name), "\(chart.title) of \(run.name)")
            }
            for series in chart.series {
                #expect(!series.points.isEmpty, "\(chart.title): \(series.name)")
                #expect(series.points.allSatisfy { chart.x.range.contains($0.x) }, "\(chart.title): \(series.name)")
                #expect(series.points.allSatisfy { chart.y.range.contains($0.y) }, "\(chart.title): \(series.name)")
            }
            #expect(Set(chart.series.map(\.colour)) == [0, 1])
        }
    }

    @Test("the page is well-formed, has a title and a description for each plot, and needs nothing from elsewhere")
    func page() throws {
        let page = ComparisonPage(try Self.pair.get())
        let html = page.html()
        #expect(html.components(separatedBy: "role=\"img\" aria-labelledby=").count == 7)
        #expect(html.components(separatedBy: "<desc id=").count == 7)
        for word in ["<script", "http://", "https://", "src=", "@import", "url("] { #expect(!html.contains(word)) }
        #expect(html.contains("&lt;b&gt; &amp; &quot;c&quot;.yaml"))
        #expect(!html.contains("<b>"))
        for markup in [html.replacing("<!doctype html>", with: "").replacing(/<meta [^>]*>/, with: ""), page.picture()]
        {
            #expect(Self.openTags(markup) == [])
        }
    }

    /// Tags that are not closed, or not in order.
    private static func openTags(_ markup: String) -> [String] {
        var open: [String] = []
        for match in markup.matches(of: /<(\/?)([a-z0-9]+)[^>]*?(\/?)>/) where match.3.isEmpty {
            if match.1.isEmpty {
                open.append(String(match.2))
            } else if open.last == String(match.2) {
                open.removeLast()
            } else {
                return open + ["/\(match.2)"]
            }
        }
        return open
    }

    @Test("the table has the runs side by side, their difference, and each tenth by rating")
    func table() throws {
        let comparison = try Self.pair.get()
        let text = ComparisonTable(comparison).text
        let lines = text.split(separator: "\n").map(String.init)
        #expect(lines[0] == "note: parties of more than 1 left out: the rules allow no larger ones")
        #expect(lines[1].hasSuffix("difference"))
        #expect(lines.filter { $0.hasPrefix("  p50") }.count == 3)
        #expect(lines.contains { $0.hasPrefix("Wait by rating") && $0.contains("a.yaml p50") })
        let part = try #require(comparison.runs[1].figures.byRating.first)
        let tenth = try #require(lines.first { $0.hasPrefix("  \(part.name)") })
        #expect(tenth.contains(Shown.seconds(part.wait.p99)))
        #expect(!text.contains("FAULT"))
    }

    @Test("where nothing was matched there is a dash in place of a number, and plots of what there is")
    func nothingMatched() throws {
        var rules = MatchmakingRules.standard
        rules.modes[Mode("duel")]?.window = 0
        rules.modes[Mode("duel")]?.windowGrowth = 0
        let text = "time,player,rating\n0,a,1000\n5,b,2000\n"
        let crowd = try ArrivalsFile.read(text, named: "a.csv", regions: rules.regions)
        let simulation = try Simulation(rules: rules, mode: Mode("duel"), crowd: crowd, seed: 1)
        let comparison = Comparison(simulation, runs: [.init(name: "none", figures: simulation.run())])
        #expect(comparison.runs[0].figures.expiredPlayers == 2)
        let lines = ComparisonTable(comparison).text.split(separator: "\n")
        let chances = try #require(lines.firstIndex { $0.hasPrefix("Strongest") })
        #expect(lines[chances + 1].hasSuffix("–"))
        #expect(!lines[0].contains("difference"))
        #expect(ComparisonCharts(comparison: comparison).all.count == 5)
        #expect(!ComparisonPage(comparison).html().contains("nan"))
    }

    @Test("the JSON is what was measured")
    func json() throws {
        let comparison = try Self.pair.get()
        let read = try JSONDecoder().decode(Comparison.self, from: Data(comparison.jsonText().utf8))
        #expect(read.runs.map(\.figures) == comparison.runs.map(\.figures))
        #expect(read.seed == 5)
        #expect((400...700).contains(read.players) && read.hours == 6)
    }

    @Test("axes end at round numbers that enclose the largest value")
    func axes() {
        #expect(Chart.Axis.upTo(37, "s").range == 0...40)
        #expect(Chart.Axis.upTo(37, "s").ticks.map(\.text) == ["0", "10", "20", "30", "40"])
        #expect(Chart.Axis.upTo(0.23, "%").ticks.map(\.text) == ["0", "0.05", "0.1", "0.15", "0.2", "0.25"])
        #expect(Chart.Axis.upTo(0, "s").range.upperBound > 0)
    }
}
