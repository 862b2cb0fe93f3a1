/// Waiting times between attempts: doubled up to a cap, each up to 20 % shorter by chance so that many don't come at
/// once.
struct Retry: Sendable {
    private var next: Duration
    private let cap: Duration

    init(from first: Duration = .milliseconds(100), cap: Duration = .seconds(5)) {
        next = first
        self.cap = cap
    }

    mutating func pause() -> Duration {
        defer { next = min(next * 2, cap) }
        return next * Double.random(in: 0.8...1)
    }
}
