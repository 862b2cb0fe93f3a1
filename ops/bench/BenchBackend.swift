import Foundation

/// A whole backend of a benchmark's own, by `muster up` on a temporary folder, without rankers and without any limit of
/// rate: one player asks as often as a thousand would.
struct BenchBackend: Sendable {
    /// Of what `up.json` says.
    struct State: Decodable, Sendable {
        struct Member: Decodable, Sendable {
            let role: String
            let pid: Int32?
        }

        let isReady: Bool
        let apiUrl: String
        let instanceTokenFile: String
        let processes: [Member]
    }

    let state: State
    /// Where its files are.
    let folder: String
    private let child: BenchChild

    /// Starts it and waits until all of it is ready.
    static func start(_ executable: String, folder: String) async throws -> BenchBackend {
        let data = folder + "/data"
        let unlimited = ["log-ins", "registrations", "orders", "quotes", "exports", "others", "accounts-per-hour"]
        let child = try BenchChild.start(
            executable,
            [
                "up", "--data", data, "--port", "0", "--ranker", "0", "--allocator", "0", "--ingest", "0",
                "--exit-with-parent",
            ] + unlimited.flatMap { ["--set", "api.limits.\($0)=0"] }, output: folder + "/up.log")
        do {
            let state = try await BenchChild.wait(for: "the backend") { () throws -> State? in
                guard let bytes = FileManager.default.contents(atPath: data + "/up.json") else { return nil }
                let state = try JSONDecoder().decode(State.self, from: bytes)
                return state.isReady ? state : nil
            }
            return BenchBackend(state: state, folder: data, child: child)
        } catch {
            try child.stop()
            throw error
        }
    }

    /// The port and the process id of its API.
    func api() throws -> (port: Int, pid: Int32) {
        guard let pid = state.processes.first(where: { $0.role == "api" })?.pid,
            let port = URL(string: state.apiUrl)?.port
        else { throw BenchError("the backend runs without an API") }
        return (port, pid)
    }

    func stop() throws { try child.stop() }
}
