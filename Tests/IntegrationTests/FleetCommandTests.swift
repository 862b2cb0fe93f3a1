import Fleet
import Foundation
import GameModel
import Redis
import TestSupport
import Testing

@Suite("muster fleet")
struct FleetCommandTests {
    private struct Listing: Decodable {
        let regions: [FleetSnapshot]
    }

    private struct Shown: Decodable {
        let instance: FleetSnapshot.Instance
        let matches: [HeldMatch]
    }

    @Test("ls, show, cordon, uncordon, drain and update tell and do what they say; what can't be is refused in words")
    func commands() async throws {
        try await withRedis { redis, server in
            var patience = FleetConfiguration()
            patience.silentAfter = .seconds(3_600)
            let fleet = FleetService(redis: redis, configuration: patience)
            let instance = InstanceID(in: Region("eu"))
            let beat = InstanceHeartbeat(
                region: Region("eu"), host: "10.0.0.1", port: 7_000, slots: 5, build: "1", matches: [])
            try await fleet.heartbeat(instance, beat)
            let match = MatchID(in: Pool(mode: Mode("duel"), region: Region("eu")), ULID())
            _ = try #require(try await fleet.allocate(match))
            // The commands take silence as the fleet does.
            async let _: Void = repeating(every: .milliseconds(300)) { try await fleet.heartbeat(instance, beat) }

            func muster(_ words: String...) async throws -> MusterUp.Ending {
                try await MusterUp.run(["fleet"] + words + ["--redis", server.url])
            }
            let text = try await muster("ls", "--region", "eu")
            #expect(text.status == 0 && text.output.contains(instance.rawValue), "\(text.output)\(text.errors)")
            let json = try await muster("show", instance.rawValue, "--json")
            let shown = try JSONDecoder().decode(Shown.self, from: Data(json.output.utf8))
            #expect(shown.instance.held == 1 && shown.matches.map(\.match) == [match])
            #expect(try await muster("show", instance.rawValue).output.contains(match.rawValue))

            let unasked = try await muster("cordon", instance.rawValue)
            #expect(unasked.status != 0 && unasked.errors.contains("--yes"))
            #expect(try await muster("cordon", instance.rawValue, "--reason", "odd ticks", "--yes").status == 0)
            #expect(try await fleet.list(Region("eu")).instances.first?.order?.reason == "odd ticks")
            #expect(try await muster("uncordon", instance.rawValue, "--yes").status == 0)
            #expect(try await fleet.list(Region("eu")).instances.first?.order == nil)
            #expect(try await muster("update", "--build", "2", "--region", "eu", "--yes").status == 0)
            #expect(try await fleet.list(Region("eu")).target == "2")
            #expect(try await muster("drain", instance.rawValue, "--yes").status == 0)
            try await eventually("the list says that it drains") {
                let listing = try await muster("ls", "--json")
                let all = try JSONDecoder().decode(Listing.self, from: Data(listing.output.utf8))
                return all.regions.flatMap(\.instances).map(\.state) == [.draining]
            }

            let late = try await muster("uncordon", instance.rawValue, "--yes")
            #expect(late.status == 1 && late.errors.contains("drains"))
            let unknown = try await muster("drain", "eu.nobody", "--yes")
            #expect(unknown.status == 1 && unknown.errors.contains("no such instance"))
            #expect(try await muster("show", "nonsense").errors.contains("region.name"))
            #expect(try await muster("ls", "--region", "mars").errors.contains("no region 'mars'"))
            #expect(try await muster("update", "--yes").errors.contains("--build"))
        }
    }
}
