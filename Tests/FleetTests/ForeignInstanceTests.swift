import API
import Accounts
import Fleet
import Foundation
import GameData
import GameModel
import TestSupport
import Testing

@testable import MusterInstance

@Suite("A game server of another engine")
struct ForeignInstanceTests {
    private struct Seen: Decodable {
        var refused: [String]
        var joined: [PlayerID]
        var balance: Bool
        var characters: Int
        var events: Int
        var result: [Int]
        var gone: Int
    }

    @Test("an instance in Python, written by the page alone, plays a match that the real house finds, places and rates")
    func python() async throws {
        try await withHouse(hasInstance: false) { house in
            let instance = InstanceID("eu.\(ULID())")
            let environment = [
                "MUSTER_API_URL": house.url, "MUSTER_INSTANCE_ID": instance.rawValue, "MUSTER_INSTANCE_REGION": "eu",
                "MUSTER_INSTANCE_TOKEN": try await house.tokens.service(
                    subject: instance.rawValue, role: .instance),
            ]
            async let output = ForeignProgram.output(
                try ForeignProgram.python(), ["-c", ForeignInstance.program], environment: environment)
            try await eventually("the fleet knows the instance") {
                try await house.fleet.list(eu).freeSlots == 1
            }
            let players = try await [house.newPlayer("one"), house.newPlayer("two")]
            let endings = try await withThrowingTaskGroup(of: [AnyFrame].self) { group in
                for player in players {
                    group.addTask {
                        let seat = try await house.ready(player, #"{"mode":"duel","region":"eu"}"#)
                        // A token for another instance comes first.
                        let foreign = try await house.tokens.join(
                            player: player.id, match: try #require(seat.matchId), instance: InstanceID("eu.other"))
                        #expect(try await play(seat.port, token: foreign).last?.type == "error")
                        return try await play(seat.port, token: seat.joinToken)
                    }
                }
                return try await group.reduce(into: []) { $0.append($1) }
            }
            for frames in endings { #expect(frames.map(\.type) == ["joined", "finished"]) }

            let seen = try JSONDecoder().decode(Seen.self, from: Data(try await output.utf8))
            #expect(Set(seen.joined) == Set(players.map(\.id)))
            #expect(seen.refused == ["InvalidAudienceError", "InvalidAudienceError"])
            #expect(!seen.balance && seen.characters > 0)
            #expect(seen.events == 202 && seen.result == [201, 200] && seen.gone == 204)
            let match = try #require(try await house.matches.recent(limit: 1).first)
            let record = try #require(try await house.matches.match(match.matchId))
            #expect(record.state == .reported && record.instanceId == instance && record.result?.winner == 0)
        }
    }
}
