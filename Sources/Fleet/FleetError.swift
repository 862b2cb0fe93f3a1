import Redis

/// Why the fleet refused, or could not answer.
public enum FleetError: Error, Sendable, CustomStringConvertible {
    /// Redis is away or overloaded: nothing is known to have happened, and every call may be repeated.
    case unavailable(RedisError)
    /// What an instance said of itself can't be right. `field` is the property's name on the wire.
    case invalid(field: String, reason: String)
    /// A match or instance whose name does not say its region.
    case unknownRegion(String)
    /// Redis answered in a form that no version of the script gives.
    case unexpectedReply(String)

    /// Whether Redis is away for now, so that the same call may succeed later.
    public var isOutage: Bool {
        if case .unavailable(let error) = self { return error.isOutage }
        return false
    }

    public var description: String {
        switch self {
        case .unavailable(let error): "the fleet can't reach Redis: \(error)"
        case .invalid(let field, let reason): "\(field): \(reason)"
        case .unknownRegion(let name): "\(name) does not begin with a region"
        case .unexpectedReply(let what): "unexpected reply of \(what)"
        }
    }
}
