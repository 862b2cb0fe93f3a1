import Foundation
import Logging
import NIOPosix
import Synchronization

/// Hashes and checks passwords on threads of its own, for half of the cores, with a bounded queue before them.
///
/// A flood of log-ins is thus answered with ``AccountsError/overloaded`` instead of taking the threads that serve
/// everything else. An unknown account costs the same work as a known one whose hash has the parameters in force.
public final class PasswordHasher: Sendable {
    public let parameters: ScryptParameters
    private let pool: NIOThreadPool
    private let admittedMax: Int
    private let admitted = Mutex(0)
    private let decoy: PasswordHash
    private let logger: Logger
    /// How often a key was derived: what a log-in cost, whoever it was.
    let derivations = Atomic<Int>(0)

    /// - Parameters:
    ///   - threads: how many passwords are worked on at once; by default one per two cores, for the others serve.
    ///   - waitingMax: how many more may wait for a thread; the next is refused.
    public init(
        parameters: ScryptParameters = ScryptParameters(),
        threads: Int = max(1, ProcessInfo.processInfo.activeProcessorCount / 2),
        waitingMax: Int = 64, logger: Logger? = nil
    ) throws(AccountsError) {
        try parameters.validate()
        self.parameters = parameters
        self.logger = logger ?? Logger(label: "passwords", factory: { _ in SwiftLogNoOpLogHandler() })
        decoy = PasswordHash(
            parameters: parameters, salt: try Scrypt.randomBytes(PasswordHash.saltBytes),
            key: try Scrypt.randomBytes(PasswordHash.keyBytes))
        admittedMax = max(1, threads) + max(0, waitingMax)
        pool = NIOThreadPool(numberOfThreads: max(1, threads))
        pool.start()
    }

    deinit {
        // The threads end by themselves once the pool says so; nothing waits for them.
        pool.shutdownGracefully { _ in }
    }

    /// The stored form of a password: a PHC string with a fresh salt.
    public func hash(_ password: [UInt8]) async throws(AccountsError) -> String {
        let parameters = parameters
        return try await derivation { () throws(AccountsError) in
            try PasswordHash(password: password, parameters: parameters).description
        }
    }

    /// Whether a password is the stored one; with nothing stored the same work is done and the answer is no, and so
    /// with a stored hash that can't be read, which the log tells.
    ///
    /// A wrong password for a hash of cheaper parameters costs the work of those in force as well: an answer that comes
    /// sooner than a stranger's would tell that there is an account.
    public func verify(_ password: [UInt8], against stored: String?) async throws(AccountsError) -> Bool {
        let hash = stored.flatMap(readable)
        let (known, decoy) = (hash ?? decoy, decoy)
        let matches = try await derivation { () throws(AccountsError) in try known.matches(password) }
        if !matches, known.parameters.work < parameters.work {
            _ = try await derivation { () throws(AccountsError) in try decoy.matches(password) }
        }
        return matches && hash != nil
    }

    private func readable(_ stored: String) -> PasswordHash? {
        do {
            return try PasswordHash(stored)
        } catch {
            logger.error("a stored password can't be checked", metadata: ["error": "\(error)"])
            return nil
        }
    }

    /// Whether a stored password has other parameters than those in force.
    func isOutdated(_ stored: String) -> Bool {
        do {
            return try PasswordHash(stored).parameters != parameters
        } catch {
            // It can't be read: there is nothing to be checked against, and so nothing to renew.
            return false
        }
    }

    private func derivation<T: Sendable>(
        _ body: @escaping @Sendable () throws(AccountsError) -> T
    ) async throws(AccountsError) -> T {
        let isAdmitted = admitted.withLock { count in
            guard count < admittedMax else { return false }
            count += 1
            return true
        }
        guard isAdmitted else { throw .overloaded }
        defer { admitted.withLock { $0 -= 1 } }
        derivations.add(1, ordering: .relaxed)
        do {
            return try await pool.runIfActive { try body() }
        } catch let error as AccountsError {
            throw error
        } catch {
            throw .unavailable("password hashing stopped: \(error)")
        }
    }
}
