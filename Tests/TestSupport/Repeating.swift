/// Does it again and again until cancelled, for what must go on beside a test: heartbeats of a fleet that is looked at.
/// A time that fails is followed by the next.
public func repeating(every interval: Duration, _ action: @Sendable () async throws -> Void) async {
    while !Task.isCancelled {
        do { try await action() } catch { await Task.yield() }
        do { try await Task.sleep(for: interval) } catch { return }
    }
}
