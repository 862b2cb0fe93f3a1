/// Why the instance could not do what it was told.
public enum InstanceError: Error, Sendable, Equatable {
    /// The API did not answer, or could not serve the call now: worth another try.
    case unavailable(String)
    /// The API refused the call: the same call will be refused again.
    case refused(status: Int, detail: String)
}
