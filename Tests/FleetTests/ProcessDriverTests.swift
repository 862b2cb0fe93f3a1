import Foundation
import GameModel
import Glibc
import Logging
import TestSupport
import Testing

@testable import Fleet

@Suite("Process driver: instances as processes of this host")
struct ProcessDriverTests {
    @Test("an instance is told who it is, leads its own session, and its output is kept")
    func environmentAndGroup() async throws {
        let host = try DriverHost()
        defer { host.remove() }
        let driver = host.driver(
            "echo $MUSTER_INSTANCE_ID $MUSTER_INSTANCE_REGION $MUSTER_INSTANCE_SLOTS $MUSTER_API_URL "
                + "$MUSTER_INSTANCE_BUILD; echo /proc/$$/fd/*; echo said >&2; "
                + "exec sleep 60")
        let order = host.order(build: "1.4.2")
        try await driver.start(order)
        let log = host.log(of: order.instance)
        try await eventually("it has spoken") { host.text(log).split(separator: "\n").count >= 3 }
        let lines = host.text(log).split(separator: "\n")
        #expect(lines[0] == "\(order.instance) eu 7 http://api 1.4.2")
        // The standard ones, and the folder that is being listed.
        let files = lines[1].split(separator: " ").compactMap { $0.split(separator: "/").last.flatMap { Int($0) } }
        #expect(files.count >= 3 && files.allSatisfy { $0 <= 3 })
        #expect(lines[2] == "said")
        let pid = try #require(await driver.processIdentifier(of: order.instance))
        #expect(getpgid(pid) == pid)
        #expect(getsid(pid) == pid)
        #expect(await driver.running() == [order.instance])
        await #expect(throws: ProcessDriverError.runs(order.instance.rawValue)) { try await driver.start(order) }
        await driver.kill(order.instance)
        try await eventually("it is collected") { await driver.collectExits().map(\.how) == ["signal 9"] }
        #expect(await driver.running().isEmpty)
        #expect(host.notes.instances().isEmpty, "no note is left of it")
    }

    @Test(
        "an instance is not given what only its allocator needs: no secret, no Redis",
        arguments: [
            ("MUSTER_PAYMENTS_SECRET_KEY", true), ("MUSTER_REDIS_URL", true), ("MUSTER_ALLOCATOR_TOKEN", true),
            ("AWS_SECRET_ACCESS_KEY", true), ("DB_PASSWORD", true), ("PATH", false), ("MUSTER_API_URL", false),
            ("MUSTER_INSTANCE_TOKEN", false),
        ])
    func withheld(_ name: String, _ isWithheld: Bool) {
        #expect(ProcessLaunch.isWithheld(name) == isWithheld)
    }

    @Test("stop asks by SIGTERM, which is not ignored although this process may ignore it")
    func stop() async throws {
        let host = try DriverHost()
        defer { host.remove() }
        let driver = host.driver("trap 'exit 3' TERM; echo ready; while :; do sleep 0.01; done")
        let order = host.order()
        try await driver.start(order)
        try await eventually("it is ready") { host.text(host.log(of: order.instance)) == "ready\n" }
        await driver.stop(order.instance)
        try await eventually("it ended by itself") {
            await driver.collectExits() == [InstanceExit(instance: order.instance, how: "exit 3")]
        }
    }

    @Test("kill ends what the instance has started too")
    func killsGroup() async throws {
        let host = try DriverHost()
        defer { host.remove() }
        let driver = host.driver("sleep 60 & echo $!; wait")
        let order = host.order()
        try await driver.start(order)
        let log = host.log(of: order.instance)
        try await eventually("it has started another") { host.text(log).hasSuffix("\n") }
        let other = try #require(Int32(host.text(log).trimmingCharacters(in: .whitespacesAndNewlines)))
        let process = try #require(ProcessHandle(pid: other))
        await driver.kill(order.instance)
        try await eventually("both ended") { await driver.running().isEmpty && process.hasEnded }
    }

    @Test("a start whose caller is cancelled goes through: what runs is never forgotten")
    func cancelled() async throws {
        let host = try DriverHost()
        defer { host.remove() }
        let driver = host.driver("exec sleep 60")
        let order = host.order()
        // A task of its own, so that it can be cancelled at once.
        let task = Task { try await driver.start(order) }
        task.cancel()
        try await task.value
        let pid = try #require(await driver.processIdentifier(of: order.instance))
        #expect(try host.notes.note(of: order.instance)?.pid == pid)
        await driver.kill(order.instance)
        try await eventually("ended") { await driver.running().isEmpty }
    }

    @Test("a program that is not there, and a build that can't be, are errors and not instances")
    func missingProgram() async throws {
        let host = try DriverHost()
        defer { host.remove() }
        var configuration = host.configuration("")
        configuration.executable = "/nonexistent/muster"
        let missing = ProcessDriver(configuration: configuration, logger: DriverHost.quiet)
        await #expect(throws: (any Error).self) { try await missing.start(host.order()) }
        #expect(await missing.running().isEmpty)
        #expect(host.notes.instances().isEmpty)

        configuration.executable = host.folder.file("games/{build}/muster")
        let built = ProcessDriver(configuration: configuration, logger: DriverHost.quiet)
        await #expect(throws: ProcessDriverError.badBuild("../x")) { try await built.start(host.order(build: "../x")) }
        await #expect(throws: ProcessDriverError.noBuild(executable: configuration.executable)) {
            try await built.start(host.order())
        }
        #expect(try configuration.executable(of: "2.0") == host.folder.file("games/2.0/muster"))
    }

    @Test("limits hold: open files, memory, core dumps and the share of the processor; ports come from their range")
    func limits() async throws {
        let host = try DriverHost()
        defer { host.remove() }
        var configuration = host.configuration("echo $MUSTER_INSTANCE_PORT; exec sleep 60")
        configuration.limits.openFiles = 77
        configuration.limits.memoryMiB = 512
        configuration.limits.nice = 5
        let order = host.order()
        var (driver, port) = (host.driver(""), 0)
        // The port may be taken by another before it is given out.
        try await eventually("a port was free") {
            port = try FreeTestPort.any()
            configuration.ports = port...port
            driver = ProcessDriver(configuration: configuration, logger: DriverHost.quiet)
            do { try await driver.start(order) } catch ProcessDriverError.noPort { return false }
            return true
        }
        let pid = try #require(await driver.processIdentifier(of: order.instance))
        let limits = host.text("/proc/\(pid)/limits").split(separator: "\n")
        func limit(_ name: String) -> [Substring] {
            limits.first { $0.hasPrefix(name) }?.dropFirst(name.count).split(separator: " ") ?? []
        }
        #expect(limit("Max open files").prefix(2) == ["77", "77"])
        #expect(limit("Max address space").prefix(2) == ["536870912", "536870912"])
        #expect(limit("Max core file size").prefix(2) == ["0", "0"])
        #expect(getpriority(__priority_which_t(PRIO_PROCESS.rawValue), id_t(pid)) >= 5)
        try await eventually("it knows its port") { host.text(host.log(of: order.instance)) == "\(port)\n" }
        await #expect(throws: ProcessDriverError.noPort(port...port)) { try await driver.start(host.order()) }
        await driver.kill(order.instance)
        try await eventually("ended") { await driver.running().isEmpty }
    }

    @Test("a log past its size is started anew and the one before kept; logs of the long gone are removed")
    func logs() async throws {
        let host = try DriverHost()
        defer { host.remove() }
        let old = (0..<4).map { _ in host.order().instance }
        try FileManager.default.createDirectory(atPath: host.logs, withIntermediateDirectories: true)
        for name in old.map(\.rawValue) + ["api-1"] {
            try Data("x".utf8).write(to: URL(filePath: "\(host.logs)/\(name).log"))
        }
        var configuration = host.configuration(
            "yes 0123456789 | head -n 1000; trap 'echo after; exit 0' TERM; "
                + "echo full; while :; do sleep 0.01; done")
        configuration.logBytesMax = 4_096
        configuration.logsKept = 2
        let driver = ProcessDriver(configuration: configuration, logger: DriverHost.quiet)
        let order = host.order()
        try await driver.start(order)
        let log = host.log(of: order.instance)
        try await eventually("the log is full") { host.text(log).hasSuffix("full\n") }
        let logs = try FileManager.default.contentsOfDirectory(atPath: host.logs)
        #expect(logs.filter { name in old.contains { name == "\($0).log" } }.count == 2)
        #expect(logs.contains("api-1.log"), "another process's log is not ours to remove")
        _ = await driver.collectExits()
        #expect(host.text(log).isEmpty)
        #expect(host.text(log + ".1").hasSuffix("full\n"))
        await driver.stop(order.instance)
        try await eventually("ended") { await driver.running().isEmpty }
        #expect(host.text(log) == "after\n", "it goes on at the new end")
    }

    @Test("a process is known by its number and its start: a later one with the same number is another")
    func identity() throws {
        let own = try #require(ProcessHandle(pid: getpid()))
        #expect(!own.hasEnded)
        #expect(ProcessHandle(pid: getpid(), startTicks: own.startTicks) != nil)
        #expect(ProcessHandle(pid: getpid(), startTicks: own.startTicks - 1) == nil)
        #expect(ProcessHandle(pid: 0) == nil)
        #expect(ProcessHandle(pid: -1) == nil)
        // proc(5): the name may hold anything.
        let stat = "42 (a ) b (c) S 1 42 42 0 -1 4194560 1 2 3 4 5 6 7 8 20 0 1 0 987654 1 2 3"
        #expect(ProcessStat(text: stat)?.startTicks == 987_654)
        #expect(ProcessStat(text: stat)?.state == "S")
        #expect(ProcessStat(text: "42 (a) S 1") == nil)
    }
}
