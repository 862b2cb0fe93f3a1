import Foundation

extension Supervisor {
    /// How long each stage has to end by itself before it is killed.
    static let stopGrace: Duration = .seconds(30)

    /// Stops stage after stage: in the order of `ChildSpec.Stage`, instances after their allocators.
    func stopAll() async {
        printer.say("stopping")
        for stage in ChildSpec.Stage.allCases {
            stages.remove(stage)
            await stop(stage)
            if stage == .instances { await stopDescendants() }
        }
        printer.say("stopped")
    }

    private func stop(_ stage: ChildSpec.Stage) async {
        let specs = plan.children + (plan.redisSpec.map { [$0] } ?? [])
        let names = specs.filter { $0.stage == stage }.map(\.name)
        for name in names { running[name]?.send(SIGTERM) }
        if await wait(for: { names.allSatisfy { running[$0] == nil } }) { return }
        for name in names where running[name] != nil {
            printer.say("\(name) did not end in \(Self.stopGrace); killing it")
            running[name]?.send(SIGKILL)
        }
        _ = await wait(for: { names.allSatisfy { running[$0] == nil } })
    }

    /// Instances are the allocators' children and may outlive them; they are known by the supervisor they were told of.
    private func stopDescendants() async {
        let direct = Set(running.values.map(\.pid))
        func left() -> [Int32] { Descendants.pids(of: getpid()).filter { !direct.contains($0) } }
        for pid in left() { kill(pid, SIGTERM) }
        if await wait(for: { left().isEmpty }) { return }
        for pid in left() { kill(pid, SIGKILL) }
        _ = await wait(for: { left().isEmpty })
    }

    /// Looks every 20 ms, up to the grace time; once this task was cancelled there is no more grace.
    private func wait(for condition: () -> Bool) async -> Bool {
        let deadline = ContinuousClock.now + (Task.isCancelled ? .milliseconds(500) : Self.stopGrace)
        while !condition() {
            guard ContinuousClock.now < deadline else { return false }
            await Self.pauseEvenIfCancelled()
        }
        return true
    }

    /// `Task.sleep` returns at once in a cancelled task, and waiting for the children to end would spin.
    private static func pauseEvenIfCancelled() async {
        await withCheckedContinuation { continuation in
            DispatchQueue.global().asyncAfter(deadline: .now() + .milliseconds(20)) { continuation.resume() }
        }
    }
}

/// Processes that were told in their environment which supervisor they belong to.
enum Descendants {
    /// Their process ids, read from `/proc`; processes that belong to others or ended meanwhile are passed over.
    static func pids(of supervisor: Int32) -> [Int32] {
        let mark = Data("MUSTER_SUPERVISOR_PID=\(supervisor)\0".utf8)
        let entries: [String]
        do {
            entries = try FileManager.default.contentsOfDirectory(atPath: "/proc")
        } catch {
            return []
        }
        return entries.compactMap { entry in
            guard let pid = Int32(entry), pid != supervisor,
                let environment = FileManager.default.contents(atPath: "/proc/\(pid)/environ"),
                environment.range(of: mark) != nil
            else { return nil }
            return pid
        }
    }
}
