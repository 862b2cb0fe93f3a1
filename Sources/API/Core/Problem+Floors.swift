import Jobs
import Records
import Redis

extension RedisError: ProblemConvertible {
    /// An outage is worth trying again after; anything else is a fault of ours.
    public var problem: Problem {
        isOutage ? .unavailable("Redis is away for the moment. Try again shortly.") : .internalError
    }
}

extension RecordsError: ProblemConvertible {
    /// A busy file is worth trying again after; anything else is a fault of ours.
    public var problem: Problem {
        switch self {
        case .busy, .overloaded, .rolledBack: .unavailable("The records are busy. Try again shortly.")
        default: .internalError
        }
    }
}

extension JobError: ProblemConvertible {
    /// As the Redis error underneath; anything else is a fault of ours.
    public var problem: Problem {
        if case .redis(let error) = self { return error.problem }
        return .internalError
    }
}
