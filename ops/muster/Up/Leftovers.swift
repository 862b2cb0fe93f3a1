import Foundation

/// Processes of an earlier `muster up` on the same folder that was killed and could not stop them.
enum Leftovers {
    private static let grace: Duration = .seconds(10)

    /// Stops those that `up.json` names, after making sure by `/proc` that a process id still is what it was. Called
    /// with the folder's lock held: nobody else supervises them.
    static func stop(in folder: String) async throws {
        guard let state = try UpState.read(from: folder) else { return }
        let left = state.processes.compactMap { member -> Int32? in
            guard let pid = member.pid, isOurs(pid, role: member.role, folder: folder) else { return nil }
            return pid
        }
        for pid in left { kill(pid, SIGTERM) }
        let deadline = ContinuousClock.now + grace
        while left.contains(where: SupervisorWatch.isAlive) {
            if ContinuousClock.now > deadline {
                for pid in left where SupervisorWatch.isAlive(pid) { kill(pid, SIGKILL) }
                break
            }
            try await Task.sleep(for: .milliseconds(50))
        }
        try UpState.remove(from: folder)
    }

    /// A process id may have gone to a stranger since: Redis is known by the folder it runs in, ours by their
    /// environment.
    private static func isOurs(_ pid: Int32, role: String, folder: String) -> Bool {
        if role == "redis" {
            let name = FileManager.default.contents(atPath: "/proc/\(pid)/comm").map {
                String(decoding: $0, as: UTF8.self)
            }
            do {
                let place = try FileManager.default.destinationOfSymbolicLink(atPath: "/proc/\(pid)/cwd")
                return name?.hasPrefix("redis-server") == true && place == "\(folder)/redis"
            } catch {
                return false
            }
        }
        let environment = FileManager.default.contents(atPath: "/proc/\(pid)/environ") ?? Data()
        return environment.range(of: Data("MUSTER_DATA=\(folder)\0".utf8)) != nil
    }
}
