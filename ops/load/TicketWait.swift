/// How long one ticket waited for the match that was played: from the first time it was in the queue, also where a
/// match before that one came to nothing and the ticket was put back.
struct TicketWait {
    private var queuedAt: ContinuousClock.Instant?
    private var matchedAt: ContinuousClock.Instant?
    private var isTold = false
    private let begin: ContinuousClock.Instant

    /// - Parameter begin: when the ticket was made, which counts where it was never seen in the queue.
    init(begin: ContinuousClock.Instant) { self.begin = begin }

    /// Takes in that the ticket was seen in a state.
    /// - Returns: the wait, once, when the players can connect.
    mutating func see(_ state: String, at now: ContinuousClock.Instant) -> Duration? {
        switch state {
        case "queued":
            queuedAt = queuedAt ?? now
            matchedAt = nil
        case "proposed", "accepted", "placing":
            matchedAt = matchedAt ?? now
        case "ready" where !isTold:
            isTold = true
            return (matchedAt ?? now) - (queuedAt ?? begin)
        default:
            break
        }
        return nil
    }
}
