import Foundation

/// What runs under `muster up`, as the file `up.json` in the data folder tells scripts and tests: process ids by name,
/// addresses, and where the tokens are.
struct UpState: Codable, Sendable {
    struct Member: Codable, Sendable {
        var name: String
        var role: String
        /// `nil` while it is down, waiting to be started again.
        var pid: Int32?
        var healthUrl: String?
        var restarts: Int
    }

    /// The supervisor itself.
    var pid: Int32
    /// Unix milliseconds.
    var startedAt: Int64
    /// Whether everything was ready once; it stays true when a process dies and comes back.
    var isReady: Bool
    var data: String
    var redisUrl: String
    /// The first of `apiUrls`.
    var apiUrl: String
    var apiUrls: [String]
    var paymentsUrl: String
    /// Where the sandbox's secret key is; `nil` where the provider is not ours.
    var paymentsKeyFile: String?
    /// The rules of matchmaking that the processes follow; `nil`: the built-in ones.
    var rulesFile: String?
    var instanceTokenFile: String
    var developerTokenFile: String
    var processes: [Member]

    static func path(in folder: String) -> String { "\(folder)/up.json" }

    /// The file of a data folder; `nil` where there is none.
    static func read(from folder: String) throws -> UpState? {
        let path = path(in: folder)
        guard FileManager.default.fileExists(atPath: path) else { return nil }
        return try JSONDecoder().decode(UpState.self, from: Data(contentsOf: URL(fileURLWithPath: path)))
    }

    /// Replaces the file in one step, so that a reader never sees half of it.
    func write() throws {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        try encoder.encode(self).write(to: URL(fileURLWithPath: Self.path(in: data)), options: .atomic)
    }

    /// The file goes when the supervisor stops.
    static func remove(from folder: String) throws {
        let path = path(in: folder)
        if FileManager.default.fileExists(atPath: path) { try FileManager.default.removeItem(atPath: path) }
    }
}
