import Foundation

/// Programs of other people, which judge ours: Python's packages, `curl`.
public enum ForeignProgram {
    /// The Python that has the packages of the tests: that of `MUSTER_PYTHON`, else the one that `ops/prepare` makes.
    ///
    /// - Throws: where it isn't there, with what to do.
    public static func python() throws -> String {
        let given = ProcessInfo.processInfo.environment["MUSTER_PYTHON"] ?? ""
        let path = given.isEmpty ? "\(FileManager.default.currentDirectoryPath)/.build/python/bin/python" : given
        guard FileManager.default.isExecutableFile(atPath: path) else {
            throw TestSupportError("there is no Python at \(path): run ops/prepare, or set MUSTER_PYTHON")
        }
        return path
    }

    /// A program that came with one of Python's packages: `moto_server`, `aws`.
    public static func script(_ name: String) throws -> String {
        let path = URL(filePath: try python()).deletingLastPathComponent().appending(path: name).path
        guard FileManager.default.isExecutableFile(atPath: path) else {
            throw TestSupportError("there is no \(path): its package is missing; run ops/prepare")
        }
        return path
    }

    /// Runs a program to its end.
    ///
    /// - Parameters:
    ///   - environment: beside the variables of this process.
    ///   - input: what it reads; nothing where it is empty.
    public static func run(
        _ path: String, _ arguments: [String], environment: [String: String] = [:], input: [UInt8] = []
    ) async throws -> MusterUp.Ending {
        let folder = try TemporaryFolder()
        defer { folder.remove() }
        let command = Process()
        command.executableURL = URL(filePath: path)
        command.arguments = arguments
        command.environment = ProcessInfo.processInfo.environment.merging(environment) { $1 }
        try Data(input).write(to: URL(filePath: folder.file("input")))
        command.standardInput = try FileHandle(forReadingFrom: URL(filePath: folder.file("input")))
        func file(_ name: String) throws -> FileHandle {
            try Data().write(to: URL(filePath: folder.file(name)))
            return try FileHandle(forWritingTo: URL(filePath: folder.file(name)))
        }
        command.standardOutput = try file("output")
        command.standardError = try file("errors")
        let status: Int32 = try await withCheckedThrowingContinuation { continuation in
            command.terminationHandler = { continuation.resume(returning: $0.terminationStatus) }
            do {
                try command.run()
            } catch {
                command.terminationHandler = nil
                continuation.resume(throwing: error)
            }
        }
        func text(_ name: String) -> String {
            String(decoding: FileManager.default.contents(atPath: folder.file(name)) ?? Data(), as: UTF8.self)
        }
        return MusterUp.Ending(status: status, output: text("output"), errors: text("errors"))
    }

    /// Runs a program to its end; what it printed. One that ends with another status than 0 is an error with its words.
    public static func output(
        _ path: String, _ arguments: [String], environment: [String: String] = [:], input: [UInt8] = []
    ) async throws -> String {
        let ending = try await run(path, arguments, environment: environment, input: input)
        guard ending.status == 0 else {
            let words = ([path] + arguments).joined(separator: " ")
            throw TestSupportError("\(words) ended with \(ending.status): \(ending.errors)\(ending.output)")
        }
        return ending.output
    }
}
