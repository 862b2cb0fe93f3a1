import Fleet
import GameModel
import Redis

let eu = Region("eu")

extension MatchID {
    static func duel(_ region: Region = eu) -> MatchID { MatchID(in: Pool(mode: Mode("duel"), region: region), ULID()) }
}

extension FleetConfiguration {
    /// Nobody falls silent, however slow the machine is: for tests that claim nothing about silence.
    static var patient: FleetConfiguration {
        var configuration = FleetConfiguration()
        configuration.silentAfter = .seconds(3_600)
        configuration.deadAfter = .seconds(3_600)
        return configuration
    }
}

extension InstanceHeartbeat {
    static func of(_ slots: Int, _ matches: [MatchID] = [], region: Region = eu) -> InstanceHeartbeat {
        InstanceHeartbeat(region: region, host: "10.0.0.1", port: 7_000, slots: slots, build: "1", matches: matches)
    }
}

extension FleetService {
    /// A registered instance with this many slots.
    func registered(slots: Int, region: Region = eu) async throws -> InstanceID {
        let instance = InstanceID(in: region)
        try await heartbeat(instance, .of(slots, region: region))
        return instance
    }
}
