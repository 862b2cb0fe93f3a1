/// Polls every 10 ms until the condition holds.
///
/// - Throws: `TestSupportError` naming what was waited for, when it does not hold in time; so the test fails there.
public func eventually(
    within limit: Duration = .seconds(90), _ what: String, isolation: isolated (any Actor)? = #isolation,
    _ condition: () async throws -> Bool
) async throws {
    let clock = ContinuousClock()
    let end = clock.now + limit
    while true {
        if try await condition() { return }
        guard clock.now < end else { throw TestSupportError("did not come true within \(limit): \(what)") }
        try await clock.sleep(for: .milliseconds(10))
    }
}

/// Does nothing until its task is cancelled, then throws: a handler that works for long and heeds its cancellation.
public func hangUntilCancelled() async throws { try await Task.sleep(for: .seconds(86_400)) }
