import Accounts
import Foundation
import GameData
import GameModel
import Logging
import NIOHTTP1
import Records
import Redis
import TestSupport
import Testing

@Suite("Events over HTTP")
struct EventRoutesTests {
    @Test("what the API tells of results is refused from an instance, and its other events are taken")
    func toldByTheAPI() async throws {
        try await withAPI { api in
            let instance = try await api.token(.instance)
            func event(_ kind: String) -> String { #"{"kind":"\#(kind)","at":1,"matchId":"m","playerId":"p"}"# }
            let forged = try await api.client.send(
                .POST, "/v1/events", token: instance,
                body: #"{"events":[\#(event("kill")),\#(event("player_finished"))]}"#)
            #expect(forged.status == 422)
            #expect(try forged.problem().field == "events[1].kind")
            let taken = try await api.client.send(
                .POST, "/v1/events", token: instance, body: #"{"events":[\#(event("kill"))]}"#)
            #expect(taken.status == 202)
        }
    }

    @Test("a result that is reported again is told again, with latencies within bounds, and counts once")
    func toldAgain() async throws {
        try await withAPI { api in
            let match = MatchID(in: Pool(mode: Mode("duel"), region: Region("eu")), ULID())
            let database = try RecordsDatabase.open(
                path: "\(api.folder)/data.sqlite", durability: .full, schemas: GameDataSchema.schemas,
                logger: Logger(label: "test.data"))
            try await MatchesRepository(database: database).place(
                MatchPlacement(
                    matchId: match, mode: Mode("duel"), region: Region("eu"), instanceId: InstanceID("eu.one"),
                    patch: PatchVersion(1),
                    roster: (0..<2).map { team in
                        MatchSeat(
                            team: team, ticketId: TicketID("duel.eu.\(ULID())"), playerId: PlayerID("p\(team)"),
                            character: "warden", rating: 1_500)
                    }))
            try database.close()
            let token = try await api.token(.instance, subject: "eu.one")
            let said = [(0, "1e300"), (1, "-7")].map { team, latency in
                #"{"playerId":"p\#(team)","team":\#(team),"kills":0,"deaths":0,"damage":0,"latencyMs":\#(latency)}"#
            }
            let body = #"{"winner":0,"durationMs":5,"players":[\#(said.joined(separator: ","))]}"#
            for status in [201, 200] {
                let reply = try await api.client.send(
                    .POST, "/v1/fleet/matches/\(match)/result", token: token, body: body)
                #expect(reply.status == status, "\(reply.text)")
            }

            let events = try EventsRepository.open(folder: api.folder, logger: Logger(label: "test.events"))
            try await withClient(try api.redis.configuration()) { redis in
                let shard = GameDataKeys.shard(for: match.rawValue)
                let group = EventGroup(redis: redis, shard: shard, consumer: "test")
                let life = try await group.create()
                let entries = try await group.read(limit: 10, block: .milliseconds(1))
                let stored = try await events.store(entries, shard: shard, life: life)
                #expect((stored.events, stored.raw) == (4, 0))
                try await events.copyTotals(shard: shard)
            }
            let totals = EventTotalsRepository(events)
            #expect(try await totals.characters(patch: PatchVersion(1)).map(\.totals.picks) == [2])
            for (player, ms) in [("p0", 5_000.0), ("p1", 0)] {
                let known = try await totals.regions(of: PlayerID(player))[Region("eu")]
                #expect(known?.averageLatencyMs == ms)
            }
            try events.close()
        }
    }
}
