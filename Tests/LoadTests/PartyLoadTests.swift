import Foundation
import GameModel
import Testing

@testable import Load

@Suite("Simulated parties and regions")
struct PartyLoadTests {
    private func configuration(_ change: (inout LoadConfiguration) -> Void = { _ in }) -> LoadConfiguration {
        var configuration = LoadConfiguration()
        configuration.players = 6_000
        configuration.modes = [.init(mode: Mode("squad"), weight: 1), .init(mode: Mode("duel"), weight: 1)]
        configuration.regions = ["eu", "us", "ap"].map { Region($0) }
        configuration.parties = [2: 0.2, 5: 0.3]
        change(&configuration)
        return configuration
    }

    @Test("as many players as asked for are in parties of each size; a party is of one mode and home")
    func shares() throws {
        let wishes = PlayerPopulation(configuration: configuration(), partyLimits: [Mode("duel"): 1]).wishes()
        #expect(wishes.count == 6_000)
        #expect(wishes.map(\.arrival) == wishes.map(\.arrival).sorted())
        #expect(wishes.map(\.number) == Array(0..<6_000))
        let parties = Dictionary(grouping: wishes.filter { $0.party != nil }) { $0.party?.party ?? 0 }
        for members in parties.values {
            #expect(Set(members.map(\.mode)) == [Mode("squad")], "a duel takes no party")
            #expect(Set(members.map(\.region)).count == 1)
            #expect(members.compactMap { $0.party?.member }.sorted() == Array(0..<(members[0].party?.size ?? 0)))
            let arrivals = members.map(\.arrival).sorted()
            #expect(try #require(arrivals.last) - arrivals[0] <= .seconds(1))
        }
        // Of 6,000 players about 1,200 and 1,800, within four standard deviations of so many parties.
        let (pairs, fives) = (wishes.filter { $0.party?.size == 2 }.count, wishes.filter { $0.party?.size == 5 }.count)
        #expect((1_000...1_400).contains(pairs), "\(pairs)")
        #expect((1_550...2_050).contains(fives), "\(fives)")
        #expect(wishes.contains { $0.mode == Mode("duel") })
    }

    @Test("each player is near to one region of the run and far from the others")
    func latencies() {
        for wish in PlayerPopulation(configuration: configuration()).wishes() {
            #expect(Set(wish.latencies.keys) == ["eu", "us", "ap"])
            for (region, ms) in wish.latencies {
                #expect((region == wish.region.rawValue ? 15.0...60 : 80...180).contains(ms))
            }
        }
    }

    @Test("the same seed gives the same parties and latencies")
    func seeded() {
        let first = PlayerPopulation(configuration: configuration()).wishes()
        let again = PlayerPopulation(configuration: configuration()).wishes()
        #expect(first.map(\.party) == again.map(\.party))
        #expect(first.map(\.latencies) == again.map(\.latencies))
        let other = PlayerPopulation(configuration: configuration { $0.seed = 2 }).wishes()
        #expect(first.map(\.party) != other.map(\.party))
    }

    @Test(
        "modes, regions and parties that are not played are refused before the run, naming what is",
        arguments: [
            ("modes", "'chess'", "duel, squad"), ("regions", "'mars'", "eu, us"),
            ("parties", "party of 6", "5 of squad"),
        ])
    func notPlayed(_ setting: String, _ wrong: String, _ right: String) throws {
        let played = try JSONDecoder().decode(
            PlayedModes.self,
            from: Data(
                #"{"regions":["us","eu"],"modes":[{"mode":"duel","partyMax":1},{"mode":"squad","partyMax":5}]}"#.utf8))
        var wish = configuration { $0.regions = [Region("eu")] }
        try played.check(wish)
        switch setting {
        case "modes": wish.modes.append(.init(mode: Mode("chess"), weight: 1))
        case "regions": wish.regions.append(Region("mars"))
        default: wish.parties[6] = 0.1
        }
        let error = #expect(throws: LoadError.self) { try played.check(wish) }
        let text = try #require(error).description
        #expect(text.hasPrefix("\(setting): ") && text.contains(wrong) && text.contains(right), "\(text)")
    }

    @Test("shares of parties that can't be are refused", arguments: [[1: 0.1], [2: 1.5], [2: 0.6, 3: 0.6], [2: -0.1]])
    func badShares(_ parties: [Int: Double]) {
        #expect(throws: LoadError.self) { try configuration { $0.parties = parties }.validate() }
    }

    @Test("a party meets when all who are still of it have come; the first leads, and the others learn the ticket")
    func meeting() async throws {
        let room = PartyRoom(size: 3)
        async let second = room.meet(1, "bob")
        async let third = room.meet(2, "cleo")
        let round = try await room.meet(0, "ada")
        #expect(round.players == ["ada", "bob", "cleo"])
        #expect(try await second == round)
        #expect(try await third == round)
        async let told = room.ticket(of: round)
        await room.announce(round, "t1")
        #expect(try await told == "t1")
        #expect(try await room.ticket(of: round) == "t1", "who asks late is told too")

        // The leader gives up: the next one leads.
        async let again = room.meet(2, "cleo")
        async let leading = room.meet(1, "bob")
        await room.leave(0)
        #expect(try await again.players == ["bob", "cleo"])
        #expect(try await leading.number == 2)
        await room.announce(try await leading, nil)
        #expect(try await room.ticket(of: try await again) == nil)
    }

    @Test("waits are told by the size of the party, where there are parties")
    func waits() throws {
        let recorder = StepRecorder(start: .now)
        recorder.waited(.seconds(2), partyOf: 1)
        let alone = summary(recorder).table()
        #expect(!alone.contains("wait for a match"))
        for _ in 0..<9 { recorder.waited(.seconds(4), partyOf: 5) }
        let table = summary(recorder).table()
        #expect(table.contains("party of 5"), "\(table)")
        #expect(table.split(separator: "\n").allSatisfy { $0.count <= 80 })
        #expect(HTMLReport(summary: summary(recorder)).text().contains("<td>party of 5</td><td>9</td>"))
        let json = try JSONSerialization.jsonObject(with: Data(try summary(recorder).jsonText().utf8)) as? [String: Any]
        let rows = try #require(json?["waits"] as? [[String: Any]])
        #expect(rows.map { $0["size"] as? Int } == [1, 5])
    }

    private func summary(_ recorder: StepRecorder) -> LoadSummary {
        LoadSummary(
            configuration: LoadConfiguration(), took: .seconds(2), population: recorder.population,
            steps: recorder.records, seconds: recorder.seconds, waits: recorder.waits)
    }
}
