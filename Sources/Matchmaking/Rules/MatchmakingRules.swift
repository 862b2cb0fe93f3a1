import GameModel
import Synchronization

/// The modes and regions that are played, and the rules of each mode. Every API process, ranker and allocator holds
/// the same, by the same file.
public struct MatchmakingRules: Sendable, Hashable {
    public var modes: [Mode: ModeRules]
    public var regions: [Region]
    /// Names these rules on every match that was made by them: `standard`, or a digest of the file.
    public var version = "standard"

    public init(modes: [Mode: ModeRules], regions: [Region]) {
        self.modes = modes
        self.regions = regions
    }

    /// Duels, trios and squads in Europe and the United States.
    public static let standard = MatchmakingRules(
        modes: [
            Mode("duel"): ModeRules(teamSize: 1), Mode("trio"): ModeRules(teamSize: 3),
            Mode("squad"): ModeRules(teamSize: 5),
        ],
        regions: [Region("eu"), Region("us")])

    /// Every pool there is, sorted.
    public var pools: [Pool] {
        modes.flatMap { mode, rules in
            switch rules.scope {
            case .apart: regions.map { Pool(mode: mode, region: $0) }
            case .together: [Pool(mode: mode, region: .everywhere)]
            }
        }.sorted()
    }

    public func rules(of pool: Pool) -> ModeRules? {
        guard let rules = modes[pool.mode] else { return nil }
        switch rules.scope {
        case .apart: return regions.contains(pool.region) ? rules : nil
        case .together: return pool.region == .everywhere ? rules : nil
        }
    }

    /// The pool in which a player of a region waits; `nil` where mode or region are not played.
    public func pool(of mode: Mode, in region: Region) -> Pool? {
        guard let rules = modes[mode], regions.contains(region) else { return nil }
        return Pool(mode: mode, region: rules.scope == .together ? .everywhere : region)
    }

    /// The regions in which matches of a pool may be played.
    public func regions(of pool: Pool) -> [Region] { pool.region == .everywhere ? regions : [pool.region] }
}

/// The rules in force in a process, which may change while it runs: whoever follows them asks at each use.
public final class RulesBook: Sendable {
    private let rules: Mutex<MatchmakingRules>

    public init(_ rules: MatchmakingRules) { self.rules = Mutex(rules) }

    public var current: MatchmakingRules { rules.withLock { $0 } }

    /// From now on these.
    public func replace(with new: MatchmakingRules) { rules.withLock { $0 = new } }
}
