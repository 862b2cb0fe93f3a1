import Fleet
import Foundation
import GameModel
import Glibc
import Logging
import TestSupport
import Testing

@Suite("Process driver: instances as processes of this host")
struct ProcessDriverTests {
    /// A driver whose "instances" are a shell that runs this script.
    private func driver(_ script: String, folder: TemporaryFolder) -> ProcessDriver {
        var configuration = ProcessDriverConfiguration(executable: "/bin/sh")
        configuration.arguments = ["-c", script]
        configuration.environment = ["MUSTER_API_URL": "http://api"]
        configuration.logFolder = folder.file("logs")
        var logger = Logger(label: "test.driver")
        logger.logLevel = .critical
        return ProcessDriver(configuration: configuration, logger: logger)
    }

    private func order() -> InstanceOrder { InstanceOrder(instance: InstanceID(in: eu), region: eu, slots: 7) }

    private func text(_ path: String) -> String {
        FileManager.default.contents(atPath: path).map { String(decoding: $0, as: UTF8.self) } ?? ""
    }

    @Test("an instance is told who it is, leads its own process group, and its output is kept")
    func environmentAndGroup() async throws {
        let folder = try TemporaryFolder()
        defer { folder.remove() }
        let driver = driver(
            "echo $MUSTER_INSTANCE_ID $MUSTER_INSTANCE_REGION $MUSTER_INSTANCE_SLOTS $MUSTER_API_URL; "
                + "echo /proc/$$/fd/*; exec sleep 60", folder: folder)
        let order = order()
        try await driver.start(order)
        let log = folder.file("logs/\(order.instance).log")
        try await eventually("it has spoken") { text(log).split(separator: "\n").count >= 2 }
        let lines = text(log).split(separator: "\n")
        #expect(lines[0] == "\(order.instance) eu 7 http://api")
        // The standard ones, and the folder that is being listed.
        let files = lines[1].split(separator: " ").compactMap { $0.split(separator: "/").last.flatMap { Int($0) } }
        #expect(files.count >= 3 && files.allSatisfy { $0 <= 3 })
        let pid = try #require(await driver.processIdentifier(of: order.instance))
        #expect(getpgid(pid) == pid)
        #expect(await driver.running() == [order.instance])
        await driver.kill(order.instance)
        try await eventually("it is collected") { await driver.collectExits().map(\.how) == ["signal 9"] }
        #expect(await driver.running().isEmpty)
    }

    @Test("stop asks by SIGTERM, which is not ignored although this process may ignore it")
    func stop() async throws {
        let folder = try TemporaryFolder()
        defer { folder.remove() }
        let driver = driver("trap 'exit 3' TERM; echo ready; while :; do sleep 0.01; done", folder: folder)
        let order = order()
        try await driver.start(order)
        try await eventually("it is ready") { text(folder.file("logs/\(order.instance).log")) == "ready\n" }
        await driver.stop(order.instance)
        try await eventually("it ended by itself") {
            await driver.collectExits() == [InstanceExit(instance: order.instance, how: "exit 3")]
        }
    }

    @Test("a program that is not there is an error, not an instance")
    func missingProgram() async throws {
        let driver = ProcessDriver(
            configuration: ProcessDriverConfiguration(executable: "/nonexistent/muster"), logger: Logger(label: "t"))
        await #expect(throws: ProcessDriverError.self) { try await driver.start(order()) }
        #expect(await driver.running().isEmpty)
    }
}
