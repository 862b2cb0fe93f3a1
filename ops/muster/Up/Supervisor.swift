import Foundation
import ServiceLifecycle

/// Keeps the processes of `muster up` running: starts them, starts again what dies, and stops them all in order.
///
/// Promises: a child that dies is started again after a pause that doubles from 0.1 s to 10 s and begins anew once a
/// child has lived for 30 s; on shutdown no child is left, killed by its process id if it does not end in time.
actor Supervisor: Service {
    /// The first pause before a dead child is started again, and the longest.
    static let pauses: ClosedRange<Duration> = .milliseconds(100) ... .seconds(10)
    /// A child that lived this long is well; its next pause is the first again.
    static let wellAfter: Duration = .seconds(30)
    /// How often one child may end before everything has been ready for the first time.
    static let startAttemptsMax = 5
    /// How long a Redis that is not ours may take to answer: it runs already, or it does not.
    static let foreignRedisTime: Duration = .seconds(10)
    /// How long everything may take to be ready for the first time.
    static let startTime: Duration = .seconds(120)

    let plan: UpPlan
    let printer: LogPrinter
    var state: UpState
    var running: [String: ChildProcess] = [:]
    /// Stages whose children are to run. Emptied one by one on the way down.
    var stages = Set(ChildSpec.Stage.allCases)

    private var failure: (any Error)?
    private let stops: AsyncStream<Void>
    private let stopper: AsyncStream<Void>.Continuation

    init(plan: UpPlan, printer: LogPrinter) {
        self.plan = plan
        self.printer = printer
        self.state = plan.initialState
        (stops, stopper) = AsyncStream.makeStream(of: Void.self)
    }

    /// Runs until a signal asks for the end or the start fails, and then stops all; throws why the start failed.
    func run() async throws {
        try state.write()
        await withTaskGroup(of: Void.self) { group in
            if let redis = plan.redisSpec { group.addTask { await self.keepRunning(redis) } }
            group.addTask { await self.startUp() }
            group.addTask { await self.stopOnSignal() }
            for await _ in stops { break }
            await stopAll()
            // All children have ended; what is left only sleeps.
            group.cancelAll()
        }
        try UpState.remove(from: plan.folder.path)
        if let failure { throw failure }
    }

    private func stopOnSignal() async {
        do {
            try await gracefulShutdown()
            stopper.yield()
        } catch {
            // Cancelled: the end has come another way.
        }
    }

    private func fail(_ error: any Error) {
        guard !(error is CancellationError), failure == nil else { return }
        failure = error
        stopper.yield()
    }

    /// Starts the children once Redis answers; returns when all of them are to run no more.
    private func startUp() async {
        do {
            let time = plan.redisSpec == nil ? Self.foreignRedisTime : Self.startTime
            try await ReadinessProbe.waitForRedis(plan.redisURL, within: time)
        } catch {
            return fail(error)
        }
        await withTaskGroup(of: Void.self) { group in
            for child in plan.children { group.addTask { await self.keepRunning(child) } }
            group.addTask { await self.announce() }
        }
    }

    /// Waits until all are ready, then says where everything is.
    private func announce() async {
        let urls = plan.children.compactMap { child in child.healthURL.map { (name: child.name, url: $0) } }
        do {
            try await ReadinessProbe.waitForAll(urls, within: Self.startTime)
            state.isReady = true
            try state.write()
            for line in UpSummary.lines(state) { printer.say(line) }
        } catch {
            fail(error)
        }
    }

    /// Starts a child, and again each time it ends, until its stage is stopped.
    private func keepRunning(_ spec: ChildSpec) async {
        var pause = Self.pauses.lowerBound
        var endings = 0
        while stages.contains(spec.stage), !Task.isCancelled {
            let started = ContinuousClock.now
            let child: ChildProcess
            do {
                child = try ChildProcess(spec) { [printer] in printer.print($0, name: spec.name, role: spec.role) }
                running[spec.name] = child
                note(spec.name, pid: child.pid, restarts: endings)
            } catch {
                return fail(
                    CommandFailure(
                        "\(spec.name) can't be started: \(error)", nextStep: "See that \(spec.executable) is there."))
            }
            let ending = await child.waitForEnd()
            running[spec.name] = nil
            guard stages.contains(spec.stage) else { return }
            endings += 1
            note(spec.name, pid: nil, restarts: endings)
            if !state.isReady, endings >= Self.startAttemptsMax {
                return fail(
                    CommandFailure(
                        "\(spec.name) \(ending), \(endings) times, before all was ready.",
                        nextStep: "Its lines above say why."))
            }
            if ContinuousClock.now - started > Self.wellAfter { pause = Self.pauses.lowerBound }
            printer.say("\(spec.name) \(ending); starting it again in \(pause)")
            do { try await Task.sleep(for: pause) } catch { return }
            pause = min(pause * 2, Self.pauses.upperBound)
        }
    }

    /// Writes a child's new process id down. A file that can't be written is said, and stops nothing.
    private func note(_ name: String, pid: Int32?, restarts: Int) {
        guard let index = state.processes.firstIndex(where: { $0.name == name }) else { return }
        state.processes[index].pid = pid
        state.processes[index].restarts = restarts
        do {
            try state.write()
        } catch {
            printer.say("up.json could not be written: \(error)")
        }
    }
}
