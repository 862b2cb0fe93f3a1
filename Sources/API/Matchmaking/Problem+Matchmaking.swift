import GameModel
import Matchmaking

extension MatchmakingError: ProblemConvertible {
    /// What the client is told, and what would be right.
    public var problem: Problem {
        switch self {
        case .ticketActive(let ticket): .ticketActive(ticket)
        case .unknownMode: .invalidField("mode", sentence(description))
        case .unknownRegion: .invalidField("region", sentence(description))
        case .latencyElsewhere(let region, _), .invalidLatency(let region, _):
            .invalidField("latencies.\(region)", sentence(description))
        case .invalidCharacter: .invalidField("character", sentence(description))
        case .invalidTicket(let field, let reason): .invalidField(field, sentence(reason))
        case .coolingDown(let until): .coolingDown(until: until)
        case .foreignTicket: .forbidden("This ticket is another player's.")
        case .unknownTicket: .notFound("There is no such ticket.")
        case .ticketGone, .ticketState, .tooLate, .matchGone, .matchState, .backfillRefused:
            .conflict(sentence(description))
        case .redis(let error): error.problem
        case .invalidSkill, .invalidRules: .internalError
        }
    }
}

extension LatencyError: ProblemConvertible {
    public var problem: Problem {
        switch self {
        case .unavailable(let error): error.problem
        default: .invalidField(region.map { "latencies.\($0)" } ?? "latencies", sentence(description))
        }
    }
}

extension Problem {
    /// The player declined, kept silent or left a match, and may queue again then.
    static func coolingDown(until: Instant, now: Instant = .now) -> Problem {
        let seconds = max(1, Int(((until - now).inSeconds).rounded(.up)))
        var problem = Problem.tooManyRequests(
            "You declined, missed or left a match and may queue again in \(seconds) s.", retryAfterSeconds: seconds)
        problem.coolingDownUntil = until
        return problem
    }
}

private func sentence(_ text: String) -> String {
    let capital = text.prefix(1).uppercased() + text.dropFirst()
    return capital.hasSuffix(".") ? capital : capital + "."
}
