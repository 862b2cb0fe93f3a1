import Foundation
import GameModel
import Logging
import Subprocess

/// Runs instances as processes of this host.
///
/// Each leads a session and a process group of its own, so that a ^C meant for this process does not reach it, and it
/// lives on when this process is killed. It is noted in a folder before it is started; the next driver on the host
/// adopts it there, by ``adopt(_:)``. Two drivers never own one instance: who owns it holds its lock.
///
/// A signal reaches an instance only after its start time was compared, never a stranger who got its number.
public actor ProcessDriver: InstanceDriver {
    public nonisolated let startsInstances = true

    /// An instance that this driver owns.
    private struct Owned {
        var note: InstanceNote
        /// `nil` while it is being started.
        var process: ProcessHandle?
        /// Whether it is our child: its end is then told to us, with how it ended.
        var isChild: Bool
        let lock: FileLock?
    }

    private let configuration: ProcessDriverConfiguration
    private let folder: InstanceFolder?
    private let logger: Logger
    private var owned: [InstanceID: Owned] = [:]
    private var exits: [InstanceExit] = []
    /// Notes that could not be read, each told of once.
    private var unreadable: Set<InstanceID> = []

    public init(configuration: ProcessDriverConfiguration = .init(), logger: Logger) {
        self.configuration = configuration
        folder = configuration.notesFolder.map { InstanceFolder(path: $0) }
        self.logger = logger
    }

    // MARK: Starting

    /// - Throws: ``ProcessDriverError``; nothing runs then.
    public func start(_ order: InstanceOrder) async throws {
        guard owned[order.instance] == nil else { throw ProcessDriverError.runs(order.instance.rawValue) }
        var note = InstanceNote(
            instance: order.instance, region: order.region, slots: order.slots, build: order.build,
            port: try freePort(), executable: try configuration.executable(of: order.build),
            log: try logPath(of: order.instance), boot: InstanceNote.currentBoot())
        let lock = try folder?.lock(order.instance)
        if folder != nil, lock == nil { throw ProcessDriverError.runs(order.instance.rawValue) }
        // Noted before it is started: killed in between, this process leaves nothing that the next can't find.
        try folder?.write(note)
        owned[order.instance] = Owned(note: note, process: nil, isChild: true, lock: lock)
        do {
            let process = try await launch(note)
            note.pid = process.pid
            note.startTicks = process.startTicks
            // It may have ended already.
            guard owned[order.instance] != nil else { return }
            owned[order.instance]?.process = process
            owned[order.instance]?.note = note
            do {
                try configuration.limits.apply(to: process.pid)
                try folder?.write(note)
            } catch {
                guard !process.hasEnded else { return }
                process.killGroup()
                throw error
            }
            logger.info(
                "instance started",
                metadata: ["instance": "\(order.instance)", "region": "\(order.region)", "pid": "\(process.pid)"])
        } catch {
            if owned[order.instance]?.process == nil { forget(order.instance) }
            throw error
        }
    }

    /// Starts the program, and waits for its end in a task of its own. A caller that is cancelled meanwhile waits all
    /// the same: what was started must not be forgotten.
    private func launch(_ note: InstanceNote) async throws -> ProcessHandle {
        let launch = ProcessLaunch(note: note, configuration: configuration)
        return try await withCheckedThrowingContinuation { continuation in
            let start = ProcessStart(continuation)
            // Nobody's child, and never cancelled: swift-subprocess ends the process whose task is cancelled, and an
            // instance must outlive this process.
            Task {
                do {
                    let how = try await launch.run { process in start.succeeded(process) }
                    self.ended(note.instance, how)
                } catch {
                    start.failed(error)
                    self.lostSight(of: note.instance, error)
                }
            }
        }
    }

    private func logPath(of instance: InstanceID) throws -> String? {
        guard let folder = configuration.logFolder else { return nil }
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        let running = Set(owned.keys.map(\.rawValue))
        do {
            try InstanceLog.prune(folder, keep: configuration.logsKept, sparing: running)
        } catch {
            logger.warning("can't remove old logs", metadata: ["folder": "\(folder)", "error": "\(error)"])
        }
        return "\(folder)/\(instance).log"
    }

    /// The lowest port of the range that no noted instance has and that can be listened on.
    private func freePort() throws(ProcessDriverError) -> Int? {
        guard let range = configuration.ports else { return nil }
        var taken = Set(owned.values.compactMap(\.note.port))
        for instance in folder?.instances() ?? [] where owned[instance] == nil {
            if let port = note(of: instance)?.port { taken.insert(port) }
        }
        guard let port = range.first(where: { !taken.contains($0) && PortProbe.isFree($0) }) else {
            throw .noPort(range)
        }
        return port
    }

    // MARK: Adopting

    @discardableResult
    public func adopt(_ region: Region) -> [InstanceID] {
        guard let folder else { return [] }
        var adopted: [InstanceID] = []
        for instance in folder.instances() where owned[instance] == nil && instance.region == region {
            do {
                guard let lock = try folder.lock(instance) else { continue }
                // Read with the lock held: it may have been struck off a moment ago.
                guard let note = note(of: instance) else { continue }
                guard let process = note.process() else {
                    folder.remove(instance)
                    exits.append(InstanceExit(instance: instance, how: "gone"))
                    logger.notice("instance ended unseen", metadata: ["instance": "\(instance)"])
                    continue
                }
                var current = note
                current.pid = process.pid
                current.startTicks = process.startTicks
                if current != note { try folder.write(current) }
                owned[instance] = Owned(note: current, process: process, isChild: false, lock: lock)
                adopted.append(instance)
                logger.notice("instance adopted", metadata: ["instance": "\(instance)", "pid": "\(process.pid)"])
            } catch {
                logger.warning("can't adopt instance", metadata: ["instance": "\(instance)", "error": "\(error)"])
            }
        }
        return adopted
    }

    /// Lets go of all instances: they run on, and another driver may adopt them.
    public func release() { owned = [:] }

    private func note(of instance: InstanceID) -> InstanceNote? {
        do {
            return try folder?.note(of: instance)
        } catch {
            if unreadable.insert(instance).inserted {
                logger.warning("can't read note", metadata: ["instance": "\(instance)", "error": "\(error)"])
            }
            return nil
        }
    }

    // MARK: Running and ending

    public func stop(_ instance: InstanceID) {
        guard let process = owned[instance]?.process, !process.hasEnded else { return }
        if !process.send(SIGTERM), !process.hasEnded {
            logger.warning("can't signal instance", metadata: ["instance": "\(instance)"])
        }
    }

    public func kill(_ instance: InstanceID) { owned[instance]?.process?.killGroup() }

    public func running() -> [InstanceID] { owned.keys.sorted() }

    /// Also keeps the logs of what runs within bounds.
    public func collectExits() -> [InstanceExit] {
        for (instance, own) in owned {
            if let process = own.process, !own.isChild, process.hasEnded { ended(instance, "gone") }
            if let path = own.note.log { bound(InstanceLog(path: path, bytesMax: configuration.logBytesMax)) }
        }
        defer { exits = [] }
        return exits
    }

    /// The process that runs an instance of this driver.
    public func processIdentifier(of instance: InstanceID) -> Int32? { owned[instance]?.process?.pid }

    private func bound(_ log: InstanceLog) {
        do {
            try log.bound()
        } catch {
            logger.warning("can't start log anew", metadata: ["log": "\(log.path)", "error": "\(error)"])
        }
    }

    private func ended(_ instance: InstanceID, _ how: String) {
        guard let own = owned[instance] else { return }
        logger.info(
            "instance ended",
            metadata: ["instance": "\(instance)", "pid": "\(own.note.pid ?? 0)", "how": "\(how)"])
        exits.append(InstanceExit(instance: instance, how: how))
        forget(instance)
    }

    /// A child whose end we will not be told is looked at like an adopted one.
    private func lostSight(of instance: InstanceID, _ error: any Error) {
        guard owned[instance]?.process != nil else { return }
        logger.warning("can't wait for instance", metadata: ["instance": "\(instance)", "error": "\(error)"])
        owned[instance]?.isChild = false
    }

    private func forget(_ instance: InstanceID) {
        if owned[instance] != nil { folder?.remove(instance) }
        owned[instance] = nil
    }
}
