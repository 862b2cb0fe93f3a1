import GameModel
import Redis

/// Checks the books of the fleet: that matches, slots and instances agree with each other. Each region is read at one
/// moment, so that a fleet at work is not accused.
public struct FleetAudit: Sendable {
    private let fleet: FleetService
    private let regions: [Region]

    public init(fleet: FleetService, regions: [Region]) {
        self.fleet = fleet
        self.regions = regions
    }

    /// One finding per rule, over all regions.
    public func findings() async throws(FleetError) -> [AuditFinding] {
        var living = Tally("each match that holds a slot is on an instance that the fleet knows, or named as lost")
        var single = Tally("no match is on two instances")
        var agreed = Tally("what instances hold is what was allocated")
        var states = Tally("each instance that beats is registered and has a state")
        for region in regions {
            let books = try await books(of: region)
            for (match, instance) in books.allocations {
                // A cluster's game server may be given a match before its first heartbeat: it is not joined then.
                let isKnown = books.registered.contains(instance) || books.unseen.contains(match)
                living.add(match, isFault: !isKnown && !books.lost.contains(match))
                agreed.add(match, isFault: books.holders[match]?.contains(instance) != true)
            }
            for (match, holders) in books.holders {
                single.add(match, isFault: holders.count > 1)
                agreed.add(match, isFault: books.allocations[match] == nil)
            }
            for match in books.unseen { agreed.add(match, isFault: books.allocations[match] == nil) }
            for instance in books.registered.union(books.beating).union(books.states.keys) {
                let isWhole =
                    books.registered.contains(instance) && books.beating.contains(instance)
                    && books.states[instance].flatMap(InstanceState.init(rawValue:)) != nil
                states.add(instance, isFault: !isWhole)
            }
        }
        return [living, single, agreed, states].map(\.finding)
    }

    private struct Books {
        var allocations: [String: String] = [:]
        var holders: [String: [String]] = [:]
        var unseen: Set<String> = []
        var registered: Set<String> = []
        var beating: Set<String> = []
        var states: [String: String] = [:]
        var lost: Set<String> = []
    }

    private func books(of region: Region) async throws(FleetError) -> Books {
        let reply = try await fleet.call(FleetScripts.audit, keys: FleetKeys(region: region).transition, [])
        guard let parts = reply.array, parts.count == 7 else { throw .unexpectedReply("fleet.audit") }
        func names(_ index: Int) -> [String] { (parts[index].array ?? []).compactMap(\.string) }
        func firstWords(_ index: Int) -> [String: String] {
            Dictionary(
                FleetService.pairs(parts[index]).map { ($0.0, String($0.1.prefix { $0 != " " })) },
                uniquingKeysWith: { first, _ in first })
        }
        var books = Books()
        books.allocations = firstWords(0)
        for member in names(1) {
            let halves = member.split(separator: "/", maxSplits: 1)
            guard halves.count == 2 else { throw .unexpectedReply("a held match: '\(member)'") }
            books.holders[String(halves[1]), default: []].append(String(halves[0]))
        }
        books.unseen = Set(names(2))
        books.registered = Set(names(3))
        books.beating = Set(names(4))
        books.states = firstWords(5)
        books.lost = Set(names(6))
        return books
    }

    /// One rule, and what it found so far.
    private struct Tally {
        let rule: String
        private var checked = 0
        private var faults: [String] = []

        init(_ rule: String) { self.rule = rule }

        mutating func add(_ name: String, isFault: Bool) {
            checked += 1
            if isFault { faults.append(name) }
        }

        var finding: AuditFinding {
            AuditFinding(rule: rule, checked: checked, failed: faults.count, examples: faults.sorted())
        }
    }
}
