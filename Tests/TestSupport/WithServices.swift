import Logging
import ServiceLifecycle

/// Runs the body beside running services, and afterwards stops them as a process would: gracefully, in reverse order.
///
/// A server that is cancelled instead may drop a connection it has just accepted, which its library takes for a bug and
/// ends the whole test process.
public func withServices<T>(
    _ services: [any Service], isolation: isolated (any Actor)? = #isolation, _ body: () async throws -> T
) async throws -> T {
    let quiet = Logger(label: "test.services") { _ in SwiftLogNoOpLogHandler() }
    let group = ServiceGroup(services: services, logger: quiet)
    return try await withThrowingTaskGroup(of: Void.self) { tasks in
        tasks.addTask { try await group.run() }
        let outcome: Result<T, any Error>
        do {
            outcome = .success(try await body())
        } catch {
            outcome = .failure(error)
        }
        await group.triggerGracefulShutdown()
        try await tasks.waitForAll()
        return try outcome.get()
    }
}
