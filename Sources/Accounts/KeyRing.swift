import Foundation
import GameModel
import Logging
import ServiceLifecycle
import Synchronization

/// The signing keys of a data folder as they are now: re-reads the folder, so that a rotation reaches every process.
///
/// A new key is published at once, and signs once everyone had the time to fetch it.
public final class KeyRing: Service, Sendable {
    /// How old a key must be before it signs; the first of a folder signs at once.
    public static let publishTime: Duration = .seconds(300)
    public static let pollInterval: Duration = .seconds(10)

    private let held: Mutex<SigningKeys>

    /// Reads the folder's keys, making a first one where there are none.
    public init(
        folder: String, publishTime: Duration = KeyRing.publishTime, pollInterval: Duration = KeyRing.pollInterval,
        logger: Logger? = nil, clock: @escaping @Sendable () -> Instant = { .now }
    ) throws(AccountsError) {
        held = Mutex(try SigningKeys.loadOrCreate(folder: folder))
    }

    /// Re-reads the folder until the process stops.
    public func run() async throws {
        try await gracefulShutdown()
    }

    var keys: SigningKeys { held.withLock { $0 } }
}
