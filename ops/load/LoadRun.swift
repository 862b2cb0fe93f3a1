import AsyncHTTPClient
import Foundation
import GameModel
import NIOCore
import NIOHTTP1

/// Simulates players, open loop: they arrive when they mean to, however slow the servers are.
public struct LoadRun: Sendable {
    private let configuration: LoadConfiguration
    private let print: @Sendable (String) -> Void

    /// `print` gets the final table or JSON; progress goes to standard error.
    public init(configuration: LoadConfiguration, print: @escaping @Sendable (String) -> Void = { Swift.print($0) }) {
        self.configuration = configuration
        self.print = print
    }

    /// Runs to the end, prints and writes the report.
    ///
    /// Throws `LoadError.tooFewFinished` when fewer players than required finished a match, after printing.
    public func run() async throws {
        try configuration.validate()
        if let path = configuration.reportPath { try Self.requireWritable(path) }
        var settings = HTTPClient.Configuration()
        settings.connectionPool.concurrentHTTP1ConnectionsPerHostSoftLimit = configuration.players * 2
        settings.timeout = .init(connect: .seconds(5), read: .seconds(60))
        let summary = try await HTTPClient.withHTTPClient(configuration: settings) { http in
            try await probe(http)
            let played = try await PlayedModes.read(from: configuration.apiURLs[0], http)
            try played.check(configuration)
            return await simulate(http, partyLimits: played.partyLimits(of: configuration))
        }
        print(configuration.json ? try summary.jsonText() : summary.table())
        if let path = configuration.reportPath {
            do {
                try HTMLReport(summary: summary).text().write(toFile: path, atomically: true, encoding: .utf8)
            } catch {
                throw LoadError.reportNotWritten(path: path, reason: "\(error)")
            }
        }
        let population = summary.population
        guard Double(population.finished) >= configuration.requiredFinished * Double(population.queuedEver) else {
            throw LoadError.tooFewFinished(
                finished: population.finished, queued: population.queuedEver, required: configuration.requiredFinished)
        }
    }

    /// Known before the run, not after it.
    private static func requireWritable(_ path: String) throws {
        let folder = URL(filePath: path).deletingLastPathComponent().path
        guard FileManager.default.isWritableFile(atPath: folder) else {
            throw LoadError.reportNotWritten(path: path, reason: "\(folder) is no folder that one may write to")
        }
    }

    private func probe(_ http: HTTPClient) async throws {
        for url in configuration.apiURLs {
            do {
                let answer = try await http.execute(HTTPClientRequest(url: url + "/healthz"), timeout: .seconds(10))
                guard answer.status.code == 200 else { throw LoadError.apiUnreachable("\(url) says \(answer.status)") }
            } catch let error as LoadError {
                throw error
            } catch {
                throw LoadError.apiUnreachable("\(url): \(error)")
            }
        }
    }

    /// Returns when the time for the journeys is over, or when nothing has happened for long after the last arrival.
    private func endOfTime(_ recorder: StepRecorder, start: ContinuousClock.Instant) async throws {
        let end = start + configuration.arrivals + configuration.drain
        try await Task.sleep(until: start + configuration.arrivals, clock: .continuous)
        var seen = (events: recorder.events, at: ContinuousClock.now)
        while ContinuousClock.now < end {
            try await Task.sleep(for: .milliseconds(500))
            if recorder.events != seen.events || recorder.population.playing > 0 {
                seen = (recorder.events, .now)
            } else if ContinuousClock.now - seen.at > configuration.idleTimeout {
                return
            }
        }
    }

    private func simulate(_ http: HTTPClient, partyLimits: [Mode: Int]) async -> LoadSummary {
        let start = ContinuousClock.now
        let recorder = StepRecorder(start: start)
        let runName = ULID().description.lowercased()
        let wishes = PlayerPopulation(configuration: configuration, partyLimits: partyLimits).wishes()
        await withTaskGroup(of: Void.self) { run in
            if configuration.showProgress {
                run.addTask {
                    await ProgressLine(recorder: recorder, configuration: configuration, start: start).draw()
                }
            }
            await withTaskGroup(of: Bool.self) { players in
                players.addTask {
                    do {
                        try await endOfTime(recorder, start: start)
                        return false
                    } catch {
                        return true  // Every journey ended before the time did.
                    }
                }
                let rooms = PartyRoom.rooms(of: wishes)
                for wish in wishes {
                    let url = configuration.apiURLs[wish.number % configuration.apiURLs.count]
                    let journey = PlayerJourney(
                        wish: wish, api: APIClient(http: http, baseURL: url, recorder: recorder), recorder: recorder,
                        room: wish.party.flatMap { rooms[$0.party] }, runName: runName, start: start)
                    players.addTask {
                        do {
                            try await Task.sleep(until: start + wish.arrival, clock: .continuous)
                        } catch {
                            return true  // The run ended before this player came.
                        }
                        await journey.run()
                        return true
                    }
                }
                var left = wishes.count
                for await journeyEnded in players {
                    left -= journeyEnded ? 1 : 0
                    if left == 0 || !journeyEnded { break }
                }
                players.cancelAll()
            }
            run.cancelAll()
        }
        return LoadSummary(
            configuration: configuration, took: ContinuousClock.now - start, population: recorder.population,
            steps: recorder.records, seconds: recorder.seconds, waits: recorder.waits)
    }
}
