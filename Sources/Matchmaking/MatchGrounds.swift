import Foundation
import GameModel

/// Why a match was made: what the matcher knew at that moment, kept with the match for people. Field `why` of its hash,
/// as JSON.
public struct MatchGrounds: Sendable, Hashable, Codable {
    /// The ticket around which it was made.
    public var anchor: TicketID
    /// How long the anchor had waited.
    public var waitedMs: Int64
    /// The predicted chance of each team to come first; of a backfill, of the teams as they then are.
    public var chances: [Double]
    /// Each rule with its limit at that moment and the match's value.
    public var checks: [RuleCheck]

    public init(anchor: TicketID, waitedMs: Int64, chances: [Double], checks: [RuleCheck]) {
        self.anchor = anchor
        self.waitedMs = waitedMs
        self.chances = chances
        self.checks = checks
    }

    /// Reads JSON; `nil` where it is of another form.
    public init?(text: String) {
        guard let grounds = try? JSONDecoder().decode(Self.self, from: Data(text.utf8)) else { return nil }  // As said.
        self = grounds
    }

    /// Of a proposal at the time it is made.
    init(_ proposal: Proposal, _ matcher: Matcher, at now: Instant) {
        var teams = proposal.teams.map { $0.flatMap(\.members).map(\.skill) }
        if let playing = proposal.backfill?.backfill?.teams {
            for (index, team) in playing.enumerated() {
                if index < teams.count { teams[index] += team.map(\.skill) } else { teams.append(team.map(\.skill)) }
            }
        }
        self.init(
            anchor: proposal.anchor.id, waitedMs: max(0, now.milliseconds - proposal.anchor.queuedAt.milliseconds),
            chances: WinChance.chances(of: teams).map { ($0 * 1_000).rounded() / 1_000 },
            checks: proposal.checks.isEmpty ? matcher.checks(of: proposal, at: now) : proposal.checks)
    }

    func text() throws -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        return String(decoding: try encoder.encode(self), as: UTF8.self)
    }
}
