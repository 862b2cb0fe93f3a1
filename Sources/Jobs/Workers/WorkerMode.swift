import Synchronization

/// Whether a worker takes jobs, rests or ends, by what it was told; wakes whoever waits for a change.
final class WorkerMode: Sendable {
    private let quiet = Mutex(false)
    private let leases: LeaseTable
    private let changed = Signal()

    init(leases: LeaseTable) { self.leases = leases }

    var state: WorkerState { leases.isStopping ? .stopping : isQuiet ? .quiet : .running }
    var isQuiet: Bool { quiet.withLock { $0 } }

    /// Does what the order says; answers whether that changes anything.
    func obey(_ order: WorkerOrder) -> Bool {
        if order == .stop {
            guard !leases.isStopping else { return false }
            stop()
            return true
        }
        let changes = quiet.withLock { quiet in
            defer { quiet = order == .quiet }
            return quiet != (order == .quiet)
        }
        if changes { wake() }
        return changes
    }

    func stop() {
        leases.requestStop()
        wake()
    }

    /// Runs the body; a worker that rests or ends meanwhile cancels it and answers `nil`.
    func unlessInterrupted<T: Sendable>(_ body: @escaping @Sendable () async throws -> T) async throws -> T? {
        try await withThrowingTaskGroup(of: T?.self) { group in
            group.addTask { try await body() }
            group.addTask {
                while self.state == .running, !Task.isCancelled { await self.changed.wait() }
                return nil
            }
            defer { group.cancelAll() }
            return try await group.next() ?? nil
        }
    }

    private func wake() {
        changed.raise()
        leases.changed.raise()
    }
}
