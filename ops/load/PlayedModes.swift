import AsyncHTTPClient
import Foundation
import GameModel
import NIOCore
import NIOFoundationCompat
import NIOHTTP1

/// What the servers say is played, so that a run with another mode, region or party is refused before it begins.
struct PlayedModes: Decodable, Sendable {
    struct PlayedMode: Decodable, Sendable {
        let mode: Mode
        let partyMax: Int
    }

    let regions: [Region]
    let modes: [PlayedMode]

    static func read(from url: String, _ http: HTTPClient) async throws -> PlayedModes {
        do {
            let answer = try await http.execute(
                HTTPClientRequest(url: url + "/v1/matchmaking/modes"), timeout: .seconds(10))
            let body = try await answer.body.collect(upTo: 1 << 20)
            guard answer.status.code == 200 else { throw LoadError.apiUnreachable("\(url) says \(answer.status)") }
            return try JSONDecoder().decode(PlayedModes.self, from: body)
        } catch let error as LoadError {
            throw error
        } catch {
            throw LoadError.apiUnreachable("\(url): \(error)")
        }
    }

    /// Refuses what is not played, naming it and what is.
    func check(_ configuration: LoadConfiguration) throws(LoadError) {
        for wanted in configuration.modes where !modes.contains(where: { $0.mode == wanted.mode }) {
            throw .invalidSetting(
                "modes: no mode '\(wanted.mode)' is played there; there are \(list(modes.map(\.mode)))")
        }
        for wanted in configuration.regions where !regions.contains(wanted) {
            throw .invalidSetting("regions: no region '\(wanted)' is played in there; there are \(list(regions))")
        }
        let limits = partyLimits(of: configuration)
        for size in configuration.parties.keys.sorted() where !limits.values.contains(where: { $0 >= size }) {
            let most = limits.sorted { $0.key < $1.key }.map { "\($0.value) of \($0.key)" }.joined(separator: ", ")
            throw .invalidSetting("parties: no mode of the run takes a party of \(size); the most are \(most)")
        }
    }

    /// How many may be in a party, by the run's modes.
    func partyLimits(of configuration: LoadConfiguration) -> [Mode: Int] {
        let wanted = Set(configuration.modes.map(\.mode))
        return Dictionary(
            modes.filter { wanted.contains($0.mode) }.map { ($0.mode, $0.partyMax) },
            uniquingKeysWith: { first, _ in first })
    }

    private func list(_ names: [some Identifier]) -> String { names.map(\.rawValue).sorted().joined(separator: ", ") }
}
