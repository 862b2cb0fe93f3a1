import Foundation
import TestSupport

/// A server of other people, on a port of 127.0.0.1 for as long as a body needs it.
///
/// Somebody else may take a port that was free before the server listens there; then it is started on another one.
enum ForeignServer {
    private static let triesMax = 5

    /// - Parameters:
    ///   - log: where what it prints goes, with the number of the try at its end.
    ///   - isListening: asked again and again until it is so.
    static func run<T>(
        log: String, _ command: (_ port: Int) throws -> [String], isListening: (_ port: Int) async throws -> Bool,
        _ body: (_ port: Int) async throws -> T
    ) async throws -> T {
        for number in 1...triesMax {
            let port = try RedisServer.freePort()
            let file = "\(log).\(number)"
            let server = try await GuardedProcess.start(try command(port), log: file)
            defer { server.end() }
            var isTaken = false
            do {
                try await eventually("the server listens") {
                    isTaken = words(in: file).lowercased().contains("address already in use")
                    if isTaken { return true }
                    return try await isListening(port)
                }
            } catch {
                throw TestSupportError("\(error); its log:\n\(words(in: file).suffix(2_000))")
            }
            if !isTaken { return try await body(port) }
        }
        throw TestSupportError("none of \(triesMax) free ports stayed free until a server listened there")
    }

    private static func words(in file: String) -> String {
        String(decoding: FileManager.default.contents(atPath: file) ?? Data(), as: UTF8.self)
    }
}
