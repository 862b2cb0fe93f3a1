import Matchmaking

extension MatchmakingError: ProblemConvertible {
    /// What the client is told, and what would be right.
    public var problem: Problem {
        switch self {
        case .ticketActive(let ticket): .ticketActive(ticket)
        case .unknownMode: .invalidField("mode", sentence)
        case .unknownRegion: .invalidField("region", sentence)
        case .latencyElsewhere(let region, _), .invalidLatency(let region, _):
            .invalidField("latencies.\(region)", sentence)
        case .invalidCharacter: .invalidField("character", sentence)
        case .invalidTicket(let field, _): .invalidField(field, sentence)
        case .coolingDown: .conflict(sentence)
        case .foreignTicket: .forbidden("This ticket is another player's.")
        case .unknownTicket: .notFound("There is no such ticket.")
        case .ticketGone, .ticketState, .tooLate, .matchGone, .matchState, .backfillRefused: .conflict(sentence)
        case .redis(let error): error.problem
        case .invalidSkill, .invalidRules: .internalError
        }
    }

    private var sentence: String {
        let text = description
        return "\(text.prefix(1).uppercased())\(text.dropFirst())."
    }
}
