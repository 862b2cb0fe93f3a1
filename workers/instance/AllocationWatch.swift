import Logging
import ServiceLifecycle
import Telemetry

/// Ends a game server that Agones gave to a match which does not come, or has gone: nobody joined it, it was lost, or
/// its place was never noted. Agones keeps such a server as allocated for ever; when this one ends it starts a new one.
struct AllocationWatch: SelfStoppingService {
    let sidecar: AgonesSidecar
    /// Whether this instance holds no match, nor a result that is to be brought home.
    let isIdle: @Sendable () -> Bool
    let logger: Logger
    /// How long an allocated server may hold nothing. The fleet waits 60 s for the first player of a match.
    var idleMax: Duration = .seconds(120)
    var interval: Duration = .seconds(5)

    /// Returns when the server is of no use, or at graceful shutdown.
    func run() async throws {
        await cancelWhenGracefulShutdown {
            var idleSince: ContinuousClock.Instant?
            while !Task.isCancelled {
                do {
                    if try await sidecar.isAllocated(), isIdle() {
                        let since = idleSince ?? .now
                        idleSince = since
                        if ContinuousClock.now - since >= idleMax {
                            return logger.notice("allocated and without a match for too long: ending")
                        }
                    } else {
                        idleSince = nil
                    }
                } catch {
                    // Not known: as it was, until the sidecar answers.
                    logger.debug("the sidecar did not say whether this is allocated", metadata: ["error": "\(error)"])
                }
                do { try await Task.sleep(for: interval) } catch { return }
            }
        }
    }
}
