import Foundation
import GameModel

/// A process that a benchmark starts and measures: this program with other arguments. It ends with this process,
/// however that ends.
struct BenchChild {
    private let guardian: Process
    private let leash: Pipe
    private let pidFile: String

    /// - Parameter output: where it writes what it says.
    static func start(_ executable: String, _ arguments: [String], output: String) throws -> BenchChild {
        let guardian = Process()
        let leash = Pipe()
        guardian.executableURL = URL(filePath: "/bin/sh")
        // The shell reads until the pipe's other end is closed, which the kernel does when this process is gone.
        guardian.arguments =
            [
                "-c",
                """
                out=$1; shift; "$0" "$@" >"$out" 2>&1 & child=$!; echo $child >"$out.pid"
                cat >/dev/null; kill $child; wait
                """,
                executable, output,
            ] + arguments
        guardian.standardInput = leash
        guardian.standardOutput = FileHandle.nullDevice
        guardian.standardError = FileHandle.nullDevice
        try guardian.run()
        return BenchChild(guardian: guardian, leash: leash, pidFile: output + ".pid")
    }

    /// Its process id, once it runs.
    func pid() async throws -> Int32 {
        try await Self.wait(for: "a process id in \(pidFile)") {
            let bytes = FileManager.default.contents(atPath: pidFile) ?? Data()
            return Int32(String(decoding: bytes, as: UTF8.self).trimmingCharacters(in: .newlines))
        }
    }

    func stop() throws {
        try leash.fileHandleForWriting.close()
        guardian.waitUntilExit()
    }

    /// Reads until a reading says something, or the time is over.
    static func wait<Value>(
        for what: String, within limit: Duration = .seconds(60), _ reading: () throws -> Value?
    ) async throws -> Value {
        let deadline = ContinuousClock.now + limit
        while ContinuousClock.now < deadline {
            if let value = try reading() { return value }
            try await Task.sleep(for: .milliseconds(50))
        }
        throw BenchError("\(what) did not come within \(limit)")
    }

    /// The CPU time of a process so far, user and system together, in µs.
    static func cpuMicroseconds(of pid: Int32) throws -> Double {
        let text = try String(contentsOfFile: "/proc/\(pid)/stat", encoding: .utf8)
        // The second field, the name in parentheses, may hold blanks.
        let fields = (text.split(separator: ")").last ?? "").split(separator: " ")
        guard fields.count > 12, let user = Double(fields[11]), let system = Double(fields[12]) else {
            throw BenchError("/proc/\(pid)/stat can't be read")
        }
        return (user + system) * 1e6 / Double(sysconf(Int32(_SC_CLK_TCK)))
    }

    /// The most memory that a process has held so far (its resident set), in MB.
    static func memoryPeakMB(of pid: Int32) throws -> Double {
        let text = try String(contentsOfFile: "/proc/\(pid)/status", encoding: .utf8)
        let line = text.split(separator: "\n").first { $0.hasPrefix("VmHWM:") }
        guard let words = line?.split(whereSeparator: \.isWhitespace), words.count > 1, let kilobytes = Double(words[1])
        else { throw BenchError("/proc/\(pid)/status has no VmHWM") }
        return kilobytes / 1_024
    }
}
