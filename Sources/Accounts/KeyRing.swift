import Foundation
import GameModel
import Logging
import ServiceLifecycle
import Synchronization

/// The signing keys of a data folder as they are now: re-reads the folder, so that a rotation reaches every process.
///
/// Promises: what it last read whole stays in force when the folder can't be read; reading what it holds takes no file.
public final class KeyRing: Service, Sendable {
    public static let pollInterval: Duration = .seconds(10)

    /// The keys of one reading.
    final class Reading: Sendable {
        let keys: SigningKeys
        let jwks: String
        /// Rises with each change of the keys.
        let generation: Int
        /// Rises with each key that went away: what was verified before may have been signed by it.
        let epoch: Int

        init(_ keys: SigningKeys, generation: Int, epoch: Int) {
            self.keys = keys
            jwks = keys.jwks
            self.generation = generation
            self.epoch = epoch
        }
    }

    let folder: KeyFolder
    private let held: Mutex<Reading>
    private let pollInterval: Duration
    private let logger: Logger

    /// Reads the folder's keys, making the folder and a first key where there are none.
    ///
    /// Throws ``AccountsError/corrupt(_:)`` where a key can't be read or others than its owner may read it.
    /// - Parameter isMaking: whether missing keys are made; otherwise they are refused as unreadable.
    public init(
        folder: String, isMaking: Bool = true, publishTime: Duration = KeyFolder.publishTime,
        pollInterval: Duration = KeyRing.pollInterval,
        logger: Logger? = nil, clock: @escaping @Sendable () -> Instant = { .now }
    ) throws(AccountsError) {
        self.folder = KeyFolder(path: folder, publishTime: publishTime, clock: clock)
        self.pollInterval = pollInterval
        self.logger = logger ?? Logger(label: "keys", factory: { _ in SwiftLogNoOpLogHandler() })
        let keys = isMaking ? try self.folder.loadOrCreate() : try self.folder.load()
        held = Mutex(Reading(keys, generation: 1, epoch: 1))
    }

    /// Re-reads the folder until the process stops.
    public func run() async throws {
        await cancelWhenGracefulShutdown {
            while !Task.isCancelled {
                do {
                    try await Task.sleep(for: self.pollInterval)
                    try self.reload()
                } catch is CancellationError {
                    return
                } catch {
                    self.logger.warning("the signing keys can't be read again", metadata: ["error": "\(error)"])
                }
            }
        }
    }

    /// Reads the folder again. Throws ``AccountsError/corrupt(_:)``: then the keys stay what they were.
    func reload() throws(AccountsError) {
        let keys = try folder.load()
        let change: (old: Set<String>, new: Set<String>)? = held.withLock { held in
            let (old, new) = (Set(held.keys.keys.map(\.kid)), Set(keys.keys.map(\.kid)))
            guard old != new else { return nil }
            held = Reading(
                keys, generation: held.generation + 1, epoch: held.epoch + (old.isSubset(of: new) ? 0 : 1))
            return (old, new)
        }
        guard let change else { return }
        logger.notice(
            "the signing keys changed",
            metadata: [
                "added": "\(change.new.subtracting(change.old).sorted())",
                "retired": "\(change.old.subtracting(change.new).sorted())",
            ])
    }

    var current: Reading { held.withLock { $0 } }
}
