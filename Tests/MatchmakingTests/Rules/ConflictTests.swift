import GameModel
import Testing

@testable import Matchmaking

@Suite("Avoid-lists")
struct AvoidListTests {
    private func tickets(_ change: (inout ModeRules) -> Void = { _ in }) -> RuleTickets {
        var rules = ModeRules(teamSize: 2)
        rules.avoidsListed = true
        change(&rules)
        return RuleTickets(rules)
    }

    private func avoiding(_ name: String, _ avoided: String...) -> TicketMember {
        rulePlayer(name).with { $0.avoids = avoided.map { PlayerID($0) } }
    }

    @Test("keep two players out of one match, whichever of them avoids the other and whichever is the anchor")
    func bothWays() {
        var tickets = tickets()
        tickets.add([avoiding("a", "b")])
        tickets.add([rulePlayer("b")])
        tickets.add([rulePlayer("c")])
        #expect(!tickets.canMeet(0, 1))
        #expect(!tickets.canMeet(1, 0))
        #expect(!tickets.canMeet(2, 0, 1))
        #expect(tickets.canMeet(2, 0))
        #expect(tickets.canMeet(2, 1))
    }

    @Test("hold for every member of a party")
    func parties() {
        var tickets = tickets()
        tickets.add([rulePlayer("a"), avoiding("b", "x", "d")])
        tickets.add([rulePlayer("c"), rulePlayer("d")])
        tickets.add([rulePlayer("e"), rulePlayer("f")])
        #expect(!tickets.canMeet(0, 1))
        #expect(!tickets.canMeet(1, 0))
        #expect(tickets.canMeet(0, 2))
    }

    @Test("are judged by each player's own wait: an expansion lifts one's own list only")
    func ownWait() {
        var lifted = Expansion(after: 60)
        lifted.avoidsListed = false
        for (avoiderWaits, otherWaits) in [(60.0, 0.0), (59.9, 60), (0, 120)] {
            var tickets = tickets { $0.expansions = [lifted] }
            tickets.add([avoiding("a", "b")], waited: avoiderWaits)
            tickets.add([rulePlayer("b")], waited: otherWaits)
            #expect(tickets.canMeet(0, 1) == (avoiderWaits >= 60), "\(avoiderWaits) \(otherWaits)")
            #expect(tickets.canMeet(1, 0) == (avoiderWaits >= 60), "\(avoiderWaits) \(otherWaits)")
        }
    }

    @Test("mean nothing where the mode does not follow them")
    func off() {
        var tickets = tickets { $0.avoidsListed = false }
        tickets.add([avoiding("a", "b")])
        tickets.add([rulePlayer("b")])
        #expect(tickets.canMeet(0, 1))
    }

    @Test("no player is in a match twice")
    func twice() {
        var tickets = tickets { $0.avoidsListed = false }
        tickets.add([rulePlayer("a"), rulePlayer("b")])
        tickets.add([rulePlayer("b")])
        tickets.add([rulePlayer("c")])
        tickets.add([rulePlayer("c")])
        #expect(!tickets.canMeet(0, 1))
        #expect(!tickets.canMeet(2, 3))
        #expect(tickets.canMeet(0, 2))
    }

    @Test("hold on random groups just as pairs say one by one")
    func random() {
        var (together, apart) = (0, 0)
        for seed in UInt64(1)...300 {
            var random = SplitMix64(seed: seed)
            var tickets = tickets { $0.teamSize = 50 }
            let members = (0..<6).map { index in
                rulePlayer("p\(index)").with { member in
                    for other in 0..<20 where other != index && Int.random(in: 0..<18, using: &random) == 0 {
                        member.avoids.append(PlayerID("p\(other)"))
                    }
                }
            }
            for member in members { tickets.add([member]) }
            let names = Set(members.map(\.player))
            let isAllowed = !members.contains { !names.isDisjoint(with: $0.avoids) }
            #expect(tickets.canMeet([0, 1, 2, 3, 4, 5]) == isAllowed, "seed \(seed)")
            if isAllowed { together += 1 } else { apart += 1 }
        }
        #expect(together > 20)
        #expect(apart > 20)
    }
}

@Suite("Recent opponents")
struct RecentOpponentsTests {
    private func tickets(teams: Int = 2, teamSize: Int, last: Int = 2, _ change: (inout ModeRules) -> Void = { _ in })
        -> RuleTickets
    {
        var rules = ModeRules(teams: teams, teamSize: teamSize)
        rules.recentOpponents = last
        change(&rules)
        return RuleTickets(rules)
    }

    private func met(_ name: String, _ opponents: String..., rating: Double = 1500) -> TicketMember {
        rulePlayer(name, rating: rating).with { $0.recentOpponents = opponents.map { PlayerID($0) } }
    }

    @Test("don't meet in a duel or free-for-all, whichever of them remembers")
    func alone() {
        for teams in [2, 3] {
            var tickets = tickets(teams: teams, teamSize: 1)
            tickets.add([met("a", "b")])
            tickets.add([rulePlayer("b")])
            tickets.add([rulePlayer("c")])
            #expect(!tickets.canMeet(0, 1))
            #expect(!tickets.canMeet(1, 0))
            #expect(tickets.canMeet(0, 2))
        }
    }

    @Test("are the last so many, no more")
    func last() {
        var tickets = tickets(teamSize: 1, last: 2)
        tickets.add([met("a", "b", "c", "d")])
        for name in ["b", "c", "d"] { tickets.add([rulePlayer(name)]) }
        #expect(!tickets.canMeet(0, 1))
        #expect(!tickets.canMeet(0, 2), "the second of two")
        #expect(tickets.canMeet(0, 3), "the third is forgotten")
    }

    @Test("are looked at less far back after an expansion, each player by their own wait")
    func ownWait() {
        var fewer = Expansion(after: 20)
        fewer.recentOpponents = 0
        for (waits, otherWaits) in [(20.0, 0.0), (0, 20)] {
            var tickets = tickets(teamSize: 1) { $0.expansions = [fewer] }
            tickets.add([met("a", "b")], waited: waits)
            tickets.add([rulePlayer("b")], waited: otherWaits)
            #expect(tickets.canMeet(0, 1) == (waits >= 20))
        }
    }

    @Test("after an expansion to one, the last but one is forgotten and the last is not")
    func fewer() {
        var fewer = Expansion(after: 20)
        fewer.recentOpponents = 1
        var tickets = tickets(teamSize: 1, last: 3) { $0.expansions = [fewer] }
        tickets.add([met("a", "b", "c")], waited: 20)
        tickets.add([rulePlayer("b")])
        tickets.add([rulePlayer("c")])
        #expect(!tickets.canMeet(0, 1))
        #expect(tickets.canMeet(0, 2))
    }

    @Test("play in one team, even if the ratings would oppose them")
    func oneTeam() throws {
        var tickets = tickets(teamSize: 2)
        // By ratings: {2000, 1000} and {1500, 1500}.
        let slots = [
            tickets.add([met("a", "b", rating: 2_000)]), tickets.add([rulePlayer("b", rating: 1_500)]),
            tickets.add([rulePlayer("c", rating: 1_500)]), tickets.add([rulePlayer("d", rating: 1_000)]),
        ]
        #expect(tickets.canMeet(slots))
        #expect(try #require(tickets.teams(slots)).contains([0, 1]))
    }

    @Test("who can't all be in one team are in no match")
    func tooMany() {
        var tickets = tickets(teamSize: 2)
        let slots = [
            tickets.add([met("a", "b")]), tickets.add([rulePlayer("b")]), tickets.add([met("c", "b")]),
            tickets.add([rulePlayer("d")]),
        ]
        #expect(!tickets.canMeet(0, 2, 1), "three in teams of two")
        #expect(tickets.divide(slots) == nil)
    }

    @Test("never stand in opposite teams, on random matches")
    func random() throws {
        var (divided, refused) = (0, 0)
        for seed in UInt64(1)...200 {
            var random = SplitMix64(seed: seed)
            var tickets = tickets(teams: 2, teamSize: 4, last: 3)
            let slots = (0..<8).map { index in
                tickets.add([
                    rulePlayer("p\(index)", rating: Double.random(in: 1_000...2_000, using: &random)).with {
                        for other in (0..<8).shuffled(using: &random) where other != index {
                            if Int.random(in: 0..<16, using: &random) == 0 {
                                $0.recentOpponents.append(PlayerID("p\(other)"))
                            }
                        }
                    }
                ])
            }
            guard let teams = tickets.teams(slots) else {
                refused += 1
                continue
            }
            divided += 1
            for (team, other) in [(teams[0], teams[1]), (teams[1], teams[0])] {
                let others = Set(other.map { PlayerID("p\($0)") })
                for slot in team {
                    let opponents = tickets.tickets[Int(slot)].members[0].recentOpponents.prefix(3)
                    #expect(others.isDisjoint(with: opponents), "seed \(seed)")
                }
            }
        }
        #expect(divided > 20)
        #expect(refused > 0)
    }
}
