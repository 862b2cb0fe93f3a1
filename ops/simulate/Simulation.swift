import GameModel
import Matchmaking

/// A day of matchmaking without servers: the production matcher over a ``Crowd``, on a clock of its own.
///
/// It is deterministic: the same rules, crowd, seed and tick give the same ``Figures``, byte for byte. It promises that
/// every arrival ends matched, expired, declined or still waiting, and that no player is in two matches at once; a run
/// that broke this says so in ``Figures/faults``.
///
/// What it leaves out: ratings stay as they are, matches find an instance at once, and no match loses players, so
/// backfill does not occur.
public struct Simulation: Sendable {
    public let rules: MatchmakingRules
    public let mode: Mode
    public let crowd: Crowd
    public let seed: UInt64
    /// Between two runs of the matcher, in ms.
    public let tickMs: Int64

    let modeRules: ModeRules

    /// - Throws: ``SimulationError`` where the mode is not played, or the crowd is not one that its rules can judge.
    public init(
        rules: MatchmakingRules, mode: Mode, crowd: Crowd, seed: UInt64, tickMs: Int64 = 1_000
    ) throws(SimulationError) {
        guard let modeRules = rules.modes[mode] else {
            let known = rules.modes.keys.sorted().map(\.rawValue).joined(separator: ", ")
            throw SimulationError(["no mode '\(mode)' in these rules; they have \(known)"])
        }
        guard tickMs >= 10, tickMs <= 60_000 else { throw SimulationError(["a tick is 0.01 to 60 seconds"]) }
        self.rules = rules
        self.mode = mode
        self.crowd = crowd
        self.seed = seed
        self.tickMs = tickMs
        self.modeRules = modeRules
        try crowd.check(mode, modeRules)
    }

    public func run() -> Figures {
        var run = SimulationRun(self)
        return Figures(run.records(), of: self)
    }
}

/// Why a simulation can't be run as asked: one line for each thing that is wrong.
public struct SimulationError: Error, Sendable, Hashable, CustomStringConvertible {
    public var problems: [String]

    public init(_ problems: [String]) { self.problems = problems }

    public var description: String { problems.joined(separator: "\n") }
}

extension Crowd {
    /// Whether the rules of a mode can judge these players.
    func check(_ mode: Mode, _ rules: ModeRules) throws(SimulationError) {
        var problems: [String] = []
        guard !arrivals.isEmpty else { throw SimulationError(["nobody arrives in the time that is simulated"]) }
        for rule in rules.attributes where rule.fallback == nil {
            guard players.contains(where: { $0.member.attributes[rule.name] == nil }) else { continue }
            problems.append(
                "mode '\(mode)' judges by the attribute '\(rule.name)', which players here lack: name it in the "
                    + "population file under attributes")
        }
        if let most = arrivals.map(\.players.count).max(), most > rules.partyMax {
            problems.append("a party of \(most) arrives, and mode '\(mode)' allows \(rules.partyMax)")
        }
        guard problems.isEmpty else { throw SimulationError(problems) }
    }
}
