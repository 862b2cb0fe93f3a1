/// Why the API did not do what the instance asked.
public enum InstanceError: Error, Sendable, Equatable, CustomStringConvertible {
    /// The API did not answer in time, or could not serve the call now (a status of 500 and above).
    case unavailable(String)
    /// The API refused the call; the detail is the start of its answer.
    case refused(status: Int, detail: String)
    /// The answer, or what was to be sent, can't be read or written as JSON.
    case undecodable(String)

    /// Whether the same call may get another answer later. A refused token counts: it may be set right. So does 429:
    /// the instance was asked to come later.
    public var isWorthRetrying: Bool {
        switch self {
        case .unavailable: true
        case .undecodable: false
        case .refused(let status, _): [401, 403, 408, 425, 429].contains(status)
        }
    }

    public var description: String {
        switch self {
        case .unavailable(let why): "unavailable: \(why)"
        case .refused(let status, let detail): "refused with \(status): \(detail)"
        case .undecodable(let why): "not understood: \(why)"
        }
    }
}
