import Foundation
import GameData
import GameModel
import Telemetry
import TestSupport
import Testing

/// The allocator, game instances, the API and ingest, killed at every step of a match's way, and at any moment.
@Suite("Killed on a match's way", .serialized) struct FleetStepTests {
    /// A step at which a process ends, and what brings its work to its end.
    private struct Death {
        let step: Failpoint
        let cure: String

        init(_ step: Failpoint, _ cure: String) {
            self.step = step
            self.cure = cure
        }
    }

    /// The steps of one row are tried together: of the allocators, of instances, of the API and of ingest, and what
    /// ends one brings another about.
    private static let deaths: [[Death]] = [
        [
            Death(.allocatorLeased, "the lease runs out, and the job runs again"),
            Death(.eventsRead, "another consumer claims what was read"),
            Death(.instanceOpened, "the match is lost with its instance: abandoned, and its players queue again"),
            Death(.allocatorStarting, "the right to start runs out, and whoever takes it next starts one"),
        ],
        [
            Death(.allocatorAllocated, "the next attempt is given the same slot"),
            Death(.resultApplied, "the job runs again, finds the result applied, and ends the match"),
            Death(.instanceGathering, "as before: nobody's rating changes"),
            Death(.allocatorStarted, "the instance runs on, is adopted or known by its heartbeats"),
        ],
        [
            Death(.allocatorRecorded, "the next attempt finds the roster written, and tells the players"),
            Death(.eventsStored, "another consumer claims them, and finds each stored already"),
            Death(.instanceFighting, "as before"),
            Death(.allocatorAbandoned, "the match is still listed as lost: told by the next look"),
        ],
        [
            Death(.allocatorTold, "the next attempt finds the match ready, and does nothing"),
            Death(.resultEnded, "the job runs again, and has nothing left to do"),
            Death(.instanceDecided, "the result is gone with the instance: abandoned, nobody was told who won"),
            Death(.allocatorFreed, "the match is still listed as lost: its slot is freed by the next look"),
        ],
        [
            Death(
                .instanceKept, "another instance of the host finds the result and posts it, unless it counts as lost"),
            Death(.instanceListening, "the allocator sees its end and starts another"),
            Death(.instancePosted, "another instance posts it again: it is recorded already"),
            Death(.resultStored, "the instance asks again: it is recorded already"),
        ],
    ]

    @Test("kill -9 at every step, each while players play: they are told, and the books balance")
    func everyStep() async throws {
        let all = Self.deaths.flatMap { $0.map(\.step) }
        try #require(Set(all) == Set(Failpoint.allCases) && all.count == Failpoint.allCases.count, "each step, once")
        let steps = try TemporaryFolder()
        defer { steps.remove() }
        let arguments = [
            "--api", "2", "--allocator", "2", "--ranker", "1", "--verifier", "1", "--set", "allocator.regions=eu",
        ]
        try await withMuster(arguments, environment: ["MUSTER_FAILPOINTS": steps.path]) { up in
            try await Rounds(up).play {
                for row in Self.deaths {
                    for death in row { try Data().write(to: URL(filePath: steps.file(death.step.rawValue))) }
                    for death in row {
                        try await eventually(within: .seconds(180), "a process ended at \(death.step.rawValue)") {
                            !FileManager.default.fileExists(atPath: steps.file(death.step.rawValue))
                        }
                    }
                    try await up.allAreBack()
                }
            }
            try await up.expectEveryoneIsTold()
        }
    }

    /// 80 in the long run.
    private static let kills = ProcessInfo.processInfo.environment["MUSTER_FULL"] == nil ? 6 : 80

    @Test("kill -9 of allocators, instances and ingest at random moments: players are told, and the books balance")
    func anyMoment() async throws {
        let arguments = ["--allocator", "2", "--ranker", "1", "--verifier", "1", "--set", "allocator.regions=eu"]
        try await withMuster(arguments) { up in
            try await Rounds(up).play {
                var random = SplitMix64(seed: 6)
                for number in 1...Self.kills {
                    // Each after some more has happened, so that a slow machine gets the same amount.
                    let before = try await Self.ended(up)
                    let more = Int.random(in: 0...4, using: &random)
                    try await eventually(within: .seconds(180), "\(more) matches more have ended before kill \(number)")
                    {
                        try await Self.ended(up) >= before + more
                    }
                    let victim = Int.random(in: 0..<6, using: &random)
                    if victim < 2 {
                        // There may be none in this moment: then it is the next one's turn.
                        for pid in try up.instances().prefix(1) { kill(pid, SIGKILL) }
                    } else {
                        try await up.allAreBack()
                        let name = ["allocator-1", "allocator-2", "ingest-1", "ingest-2"][victim - 2]
                        let restarts = try up.killProcess(name)
                        // Else it would still count as running when its turn comes again.
                        try await eventually(within: .seconds(180), "the end of \(name) is noticed") {
                            let member = try up.state()?.processes.first { $0.name == name }
                            return (member?.restarts ?? 0) > restarts
                        }
                    }
                }
                try await up.allAreBack()
            }
            try await up.expectEveryoneIsTold()
        }
    }

    private static func ended(_ up: MusterUp) async throws -> Int {
        try await MatchRow.all(in: up.folder).values.filter { [.finished, .abandoned].contains($0.state) }.count
    }
}
