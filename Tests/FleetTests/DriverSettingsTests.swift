import Configuration
import Fleet
import Foundation
import TestSupport
import Testing

@testable import AllocatorWorker

@Suite("Driver settings: what can't work is refused at the start, with its key")
struct DriverSettingsTests {
    private func read(_ settings: [String: String]) throws -> AllocatorConfiguration {
        try AllocatorConfiguration(
            reader: ConfigReader(provider: EnvironmentVariablesProvider(environmentVariables: settings)))
    }

    @Test(
        "by default instances are processes, noted in the data folder, that end with their allocator"
    )
    func defaults() throws {
        let configuration = try read(["MUSTER_DATA": "/data"])
        #expect(configuration.drivers == DriverSettings())
        #expect(configuration.drivers.kind == .process && configuration.drivers.stopsInstances)
        #expect(configuration.driver.notesFolder == "/data/instances")
        #expect(configuration.driver.environment["MUSTER_INSTANCE_HOST"] == "127.0.0.1")
        #expect(configuration.driver.limits == ProcessLimits())
    }

    @Test("settings of instances are handed on to them, but for those that the allocator decides")
    func handedOn() {
        var configuration = AllocatorConfiguration()
        configuration.instanceSettings = [
            "MUSTER_INSTANCE_TICK_MS": "50", "MUSTER_INSTANCE_PORT": "7000", "MUSTER_INSTANCE_TOKEN": "another",
        ]
        configuration.instanceToken = "token"
        let environment = configuration.driver.environment
        #expect(environment["MUSTER_INSTANCE_TICK_MS"] == "50")
        #expect(environment["MUSTER_INSTANCE_PORT"] == "0" && environment["MUSTER_INSTANCE_TOKEN"] == "token")
    }

    @Test("each setting reaches the driver")
    func process() throws {
        let configuration = try read([
            "MUSTER_ALLOCATOR_HOST": "203.0.113.4", "MUSTER_INSTANCE_HOST": "10.0.0.1",
            "MUSTER_INSTANCE_BIND": "0.0.0.0",
            "MUSTER_ALLOCATOR_STOP_INSTANCES": "false", "MUSTER_ALLOCATOR_INSTANCE_NOTES": "/run/muster",
            "MUSTER_ALLOCATOR_INSTANCE_LOG_MIB": "2", "MUSTER_ALLOCATOR_INSTANCE_LOGS_KEPT": "3",
            "MUSTER_ALLOCATOR_INSTANCE_PORTS": "7000-7003", "MUSTER_ALLOCATOR_INSTANCE_FILES": "4096",
            "MUSTER_ALLOCATOR_INSTANCE_MEMORY_MIB": "2048", "MUSTER_ALLOCATOR_INSTANCE_CORE_MIB": "1",
            "MUSTER_ALLOCATOR_INSTANCE_NICE": "4", "MUSTER_ALLOCATOR_SILENT_MS": "5000",
            "MUSTER_ALLOCATOR_DEAD_MS": "9000",
        ])
        #expect(configuration.fleet.silentAfter == .seconds(5) && configuration.fleet.deadAfter == .seconds(9))
        let driver = configuration.driver
        #expect(driver.environment["MUSTER_INSTANCE_HOST"] == "203.0.113.4")
        #expect(driver.environment["MUSTER_INSTANCE_BIND"] == "0.0.0.0")
        #expect(!configuration.drivers.stopsInstances)
        #expect(driver.notesFolder == "/run/muster")
        #expect(driver.logBytesMax == 2 << 20 && driver.logsKept == 3)
        #expect(driver.ports == 7_000...7_003)
        #expect(driver.limits.openFiles == 4_096 && driver.limits.memoryMiB == 2_048)
        #expect(driver.limits.coreMiB == 1 && driver.limits.nice == 4)
        #expect(try read(["MUSTER_ALLOCATOR_INSTANCE_PORTS": "7000"]).driver.ports == 7_000...7_000)
    }

    @Test(
        "a value that can't be names its key and what would be right",
        arguments: [
            ("MUSTER_ALLOCATOR_DRIVER", "docker", "muster.allocator.driver: 'docker' is not process or agones"),
            ("MUSTER_ALLOCATOR_SILENT_MS", "900", "muster.allocator.silent-ms: 900 is not 1500 to 600000"),
            ("MUSTER_ALLOCATOR_SILENT_MS", "9000", "muster.allocator.dead-ms: 4000 is not 9000 to 600000"),
            ("MUSTER_ALLOCATOR_DEAD_MS", "2000", "muster.allocator.dead-ms: 2000 is not 2500 to 600000"),
            ("MUSTER_ALLOCATOR_HOST", "a b", "muster.allocator.host: 'a b' is no address or host name"),
            (
                "MUSTER_ALLOCATOR_INSTANCE_PORTS", "9-1",
                "muster.allocator.instance-ports: '9-1' is no range of ports like 7000-7999"
            ),
            (
                "MUSTER_ALLOCATOR_INSTANCE_PORTS", "1-70000",
                "muster.allocator.instance-ports: '1-70000' is no range of ports like 7000-7999"
            ),
            ("MUSTER_ALLOCATOR_INSTANCE_FILES", "3", "muster.allocator.instance-files: 3 is not 64 to 1048576"),
            ("MUSTER_ALLOCATOR_INSTANCE_NICE", "20", "muster.allocator.instance-nice: 20 is not 0 to 19"),
            ("MUSTER_ALLOCATOR_INSTANCE_LOG_MIB", "0", "muster.allocator.instance-log-mib: 0 is not 1 to 10240"),
            ("MUSTER_AGONES_SCHEDULING", "random", "muster.agones.scheduling: 'random' is not packed or distributed"),
        ])
    func refused(key: String, value: String, words: String) throws {
        let error = try #require(throws: AllocatorConfigurationError.self) { try read([key: value]) }
        #expect("\(error)" == words)
    }

    @Test("Agones needs an https address and the three PEM files; none of it is looked at for processes")
    func agones() throws {
        let folder = try TemporaryFolder()
        defer { folder.remove() }
        let file = folder.file("x.pem")
        try Data().write(to: URL(filePath: file))
        var settings = [
            "MUSTER_ALLOCATOR_DRIVER": "agones", "MUSTER_AGONES_URL": "https://agones.example.com:8443",
            "MUSTER_AGONES_CA": file, "MUSTER_AGONES_CERTIFICATE": file, "MUSTER_AGONES_KEY": file,
            "MUSTER_AGONES_FLEET": "duels", "MUSTER_AGONES_NAMESPACE": "games", "MUSTER_AGONES_PORT": "game",
            "MUSTER_AGONES_SCHEDULING": "distributed", "MUSTER_AGONES_MULTI_CLUSTER": "true",
            "MUSTER_AGONES_TIMEOUT_MS": "250", "MUSTER_AGONES_ATTEMPTS": "2",
        ]
        let read = try read(settings).drivers
        #expect(read.kind == .agones && read.agones.fleet == "duels" && read.agones.namespace == "games")
        #expect(read.agones.port == "game" && read.agones.scheduling == .distributed && read.agones.multiCluster)
        #expect(read.agones.timeout == .milliseconds(250) && read.agones.attempts == 2)
        for (key, value, named) in [
            ("URL", "http://agones.example.com", "muster.agones.url"), ("URL", "", "muster.agones.url"),
            ("URL", "https://agones.example.com/path", "muster.agones.url"), ("CA", "", "muster.agones.ca"),
            ("KEY", "/nonexistent", "muster.agones.key"), ("FLEET", "No_Name", "muster.agones.fleet"),
            ("TIMEOUT_MS", "1", "muster.agones.timeout-ms"), ("ATTEMPTS", "0", "muster.agones.attempts"),
        ] {
            let good = settings["MUSTER_AGONES_\(key)"]
            settings["MUSTER_AGONES_\(key)"] = value
            let error = try #require(throws: AllocatorConfigurationError.self) { try self.read(settings) }
            #expect(error.key == named)
            settings["MUSTER_ALLOCATOR_DRIVER"] = "process"
            #expect(throws: Never.self) { try self.read(settings) }
            settings["MUSTER_ALLOCATOR_DRIVER"] = "agones"
            settings["MUSTER_AGONES_\(key)"] = good
        }
    }
}
