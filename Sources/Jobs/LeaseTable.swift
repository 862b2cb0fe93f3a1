import GameModel
import Synchronization

/// Every lease that a worker holds, with how many jobs run. Raises `changed` whenever a job ends or the worker is to
/// stop.
final class LeaseTable: Sendable {
    private struct Entry {
        let lease: Fence
        var machine = LeaseStateMachine()
        let task: HandlerTask
    }

    private struct State {
        var entries: [JobID: Entry] = [:]
        var running = 0
        var isStopping = false
    }

    private let state = Mutex(State())
    let changed = Signal()

    var running: Int { state.withLock { $0.running } }
    /// Leases held, with those whose end Redis is still being told.
    var count: Int { state.withLock { $0.entries.count } }
    var isStopping: Bool { state.withLock { $0.isStopping } }

    func requestStop() {
        state.withLock { $0.isStopping = true }
        changed.raise()
    }

    func started(_ leases: [Lease], task: HandlerTask) {
        state.withLock { state in
            for lease in leases { state.entries[lease.id] = Entry(lease: Fence(lease), task: task) }
            state.running += leases.count
        }
    }

    /// Notes that a handler ended. The place is free from now on, the lease held until it is settled.
    func handlerEnded(_ lease: Lease) -> LeaseStateMachine.ResultAction {
        defer { changed.raise() }
        return state.withLock { state in
            state.running -= 1
            guard var entry = state.entries[lease.id], entry.lease.token == lease.token else { return .discard }
            let action = entry.machine.handlerEnded()
            state.entries[lease.id] = action == .settle ? entry : nil
            return action
        }
    }

    /// Forgets a lease whose end was told, or can't be.
    func settled(_ id: JobID, token: UInt64) {
        state.withLock { state in
            guard let entry = state.entries[id], entry.lease.token == token, entry.machine.state == .settling else {
                return
            }
            state.entries[id] = nil
        }
        changed.raise()
    }

    var held: [(id: JobID, token: UInt64)] {
        state.withLock { $0.entries.compactMap { id, entry in entry.machine.isHeld ? (id, entry.lease.token) : nil } }
    }

    /// Marks leases as lost and cancels their handlers; returns how many handlers were told.
    func lost(_ ids: [JobID]) -> Int {
        let tasks = state.withLock { state in
            ids.compactMap { id in
                state.entries[id]?.machine.renewalRefused() == .cancelHandler ? state.entries[id]?.task : nil
            }
        }
        for task in tasks { task.leaseLost() }
        return tasks.count
    }

    /// Cancels all running handlers.
    func cancelRunning() {
        let tasks = state.withLock { state in
            state.entries.keys.compactMap { id in
                state.entries[id]?.machine.stopRequested() == .cancelHandler ? state.entries[id]?.task : nil
            }
        }
        for task in tasks { task.cancel() }
    }

    /// Takes the leases of all handlers that still run, to be handed back.
    func takeUnfinished() -> [Fence] {
        state.withLock { state in
            state.entries.keys.compactMap { id in
                guard let entry = state.entries[id], state.entries[id]?.machine.graceEnded() == .release else {
                    return nil
                }
                return entry.lease
            }
        }
    }

    /// Takes one lease from its handler, which goes on in vain; false where the handler has ended, or lost it, before.
    func takeUnfinished(_ lease: Lease) -> Bool {
        state.withLock { state in
            guard state.entries[lease.id]?.lease.token == lease.token else { return false }
            return state.entries[lease.id]?.machine.graceEnded() == .release
        }
    }
}

/// What of a lease is needed to end it.
struct Fence: Sendable {
    let id: JobID
    let token: UInt64
    let hasExtras: Bool

    init(_ lease: Lease) {
        (id, token, hasExtras) = (lease.id, lease.token, lease.hasExtras)
    }
}

/// Lets the lease table cancel the task in which a handler runs, alone among its siblings in the group.
final class HandlerTask: Sendable {
    /// Unchecked because `UnsafeCurrentTask` is not Sendable. Proof: of it only `cancel()` is called, which may be
    /// called from any task; and `HandlerTask.run` takes it out, under the lock that every use holds, before its
    /// scope ends.
    private struct Handle: @unchecked Sendable {
        let task: UnsafeCurrentTask
    }

    private struct State {
        var handle: Handle?
        var isCancelled = false
        var isTimedOut = false
        var leases: Int
    }

    private let state: Mutex<State>

    init(leases: Int) { state = Mutex(State(leases: leases)) }

    /// Runs the body in the current task, which `cancel` then reaches.
    func run<T: Sendable>(_ body: @Sendable () async -> T) async -> T {
        await withUnsafeCurrentTask { task in
            let handle = task.map { Handle(task: $0) }
            state.withLock { state in
                state.handle = handle
                if state.isCancelled { handle?.task.cancel() }
            }
            let value = await body()
            state.withLock { $0.handle = nil }
            return value
        }
    }

    /// One of the task's leases is lost; with the last of them the work is in vain.
    func leaseLost() {
        state.withLock { state in
            state.leases -= 1
            guard state.leases == 0 else { return }
            state.isCancelled = true
            state.handle?.task.cancel()
        }
    }

    /// Whether it was cancelled because it took too long.
    var isTimedOut: Bool { state.withLock { $0.isTimedOut } }

    func timeOut() {
        state.withLock { $0.isTimedOut = true }
        cancel()
    }

    func cancel() {
        state.withLock { state in
            state.isCancelled = true
            state.handle?.task.cancel()
        }
    }
}
