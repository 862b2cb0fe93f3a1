import Foundation
import GameModel
import Testing

@testable import Load

@Suite struct LoadTests {
    @Test("the same seed gives the same players, another seed gives others")
    func seeded() {
        var configuration = LoadConfiguration()
        configuration.players = 200
        let first = PlayerPopulation(configuration: configuration).wishes()
        let second = PlayerPopulation(configuration: configuration).wishes()
        #expect(first.map(\.arrival) == second.map(\.arrival))
        #expect(first.map(\.mode) == second.map(\.mode))
        configuration.seed = 2
        #expect(PlayerPopulation(configuration: configuration).wishes().map(\.arrival) != first.map(\.arrival))
    }

    @Test("exactly as many players as asked for arrive, in order and within the time")
    func arrivals() throws {
        var configuration = LoadConfiguration()
        configuration.players = 5_000
        configuration.arrivals = .seconds(30)
        let arrivals = PlayerPopulation(configuration: configuration).wishes().map(\.arrival)
        #expect(arrivals.count == 5_000)
        #expect(arrivals == arrivals.sorted())
        #expect(try #require(arrivals.last) < .seconds(30))
        // Half of a Poisson process' arrivals fall into half of the time, within four standard deviations.
        let early = arrivals.filter { $0 < .seconds(15) }.count
        #expect((2_500 - 142...2_500 + 142).contains(early))
    }

    @Test("settings that can't be run are refused by name and value", arguments: [0, -5, 2_000_000])
    func badPlayers(_ players: Int) throws {
        var configuration = LoadConfiguration()
        configuration.players = players
        let error = #expect(throws: LoadError.self) { try configuration.validate() }
        #expect(try #require(error).description.contains("players: \(players)"))
    }

    @Test("times that can't be run are refused by name", arguments: ["seconds", "drain", "idle-timeout"])
    func badTimes(_ name: String) throws {
        var configuration = LoadConfiguration()
        switch name {
        case "seconds": configuration.arrivals = .zero
        case "drain": configuration.drain = .seconds(-1)
        default: configuration.idleTimeout = .zero
        }
        let error = #expect(throws: LoadError.self) { try configuration.validate() }
        #expect(try #require(error).description.contains(name))
    }

    @Test("the progress line fits into the terminal's width", arguments: [40, 80, 132])
    func progress(columns: Int) {
        let recorder = StepRecorder(start: .now)
        for count in [\StepRecorder.Population.arrived, \.inQueue, \.playing, \.finished] {
            recorder.count { $0[keyPath: count] = 123_456 }
        }
        var configuration = LoadConfiguration()
        configuration.players = 123_456
        let line = ProgressLine(recorder: recorder, configuration: configuration, start: .now, columns: columns).line()
        #expect(line.count < columns)
        #expect(line.contains("123456/123456"))
        #expect(columns < 80 || line.contains("playing 123456"))
    }

    @Test("the table and the report tell each step's count, percentiles and errors")
    func summary() throws {
        let recorder = StepRecorder(start: .now)
        for milliseconds in 1...100 { recorder.succeeded(.logIn, took: .milliseconds(milliseconds)) }
        recorder.failed(.order, reason: "503 unavailable")
        recorder.failed(
            .play, reason: "<b>the game server said that this player's token is good no longer than it is</b>")
        recorder.count { $0.queuedEver = 4 }
        recorder.count { $0.finished = 3 }
        let summary = LoadSummary(
            configuration: LoadConfiguration(), took: .seconds(2), population: recorder.population,
            steps: recorder.records, seconds: recorder.seconds)
        let row = try #require(summary.rows.first { $0.step == "log in" })
        #expect(row.count == 100)
        #expect(abs(row.p50 - 50) < 0.5)
        #expect(abs(row.p99 - 99) < 0.5)
        #expect(summary.finishedShare == 0.75)
        let table = summary.table()
        #expect(table.contains("1 × order: 503 unavailable"))
        #expect(table.split(separator: "\n").allSatisfy { $0.count <= 80 }, "\(table)")
        #expect(table.contains("no longer\n      than it is"), "a long reason goes on in the next line")
        let html = HTMLReport(summary: summary).text()
        #expect(html.contains("<td>100</td>"))
        #expect(html.contains("<polyline"))
        #expect(html.contains("1 × order: 503 unavailable"))
        #expect(html.contains("&lt;b&gt;") && !html.contains("<b>"))
        let json = try JSONSerialization.jsonObject(with: Data(try summary.jsonText().utf8)) as? [String: Any]
        #expect(json?["finishedShare"] as? Double == 0.75)
    }

    @Test("a ticket waits from the first time in the queue to the match that was played, and is counted once")
    func ticketWait() {
        let begin = ContinuousClock.now
        func wait(_ sights: (String, Int)...) -> [Duration] {
            var wait = TicketWait(begin: begin)
            return sights.compactMap { wait.see($0.0, at: begin + .seconds($0.1)) }
        }
        #expect(wait(("queued", 1), ("proposed", 4), ("placing", 6), ("ready", 7), ("ready", 9)) == [.seconds(3)])
        // Another declined, and the ticket was put back.
        #expect(wait(("queued", 1), ("proposed", 4), ("queued", 6), ("proposed", 9), ("ready", 10)) == [.seconds(8)])
        // No acceptance in this mode.
        #expect(wait(("queued", 1), ("placing", 4), ("ready", 5)) == [.seconds(3)])
        #expect(wait(("ready", 5)) == [.seconds(5)])
        #expect(wait(("queued", 1), ("proposed", 4), ("declined", 5)).isEmpty)
    }
}
