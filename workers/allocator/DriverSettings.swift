import Configuration
import Fleet
import Foundation

/// By what means an allocator has instances run: the part of its settings that is about drivers.
///
/// Each allocator keeps the instances of its own host, for its own regions; it places matches on any instance of those
/// regions, whoever keeps it. So a region may have any number of hosts, each with an allocator and a data folder.
public struct DriverSettings: Equatable, Sendable {
    public enum Kind: String, Sendable, CaseIterable {
        /// Instances are processes of this host.
        case process
        /// Instances are game servers of a Kubernetes cluster, kept by Agones.
        case agones
    }

    public var kind = Kind.process
    /// Where players reach this host's instances; `nil`: as `instance.host` says.
    public var host: String?
    /// Where they listen; `nil`: at that address.
    public var bind: String?
    /// Whether its instances end when the allocator is asked to; otherwise they run on, and the next one adopts them.
    public var stopsInstances = true
    /// Where running instances are noted; `nil`: the folder `instances` in the data folder.
    public var notesFolder: String?
    public var logMiB = 16
    public var logsKept = 50
    /// The ports of this host's instances; `nil`: any.
    public var ports: ClosedRange<Int>?
    public var limits = ProcessLimits()
    public var agones = AgonesConfiguration()

    public init() {}

    /// Reads, with type, default and range: `muster.allocator.driver` (`process` or `agones`; process), `.host` (text,
    /// as `muster.instance.host`), `.stop-instances` (true or false; true), `.instance-notes` (folder, `instances` in
    /// the data folder), `.instance-log-mib` (1…10240, 16), `.instance-logs-kept` (0…100000, 50), `.instance-ports`
    /// (`7000-7999`, any), `.instance-files` (64…1048576, as many as the allocator), `.instance-memory-mib`
    /// (64…1048576, no limit), `.instance-core-mib` (0…1048576, 0), `.instance-nice` (0…19, 0);
    /// `muster.instance.bind` (text, as the host);
    /// `muster.agones.url` (https address), `.namespace` (text, default), `.fleet` (text, muster), `.ca`,
    /// `.certificate`, `.key` (PEM files), `.port` (a port's name, the first), `.scheduling` (`packed` or
    /// `distributed`; packed), `.multi-cluster` (true or false; false), `.timeout-ms` (100…60000, 5000), `.attempts`
    /// (1…10, 3).
    public init(reader: ConfigReader) throws(AllocatorConfigurationError) {
        self.init()
        kind = try Self.choice(reader, "muster.allocator.driver", kind) { Kind(rawValue: $0) }
        host = reader.string(forKey: "muster.allocator.host")
        bind = reader.string(forKey: "muster.instance.bind")
        stopsInstances = reader.bool(forKey: "muster.allocator.stop-instances", default: stopsInstances)
        notesFolder = reader.string(forKey: "muster.allocator.instance-notes")
        logMiB = reader.int(forKey: "muster.allocator.instance-log-mib", default: logMiB)
        logsKept = reader.int(forKey: "muster.allocator.instance-logs-kept", default: logsKept)
        if let text = reader.string(forKey: "muster.allocator.instance-ports") { ports = try Self.ports(text) }
        limits.openFiles = reader.int(forKey: "muster.allocator.instance-files")
        limits.memoryMiB = reader.int(forKey: "muster.allocator.instance-memory-mib")
        limits.coreMiB = reader.int(forKey: "muster.allocator.instance-core-mib", default: limits.coreMiB)
        limits.nice = reader.int(forKey: "muster.allocator.instance-nice", default: limits.nice)
        agones.url = reader.string(forKey: "muster.agones.url", default: agones.url)
        agones.namespace = reader.string(forKey: "muster.agones.namespace", default: agones.namespace)
        agones.fleet = reader.string(forKey: "muster.agones.fleet", default: agones.fleet)
        agones.authorityFile = reader.string(forKey: "muster.agones.ca", default: agones.authorityFile)
        agones.certificateFile = reader.string(forKey: "muster.agones.certificate", default: agones.certificateFile)
        agones.keyFile = reader.string(forKey: "muster.agones.key", default: agones.keyFile)
        agones.port = reader.string(forKey: "muster.agones.port")
        agones.scheduling = try Self.choice(reader, "muster.agones.scheduling", agones.scheduling) {
            AgonesConfiguration.Scheduling(rawValue: $0.prefix(1).uppercased() + $0.dropFirst())
        }
        agones.multiCluster = reader.bool(forKey: "muster.agones.multi-cluster", default: agones.multiCluster)
        agones.timeout = .milliseconds(reader.int(forKey: "muster.agones.timeout-ms", default: 5_000))
        agones.attempts = reader.int(forKey: "muster.agones.attempts", default: agones.attempts)
        try validate()
    }

    /// Refuses what can't work, naming the key.
    public func validate() throws(AllocatorConfigurationError) {
        func hold(_ condition: Bool, _ key: String, _ reason: String) throws(AllocatorConfigurationError) {
            if !condition { throw AllocatorConfigurationError(key: "muster.\(key)", reason: reason) }
        }
        func within(_ value: Int?, _ range: ClosedRange<Int>, _ key: String) throws(AllocatorConfigurationError) {
            guard let value else { return }
            try hold(
                range.contains(value), "allocator.\(key)", "\(value) is not \(range.lowerBound) to \(range.upperBound)")
        }
        if let host {
            try hold(
                (1...253).contains(host.utf8.count) && host.utf8.allSatisfy { (0x21...0x7E).contains($0) },
                "allocator.host", "'\(host)' is no address or host name")
        }
        try within(logMiB, 1...10_240, "instance-log-mib")
        try within(logsKept, 0...100_000, "instance-logs-kept")
        try within(limits.openFiles, 64...1_048_576, "instance-files")
        try within(limits.memoryMiB, 64...1_048_576, "instance-memory-mib")
        try within(limits.coreMiB, 0...1_048_576, "instance-core-mib")
        try within(limits.nice, 0...19, "instance-nice")
        guard kind == .agones else { return }
        let url = URL(string: agones.url)
        try hold(
            url?.scheme == "https" && url?.host?.isEmpty == false && ["", "/"].contains(url?.path ?? ""), "agones.url",
            "'\(agones.url)' is no address like https://agones-allocator.agones-system.svc")
        for (key, file) in [
            ("agones.ca", agones.authorityFile), ("agones.certificate", agones.certificateFile),
            ("agones.key", agones.keyFile),
        ] {
            try hold(!file.isEmpty, key, "is needed: the path of a PEM file")
            try hold(FileManager.default.isReadableFile(atPath: file), key, "can't read '\(file)'")
        }
        for (key, name) in [("agones.namespace", agones.namespace), ("agones.fleet", agones.fleet)] {
            try hold(Self.isKubernetesName(name), key, "'\(name)' is no Kubernetes name")
        }
        try hold(
            (Duration.milliseconds(100) ... .seconds(60)).contains(agones.timeout), "agones.timeout-ms",
            "\(agones.timeout) is not 100 to 60000 ms")
        try hold((1...10).contains(agones.attempts), "agones.attempts", "\(agones.attempts) is not 1 to 10")
    }

    private static func choice<Value>(
        _ reader: ConfigReader, _ key: ConfigKey, _ standard: Value, _ parse: (String) -> Value?
    ) throws(AllocatorConfigurationError) -> Value {
        guard let text = reader.string(forKey: key) else { return standard }
        guard let value = parse(text) else {
            let words = key.components.last == "driver" ? "process or agones" : "packed or distributed"
            throw AllocatorConfigurationError(
                key: key.components.joined(separator: "."), reason: "'\(text)' is not \(words)")
        }
        return value
    }

    /// `7000-7999`, or one port.
    private static func ports(_ text: String) throws(AllocatorConfigurationError) -> ClosedRange<Int> {
        let ends = text.split(separator: "-", omittingEmptySubsequences: false)
            .map { Int($0.trimmingCharacters(in: .whitespaces)) }
        guard (1...2).contains(ends.count), let first = ends[0], let last = ends[ends.count - 1],
            (1...65_535).contains(first), (first...65_535).contains(last)
        else {
            throw AllocatorConfigurationError(
                key: "muster.allocator.instance-ports", reason: "'\(text)' is no range of ports like 7000-7999")
        }
        return first...last
    }

    /// RFC 1123: letters, digits and '-', at most 63.
    private static func isKubernetesName(_ text: String) -> Bool {
        (1...63).contains(text.utf8.count) && text.wholeMatch(of: /[a-z0-9]([-a-z0-9]*[a-z0-9])?/) != nil
    }
}
