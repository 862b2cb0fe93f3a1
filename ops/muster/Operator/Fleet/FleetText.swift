import Fleet
import GameModel
import Jobs

/// The fleet in words and tables.
enum FleetText {
    /// A region's line, and its instances below.
    static func region(_ fleet: FleetSnapshot) -> String {
        var facts = [
            "\(fleet.instances.count) instances", "\(fleet.freeSlots) of \(fleet.slots) slots free",
            "\(fleet.allocations) matches",
        ]
        if fleet.unjoined > 0 { facts.append("\(fleet.unjoined) of them not joined yet") }
        if fleet.lost > 0 { facts.append("\(fleet.lost) lost ones to be ended") }
        facts.append(fleet.target.map { "to run build \($0)" } ?? "any build")
        let head = "\(fleet.region): \(facts.joined(separator: ", "))"
        guard !fleet.instances.isEmpty else { return head }
        let rows = fleet.instances.map { one in
            [
                one.instance.rawValue, "\(one.host):\(one.port)", one.build, one.state.rawValue,
                DepthTable.age(one.stateMs), "\(one.freeSlots.map { "\($0)" } ?? "-")/\(one.slots)", "\(one.held)",
                DepthTable.age(one.silentMs), one.why ?? "",
            ]
        }
        return head + "\n"
            + JobText.table(
                [
                    "instance", "address", "build", "state", "since", "free", "matches", "heard",
                    "why",
                ], rows, right: Set(4...7), flexible: [8])
    }

    static func instance(_ one: FleetSnapshot.Instance) -> String {
        MatchmakingText.rows([
            ("instance", one.instance.rawValue), ("region", one.instance.region?.rawValue),
            ("address", "\(one.host):\(one.port)"), ("build", one.build),
            ("state", "\(one.state.rawValue), for \(Duration.milliseconds(one.stateMs).inWords)"), ("why", one.why),
            (
                "slots",
                "\(one.slots), " + (one.freeSlots.map { "\($0) free" } ?? "none is given to matches")
            ), ("matches", "\(one.held) held, \(one.played) played to their end"),
            ("last heard", "\(Duration.milliseconds(one.silentMs).inWords) ago"),
        ])
    }

    static func matches(_ matches: [FleetShowCommand.HeldByPlayers], at now: Int64) -> String {
        guard !matches.isEmpty else { return "no match" }
        let rows = matches.map { held in
            [
                held.match.rawValue, DepthTable.age(Int(max(0, now - held.since))),
                held.joinBefore.map { "to join within \(DepthTable.age(Int(max(0, $0 - now))))" } ?? "joined",
                held.players.isEmpty ? "not known any more" : held.players.map(\.rawValue).joined(separator: " "),
            ]
        }
        return JobText.table(["match", "for", "players came", "players"], rows, right: [1], flexible: [3])
    }

    static func unknown(_ id: InstanceID) -> CommandFailure {
        CommandFailure(
            "The fleet knows no instance \(id): it ended, or has not been heard of since Redis was lost.",
            nextStep: "See those that live with 'muster fleet ls'.")
    }
}
