import Fleet
import Foundation
import GameModel
import Glibc
import Logging
import TestSupport

@testable import struct Fleet.InstanceFolder

/// A host's folders for drivers, whose "instances" are shells that run a script.
struct DriverHost {
    let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    static var quiet: Logger {
        var logger = Logger(label: "test.driver")
        logger.logLevel = ProcessInfo.processInfo.environment["DRV_DEBUG"] == nil ? .critical : .trace
        return logger
    }

    var logs: String { folder.file("logs") }
    var notes: InstanceFolder { InstanceFolder(path: folder.file("instances")) }

    func configuration(_ script: String) -> ProcessDriverConfiguration {
        var configuration = ProcessDriverConfiguration(executable: "/bin/sh")
        configuration.arguments = ["-c", script]
        configuration.environment = ["MUSTER_API_URL": "http://api"]
        configuration.logFolder = logs
        configuration.notesFolder = notes.path
        return configuration
    }

    func driver(_ script: String) -> ProcessDriver {
        ProcessDriver(configuration: configuration(script), logger: Self.quiet)
    }

    func order(build: String? = nil) -> InstanceOrder {
        InstanceOrder(instance: InstanceID(in: eu), region: eu, slots: 7, build: build)
    }

    func log(of instance: InstanceID) -> String { "\(logs)/\(instance).log" }

    func text(_ path: String) -> String {
        FileManager.default.contents(atPath: path).map { String(decoding: $0, as: UTF8.self) } ?? ""
    }

    func remove() { folder.remove() }
}

enum FreeTestPort {
    /// A port that was free a moment ago.
    static func any() throws -> Int {
        let socket = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        guard socket >= 0 else { throw TestSupportError("socket: \(errno)") }
        defer { close(socket) }
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let bound = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(socket, $0, length) == 0 && getsockname(socket, $0, &length) == 0
            }
        }
        guard bound else { throw TestSupportError("bind: \(errno)") }
        return Int(UInt16(bigEndian: address.sin_port))
    }
}
