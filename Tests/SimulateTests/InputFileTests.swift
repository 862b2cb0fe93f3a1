import GameModel
import Matchmaking
import Testing

@testable import Simulate

@Suite("Files of populations and arrivals") struct InputFileTests {
    private func problems(_ text: String) -> [String] {
        do throws(SimulationError) {
            _ = try PopulationFile.read(text, named: "p.yaml")
            return []
        } catch {
            return error.problems
        }
    }

    @Test("a population file changes what it names and leaves the rest")
    func population() throws {
        let text = """
            players: 5000
            ratings:
              - {share: 0.9, mean: 1450, spread: 300}
              - {share: 0.1, mean: 2100}
            regions:
              eu: {share: 0.6}
              mars: {share: 0.4, utc-offset: -3}
            distances: {eu-mars: 900}
            parties: {1: 3, 4: 1}
            attributes:
              platform: {pc: 2, console: 1}
              level: {mean: 40, spread: 5, min: 1}
            match-seconds: {mean: 300}
            returns: 0.5
            """
        let population = try PopulationFile.read(text, named: "p.yaml")
        var wanted = Population()
        wanted.players = 5_000
        wanted.ratings = [.init(share: 0.9, mean: 1_450, spread: 300), .init(share: 0.1, mean: 2_100, spread: 350)]
        wanted.homes = [
            .init(region: Region("eu"), share: 0.6, utcOffset: 1),
            .init(region: Region("mars"), share: 0.4, utcOffset: -3),
        ]
        wanted.distances = ["eu-mars": 900]
        wanted.parties = [3, 0, 0, 1, 0, 0, 0, 0, 0, 0]
        wanted.attributes = [
            "platform": .text([.init(text: "pc", share: 2), .init(text: "console", share: 1)]),
            "level": .number(mean: 40, spread: 5, range: 1...1e9),
        ]
        wanted.habits.matchSeconds = 300
        wanted.habits.returns = 0.5
        #expect(population == wanted)
        #expect(try PopulationFile.read("", named: "p.yaml") == Population())
    }

    @Test("every mistake of a population file is named with line, key, value and remedy")
    func populationMistakes() {
        let text = """
            players: many
            returnz: 0.5
            rating-range: [3500, 100]
            regions:
              eu: {share: 2, clock: 3}
            hours: [1, 2, 3]
            latency: 25
            """
        #expect(
            problems(text) == [
                "p.yaml:1: players is 'many': want a whole number from 2 to 10000000",
                "p.yaml:2: returnz is not a key here: did you mean 'returns'?",
                "p.yaml:3: rating-range is a list of 2: want the lower number first",
                "p.yaml:5: regions.eu.clock is not a key here: known are share, utc-offset",
                "p.yaml:6: hours is a list of 3: want a list of 24 numbers",
                "p.yaml:7: latency is '25': want keys with values below it",
            ])
        #expect(problems("- 1\n")[0].hasPrefix("p.yaml:1: want keys"))
        #expect(problems("a: [")[0].hasPrefix("p.yaml: not YAML"))
        #expect(problems("accepts: .nan") == ["p.yaml:1: accepts is '.nan': want a number from 0 to 1"])
        #expect(problems("parties: {11: 1}").count == 2)
    }

    private let regions = [Region("eu"), Region("us")]

    private func refusals(_ text: String) -> [String] {
        do throws(SimulationError) {
            _ = try ArrivalsFile.read(text, named: "a.csv", regions: regions)
            return []
        } catch {
            return error.problems
        }
    }

    @Test("arrivals are read with ratings, parties and latencies, in any order of columns")
    func arrivals() throws {
        let text = """
            player,time,rating,latency_eu,latency_mars,party,latency_us\r
            ann,3605.5,1500,20,900,,110\r
            "bob, jr",3600,1400,,,x,80\r
            cy,3600,1600,30,,x,\r
            ann,9000,1500,20,,,110\r

            """.replacing("\"bob, jr\"", with: "bob")
        let crowd = try ArrivalsFile.read(text, named: "a.csv", regions: regions)
        #expect(crowd.arrivals.map(\.at) == [3_600_000, 3_605_500, 9_000_000])
        #expect(crowd.arrivals.map(\.players) == [[1, 2], [0], [0]])
        #expect(crowd.players[1].member.latencies == [Region("us"): 80])
        #expect(crowd.players[2].home == Region("eu"))
        #expect(crowd.span == 3_600_000..<14_400_000)
    }

    @Test("dates are taken as times of the first one's day")
    func dates() throws {
        let text = "time,player,rating\n2026-03-01T18:00:05Z,a,1500\n2026-03-02T01:00:00.5Z,b,1500\n"
        let crowd = try ArrivalsFile.read(text, named: "a.csv", regions: regions)
        #expect(crowd.arrivals.map(\.at) == [64_805_000, 90_000_500])
    }

    @Test("a part of the time has the arrivals of that part, and ends no later than the whole") func within() throws {
        let text = "time,player,rating\n100,a,1500\n7300,b,1500\n9000,c,1500\n"
        let crowd = try ArrivalsFile.read(text, named: "a.csv", regions: regions)
        let part = crowd.within(7_200_000..<8_000_000)
        #expect(part.arrivals.map(\.at) == [7_300_000])
        #expect(part.span == 7_200_000..<8_000_000)
        #expect(crowd.within(7_200_000..<900_000_000).span == 7_200_000..<14_400_000)
        let none = crowd.within(100_000_000..<200_000_000)
        #expect(throws: SimulationError.self) {
            try Simulation(rules: .standard, mode: Mode("duel"), crowd: none, seed: 1)
        }
    }

    @Test("bad rows are named by line and column, and nothing is read")
    func badRows() {
        let text = """
            time,player,rating,region,latency_eu
            0,a,1500,eu,20
            soon,b,1500,eu,20
            5,b c,nan,mars,-1
            6,,1500
            """
        #expect(
            refusals(text) == [
                "a.csv:3: column time: 'soon': want seconds from 0 on, or 2026-03-01T18:04:05Z",
                "a.csv:4: column player: 'b c': want 1 to 200 visible ASCII characters",
                "a.csv:4: column rating: 'nan': want a number from 0 to 10000",
                "a.csv:4: column region: 'mars': the rules have eu, us",
                "a.csv:4: column latency_eu: '-1': want a number from 0 to 10000",
                "a.csv:5: column player: '': want 1 to 200 visible ASCII characters",
            ])
    }

    @Test("bad heads, empty files, open quotes and double members are refused")
    func badFiles() {
        #expect(refusals("") == ["a.csv: empty; want a first line 'time,player,rating,…'"])
        #expect(refusals("time,player,rating\n") == ["a.csv: no arrivals below line 1"])
        #expect(
            refusals("time,player,elo\n1,a,2\n") == [
                "a.csv:1: unknown column 'elo'; known are time, player, rating, deviation, region, party and "
                    + "latency_REGION",
                "a.csv:1: no column 'rating'",
            ])
        #expect(refusals("time,player,rating\n1,\"a,2\n3\n") == ["a.csv:2: a quote is never closed"])
        #expect(
            refusals("time,player,rating,party\n1,a,1500,x\n1,a,1500,x\n") == [
                "a.csv:3: column player: 'a' is in party 'x' twice: name each player once"
            ])
        #expect(refusals("time,player,rating\n0,a,1500\n9000000,b,1500\n").count == 1)
        let many = "time,player,rating\n" + String(repeating: "x,y,1500\n", count: 25)
        #expect(refusals(many).count == 21)
        #expect(refusals(many).last == "… and 5 more like these")
    }

    @Test("who still waits or plays when the file lets them arrive again is passed over and counted")
    func busyArrivals() throws {
        let text = "time,player,rating\n0,a,1500\n10,a,1500\n20,b,1500\n4000,a,1500\n"
        let crowd = try ArrivalsFile.read(text, named: "a.csv", regions: [Region("eu")])
        let simulation = try Simulation(rules: .standard, mode: Mode("duel"), crowd: crowd, seed: 4)
        let figures = simulation.run()
        #expect(figures.busyArrivals == 1)
        #expect(figures.tickets == 3)
        #expect(figures.faults == [])
    }
}
