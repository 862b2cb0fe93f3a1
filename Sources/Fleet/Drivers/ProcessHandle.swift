import Foundation
import Glibc

/// One process of this host, told from any later one that gets its number.
///
/// A number alone is not enough to send a signal to what is no child: the kernel gives it anew. A process is known by
/// its number and its start time (proc(5), `/proc/PID/stat` field 22), and held by a pidfd where the kernel has them
/// (pidfd_open(2)), through which a signal can't reach another.
final class ProcessHandle: Sendable {
    let pid: Int32
    /// Clock ticks from the host's boot to the start of the process.
    let startTicks: UInt64
    /// -1 where the kernel has no pidfd.
    private let descriptor: Int32

    /// The process that has this number now; `nil` where it has ended.
    convenience init?(pid: Int32) {
        guard let stat = ProcessStat(pid: pid) else { return nil }
        self.init(pid: pid, startTicks: stat.startTicks)
    }

    /// A child that was not collected yet, also one that has ended: its number is still its own.
    convenience init?(child pid: Int32) {
        guard let stat = ProcessStat(pid: pid) else { return nil }
        self.init(pid: pid, startTicks: stat.startTicks, mayHaveEnded: true)
    }

    /// The process that was started then; `nil` where it has ended, whoever has its number now.
    convenience init?(pid: Int32, startTicks: UInt64) {
        self.init(pid: pid, startTicks: startTicks, mayHaveEnded: false)
    }

    private init?(pid: Int32, startTicks: UInt64, mayHaveEnded: Bool) {
        self.pid = pid
        self.startTicks = startTicks
        // Opened before the look at the start time: what the look finds right is what is held.
        descriptor = pid > 1 ? LinuxCalls.pidfdOpen(pid) : -1
        guard pid > 1, let stat = ProcessStat(pid: pid), stat.startTicks == startTicks, mayHaveEnded || !stat.hasEnded
        else { return nil }
    }

    deinit {
        if descriptor >= 0 { close(descriptor) }
    }

    /// Whether it has ended, also when nobody has collected it yet.
    var hasEnded: Bool {
        if descriptor >= 0 {
            var look = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
            return poll(&look, 1, 0) > 0
        }
        guard let stat = ProcessStat(pid: pid) else { return true }
        return stat.startTicks != startTicks || stat.hasEnded
    }

    /// Sends a signal; `false` where the process has ended, or the signal is refused.
    @discardableResult
    func send(_ signal: Int32) -> Bool {
        if descriptor >= 0, let sent = LinuxCalls.pidfdSend(signal, to: descriptor) { return sent }
        return !hasEnded && Glibc.kill(pid, signal) == 0
    }

    /// Ends it at once, and with it what it started in its own process group.
    func killGroup() {
        // While the leader has not ended, the group's number can't be anyone else's.
        if !hasEnded, getpgid(pid) == pid { _ = Glibc.kill(-pid, SIGKILL) }
        send(SIGKILL)
    }
}

/// What `/proc/PID/stat` says (proc(5)).
struct ProcessStat: Equatable {
    /// Field 3: `R`, `S`, `Z`, …
    var state: Character
    /// Field 22: clock ticks since boot.
    var startTicks: UInt64

    /// A zombie waits to be collected, and does nothing more.
    var hasEnded: Bool { state == "Z" || state == "X" }

    init?(pid: Int32) {
        guard let bytes = FileManager.default.contents(atPath: "/proc/\(pid)/stat") else { return nil }
        self.init(text: String(decoding: bytes, as: UTF8.self))
    }

    /// Field 2 is the program's name in parentheses, and may hold spaces and parentheses itself.
    init?(text: String) {
        guard let end = text.lastIndex(of: ")") else { return nil }
        let fields = text[text.index(after: end)...].split(separator: " ")
        guard fields.count > 19, let state = fields[0].first, let ticks = UInt64(fields[19]) else { return nil }
        self.state = state
        startTicks = ticks
    }
}
