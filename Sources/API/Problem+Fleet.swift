import Fleet

extension FleetError: ProblemConvertible {
    public var problem: Problem {
        switch self {
        case .unavailable(let error): error.problem
        case .invalid(let field, let reason): .invalidField(field, reason)
        case .unknownRegion(let name): .notFound("'\(name)' does not begin with a region.")
        case .unexpectedReply: .internalError
        }
    }
}
