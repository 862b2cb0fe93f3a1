import GameModel
import Matchmaking

/// Who comes to play, and when: drawn from a ``Population`` or read from real arrivals. The same crowd is run by each
/// rule file that is compared.
public struct Crowd: Sendable {
    var players: [SimulatedPlayer]
    /// By time.
    var arrivals: [Arrival]
    var habits: Habits
    /// In ms since 00:00: what of the day is run.
    var span: Range<Int64>
    /// What was left out of what was asked for, in words.
    public internal(set) var remarks: [String] = []

    /// Who arrives, each once.
    public var playerCount: Int { Set(arrivals.flatMap(\.players)).count }
    public var arrivalCount: Int { arrivals.count }

    /// Only who arrives in a part of the time, in ms since 00:00.
    public func within(_ span: Range<Int64>) -> Crowd {
        var crowd = self
        crowd.arrivals = arrivals.filter { span.contains($0.at) }
        let ends = min(span.upperBound, self.span.upperBound)
        crowd.span = min(span.lowerBound, ends - 1)..<ends
        return crowd
    }
}

/// A player as the rules see it, and as it is.
struct SimulatedPlayer: Sendable {
    /// As it first queues.
    var member: TicketMember
    /// What decides matches; ``TicketMember/skill`` is what is known of it.
    var strength: Double
    var home: Region
}

/// Players who queue together.
struct Arrival: Sendable {
    /// In ms since 00:00.
    var at: Int64
    /// Places in ``Crowd/players``.
    var players: [Int32]
    /// The region whose pool they ask for; `nil`: the one they reach fastest.
    var region: Region?
}

/// What players do once they are here.
struct Habits: Sendable, Hashable {
    /// The chance that a player accepts a proposed match.
    var accepts = 0.97
    /// The mean time until they answer, in seconds.
    var answerSeconds = 4.0
    /// How long a match takes, mean and standard deviation, in seconds.
    var matchSeconds = 900.0
    var matchSpread = 240.0
    /// The chance that players queue again after a match.
    var returns = 0.7
    /// The mean time between a match and queueing again, in seconds.
    var pauseSeconds = 60.0
}
