import GameModel
import Testing

@testable import Matchmaking

private let eu = Region("eu")
private let us = Region("us")

private func member(_ change: (inout TicketMember) -> Void = { _ in }) -> TicketMember {
    var member = TicketMember(player: PlayerID("ada"))
    change(&member)
    return member
}

/// Squads of five, by region apart or together.
private func check(_ scope: RegionScope = .apart, _ change: (inout ModeRules) -> Void = { _ in }) -> TicketCheck {
    var rules = ModeRules(teamSize: 5)
    rules.scope = scope
    change(&rules)
    let all = MatchmakingRules(modes: [Mode("squad"): rules], regions: [eu, us])
    let region = scope == .together ? Region.everywhere : eu
    return TicketCheck(Pool(mode: Mode("squad"), region: region), rules, in: all)
}

/// The field and the reason of a refusal; `nil` where there was none.
private func refusal(_ body: () throws -> Void) -> String? {
    do {
        try body()
        return nil
    } catch {
        return "\(error)"
    }
}

@Suite("A ticket that can never be matched is refused by name")
struct RefusalTests {
    @Test("for latencies that nobody can have measured")
    func latencies() {
        for value in [Double.nan, .infinity, -.infinity, -0.001, 5_000.5, 1e300] {
            let text = refusal { try check().check(member { $0.latencies = [eu: value] }) }
            #expect(text?.contains("latency to 'eu' is \(value)") == true, "\(value)")
        }
        #expect(refusal { try check().check(member { $0.latencies = [eu: 0, us: 5_000] }) } == nil)
        let elsewhere = refusal { try check().check(member { $0.latencies = [Region("mars"): 1] }) }
        #expect(elsewhere == "no region 'mars'; there are eu, us")
    }

    @Test("without any latency where the regions play together")
    func unmeasured() {
        #expect(
            refusal { try check(.together).check(member()) }
                == "latencies: none given, but squad is played where they are low; measure one at least of eu, us")
        #expect(refusal { try check(.apart).check(member()) } == nil)
        #expect(refusal { try check(.together).check(member { $0.latencies = [us: 300] }) } == nil)
    }

    @Test("where no region is within the largest limit that the rules ever allow, for one player or a party")
    func reach() {
        let widening = check(.together) { rules in
            rules.latency = LatencyRule(max: 60, regions: [us: 80])
            var later = Expansion(after: 30)
            later.latencyPlus = 50
            var latest = Expansion(after: 60)
            latest.latencyPlus = 20
            rules.expansions = [later, latest]
        }
        func text(_ party: [[Region: Double]]) -> String? {
            let members = party.map { latencies in member { $0.latencies = latencies } }
            return refusal { try widening.check(members[0], with: Array(members.dropFirst()), of: []) }
        }
        #expect(text([[eu: 110, us: 131]]) == nil, "eu after 30 s")
        #expect(text([[eu: 111, us: 130]]) == nil, "us after 30 s")
        #expect(
            text([[eu: 111, us: 131]])
                == "latencies: no region is within the limit, however long it waits: eu 111 ms of 110 ms, "
                + "us 131 ms of 130 ms")
        #expect(text([[eu: 20, us: 100], [eu: 100, us: 20]]) == nil)
        #expect(
            text([[eu: 20, us: 200], [us: 20]])
                == "latencies: no region is within the whole party's limit, however long it waits: "
                + "eu not measured of 110 ms, us 200 ms of 130 ms")
        // Apart, only the ticket's own region counts, and who measured none may play.
        let apart = check(.apart) { $0.latency = LatencyRule(max: 60) }
        for (latency, isFine) in [(60.0, true), (61, false)] {
            let text = refusal { try apart.check(member { $0.latencies = [eu: latency] }, with: [], of: []) }
            #expect((text == nil) == isFine, "\(latency)")
        }
        #expect(refusal { try apart.check(member { $0.latencies = [us: 300] }, with: [], of: []) } == nil)
    }

    @Test("for parties too large, or that name a player twice")
    func parties() {
        let five = check { $0.partyMax = 3 }
        func text(_ names: [String]) -> String? {
            refusal { try five.check(invited: names.map { PlayerID($0) }, by: PlayerID("ada")) }
        }
        #expect(text(["bob", "cyd"]) == nil)
        #expect(text(["bob", "cyd", "dan"]) == "party: 4 players with the leader, squad takes 3")
        for names in [["bob", "bob"], ["ada"]] {
            #expect(text(names)?.hasPrefix("party: names a player twice, or the leader") == true, "\(names)")
        }
        for name in ["a,b", "!bob", "", String(repeating: "x", count: 65)] {
            #expect(text([name])?.contains("is no player's name") == true, "\(name)")
        }
    }

    @Test("for roles that the mode has not, and for more of one insisted on than a team has")
    func roles() {
        let roles = check { rules in
            rules.roles = [
                RoleRule(name: "tank", count: 1), RoleRule(name: "healer", count: 1), RoleRule(name: "dps", count: 3),
            ]
        }
        #expect(refusal { try roles.check(member { $0.roles = ["healer", "dps"] }) } == nil)
        #expect(
            refusal { try roles.check(member { $0.roles = ["healr"] }) }
                == "roles: no role 'healr' in squad; there are dps, healer, tank")
        #expect(
            refusal { try roles.check(member { $0.roles = ["dps", "dps"] }) }
                == "roles: [dps, dps] names a role twice; name each once, best first")
        #expect(
            refusal { try check().check(member { $0.roles = ["tank"] }) }
                == "roles: [tank], but squad has no roles; leave them out")
        #expect(
            refusal { try roles.check(member { $0.insistsOnRoles = true }) }
                == "insistsOnRoles: true without roles; name the roles, or leave it out")

        func insisting(_ wishes: [String]...) -> [TicketMember] {
            wishes.map { wish in
                member {
                    $0.roles = wish
                    $0.insistsOnRoles = true
                }
            }
        }
        // The third can have the tank's seat only when the first gives way to the healer's: it is found.
        let fits = insisting(["tank", "healer"], ["dps"], ["tank"])
        #expect(refusal { try roles.check(fits[2], with: Array(fits[..<2]), of: []) } == nil)
        let clash = insisting(["tank", "healer"], ["healer"], ["tank"])
        #expect(
            refusal { try roles.check(clash[2], with: Array(clash[..<2]), of: []) }
                == "roles: [tank] insisted on, but a team of squad has 1 tank, 1 healer, 3 dps, "
                + "which others of the party insist on")
        let wishes = clash.map { wish in
            var wish = wish
            wish.insistsOnRoles = false
            return wish
        }
        #expect(refusal { try roles.check(wishes[2], with: Array(wishes[..<2]), of: []) } == nil)
    }

    @Test(
        "for attributes that the rules judge by and that are missing or of another kind",
        arguments: [
            (AttributeRule.Kind.equal, AttributeValue.list(["a"]), "a text or a number"),
            (.oneOf, .number(1), "a text, or a list of one text or more"),
            (.oneOf, .list([]), "a text, or a list of one text or more"),
            (.distance, .text("7"), "a number"), (.averageDifference, .list(["7"]), "a number"),
        ])
    func attributes(kind: AttributeRule.Kind, wrong: AttributeValue, wanted: String) {
        let rule = AttributeRule(name: "level", kind: kind, max: 5)
        let strict = check { $0.attributes = [rule] }
        #expect(
            refusal { try strict.check(member()) }
                == "attributes.level: missing, but squad judges by it; give \(wanted)")
        #expect(
            refusal { try strict.check(member { $0.attributes = ["level": wrong] }) }
                == "attributes.level: '\(wrong)' must be \(wanted)")
        let right: AttributeValue = kind == .equal || kind == .oneOf ? .text("a") : .number(7)
        #expect(refusal { try strict.check(member { $0.attributes = ["level": right] }) } == nil)
        let lenient = check { $0.attributes = [AttributeRule(name: "level", kind: kind, max: 5, fallback: right)] }
        #expect(refusal { try lenient.check(member()) } == nil)
    }

    @Test("for attributes out of bounds")
    func bounds() {
        func text(_ attributes: [String: AttributeValue]) -> String? {
            refusal { try check().check(member { $0.attributes = attributes }) }
        }
        let names = (1...21).map { "a\($0)" }
        func numbers(_ count: Int) -> [String: AttributeValue] {
            Dictionary(uniqueKeysWithValues: names.prefix(count).map { ($0, .number(1)) })
        }
        #expect(text(numbers(20)) == nil)
        #expect(text(numbers(21)) == "attributes: 21, must be 20 at most")
        #expect(text(["level": .number(.nan)]) == "attributes.level: nan must be a finite number")
        #expect(text(["level": .number(.infinity)])?.contains("finite") == true)
        let long = String(repeating: "é", count: 33)
        #expect(text(["name": .text(String(long.dropLast()))]) == nil)
        #expect(text(["name": .text(long)])?.contains("has 66 bytes, must be 64 at most") == true)
        #expect(text(["name": .list([long])])?.contains("has 66 bytes") == true)
        #expect(text([long: .number(1)])?.contains("must be 1 to 64 bytes") == true)
        #expect(text(["list": .list(names)])?.contains("21 texts, must be 20 at most") == true)
    }

    @Test("for an avoid-list too long, or that names a member of the party or its owner")
    func avoidance() {
        let many = (0..<101).map { PlayerID("p\($0)") }
        #expect(refusal { try check().check(member { $0.avoids = Array(many.dropLast()) }) } == nil)
        #expect(
            refusal { try check().check(member { $0.avoids = many }) } == "avoid: 101 players, must be 100 at most")
        #expect(
            refusal { try check().check(member { $0.avoids = [$0.player] }) }
                == "avoid: names the player's own self; take it off the list")
        let bob = TicketMember(player: PlayerID("bob"), avoids: [PlayerID("ada")])
        #expect(
            refusal { try check().check(member { $0.avoids = [bob.player] }, with: [], of: [bob.player]) }?
                .hasPrefix("avoid: bob is of the same party") == true)
        #expect(
            refusal { try check().check(member(), with: [bob], of: [bob.player]) }
                == "party: bob of it avoids ada, so the two can't play together")
    }

    @Test("for a rating or a leaver rate that can't have been reckoned")
    func skills() {
        for skill in [
            Skill(rating: .nan, deviation: 1), Skill(rating: 1e5, deviation: 1), Skill(rating: 1, deviation: -1),
        ] {
            #expect(refusal { try check().check(member { $0.skill = skill }) } != nil, "\(skill)")
        }
        for rate in [Double.nan, -0.1, 1.1] {
            #expect(refusal { try check().check(member { $0.leaverRate = rate }) } != nil, "\(rate)")
        }
    }
}
