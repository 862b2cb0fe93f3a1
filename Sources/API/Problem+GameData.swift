import GameData

extension GameDataError: ProblemConvertible {
    public var problem: Problem {
        switch self {
        case .invalid(let field, let detail): .invalidField(field, "This value is not right: \(detail).")
        case .unknownCharacter(let id): .notFound("There is no character '\(id)'.")
        case .unknownPatch(let patch): .notFound("There is no patch \(patch).")
        case .unknownThing(let path): .notFound("There is no \(path) in the balance.")
        case .invalidBalance(let faults): Self.problem(faults)
        case .unknownMatch(let match): .notFound("There is no match \(match).")
        case .ticketTaken, .rosterConflict, .matchEnded: .conflict("This is in conflict with the match: \(self).")
        }
    }

    /// All of them in words, and the first one as the field.
    private static func problem(_ faults: [BalanceFault]) -> Problem {
        let more = faults.count > faultsMax ? "; and \(faults.count - faultsMax) more" : ""
        let words = faults.prefix(faultsMax).map(\.description).joined(separator: "; ")
        return .invalidField(faults.first?.path ?? "document", "This balance is not right: \(words)\(more).")
    }

    private static let faultsMax = 10
}
