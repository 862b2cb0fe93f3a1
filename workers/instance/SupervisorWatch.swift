import Glibc
import Logging
import ServiceLifecycle

/// Ends this process when its supervisor is gone, by the same signal that a person would send: what runs may finish.
struct SupervisorWatch: Service {
    let supervisor: Int32
    let logger: Logger
    var interval: Duration = .milliseconds(500)

    func run() async throws {
        await cancelWhenGracefulShutdown {
            while !Task.isCancelled {
                guard Self.lives(supervisor) else {
                    logger.notice("the supervisor is gone", metadata: ["pid": "\(supervisor)"])
                    kill(getpid(), SIGTERM)
                    return await Self.waitForShutdown()
                }
                do { try await Task.sleep(for: interval) } catch { return }
            }
        }
    }

    private static func lives(_ pid: Int32) -> Bool { kill(pid, 0) == 0 || errno == EPERM }

    // A service that returned early would count as failed.
    private static func waitForShutdown() async {
        do { try await Task.sleep(for: .seconds(3_600)) } catch { return }
    }
}
