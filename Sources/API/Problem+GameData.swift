import GameData

extension GameDataError: ProblemConvertible {
    public var problem: Problem {
        switch self {
        case .invalid(let field, let detail): .invalidField(field, "This value is not right: \(detail).")
        case .unknownCharacter(let id): .notFound("There is no character '\(id)'.")
        case .unknownPatch(let patch): .notFound("There is no patch \(patch).")
        case .unknownMatch(let match): .notFound("There is no match \(match).")
        case .ticketTaken, .rosterConflict, .matchEnded: .conflict("This is in conflict with the match: \(self).")
        }
    }
}
