import Foundation
import GameData
import GameModel
import Matchmaking
import Redis
import Synchronization
import TestSupport
import Testing

/// Players who come in rounds for as long as something is tried on what they play: each round is a `muster load`.
final class Rounds: Sendable {
    private struct Progress {
        var isOver = false
        var rounds = 0
    }

    private let up: MusterUp
    private let progress = Mutex(Progress())

    init(_ up: MusterUp) { self.up = up }

    /// Lets players come until the body is done; the last round plays to its end.
    func play(during body: @escaping @Sendable () async throws -> Void) async throws {
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await self.playOn() }
            group.addTask {
                defer { self.progress.withLock { $0.isOver = true } }
                try await body()
            }
            try await group.waitForAll()
        }
    }

    private func playOn() async throws {
        let urls = try #require(try up.state()).apiUrls.joined(separator: ",")
        while !progress.withLock({ $0.isOver }) {
            let seed = progress.withLock { progress in
                progress.rounds += 1
                return progress.rounds
            }
            let ending = try await up.muster(
                [
                    "load", "--api", urls, "--players", "24", "--seconds", "6", "--modes", "duel",
                    "--regions", "eu", "--seed", "\(seed)", "--require-finished", "0.5", "--no-progress",
                ], onData: false)
            // Half of them: what a kill costs a player, how soon it is made good, is not what is tried here.
            // An API that was killed in this moment is asked again with the next round.
            if ending.errors.contains("the API does not answer") { continue }
            #expect(ending.status == 0, "round \(seed): \(ending.output)\(ending.errors)")
        }
    }
}

extension MusterUp {
    /// Nobody is left waiting: each match has its end in the book, and no ticket is in a match that has ended.
    func expectEveryoneIsTold() async throws {
        try await eventually(within: .seconds(180), "each match has its end") {
            try await MatchRow.all(in: self.folder).values.allSatisfy { [.finished, .abandoned].contains($0.state) }
        }
        let url = try #require(try state()).redisUrl
        try await withClient(RedisConfiguration(url: url)) { redis in
            let matchmaking = MatchmakingService(redis: redis, logger: testLogger)
            let pool = Pool(mode: Mode("duel"), region: Region("eu"))
            try await eventually(within: .seconds(180), "no ticket is proposed, placed or ready any more") {
                let depth = try await matchmaking.depth(of: pool)
                return depth.proposed.count + depth.placing.count + depth.ready.count == 0
            }
        }
        let audit = try await muster(["audit", "--wait", "120"])
        #expect(audit.status == 0, "\(audit.output)\(audit.errors)")
    }

    /// Waits until each process is there again, after some were killed.
    func allAreBack() async throws {
        try await eventually(within: .seconds(180), "every process is back") {
            try self.state()?.processes.allSatisfy { $0.pid != nil } == true
        }
    }
}
