import ArgumentParser
import Foundation
import GameData
import GameModel
import Redis

/// `muster events lag`.
struct EventsLagCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "lag",
        abstract: "Show what waits in each event stream, and what was lost of it.",
        discussion: """
            Streams hold entries, of one event or up to hundreds each. Every entry that was ever added waits, is \
            stored, or is lost. Lost are those that the stream's cap dropped before they were stored ("trimmed") and \
            those that Redis lost ("wiped"). "rewound" are entries that a Redis took back which began again from an \
            older copy of itself; some of them were stored by then. Each is at least so many.

            "events" are those that the stored entries held. How many the lost ones held is not known: "events lost" \
            is about so many, if they held as many each as the stored ones.

            Example:
              muster events lag
              muster events lag --json | jq '[.streams[].trimmed] | add'
            """)

    @OptionGroup var shared: SharedOptions
    @Flag(help: "Print JSON.") var json = false

    private struct Line: Encodable {
        let shard: Int
        /// In the stream: not stored, or stored and not settled.
        let waiting: Int
        let unread: Int?
        let pel: Int
        let consumers: Int
        let oldestMs: Int?
        /// In this life of the stream.
        let added: Int
        let stored: Int?
        /// In the stored entries.
        let storedEvents: Int?
        let trimmed: Int?
        let wiped: Int?
        let rewound: Int?
        /// By the mean of the stored entries.
        let lostEventsAbout: Int?
    }

    private struct Output: Encodable { let streams: [Line] }

    func run() async throws {
        let folder = shared.dataFolder
        let accounts = try await RedisConnection.with(url: try shared.redisURL()) { redis in
            var accounts: [StreamAccount] = []
            for shard in 0..<GameDataKeys.shardCount {
                accounts.append(try await EventGroup(redis: redis, shard: shard, consumer: "lag").account())
            }
            return accounts
        }
        var losses: [EventLosses] = []
        if EventsCommand.hasEvents(folder) {
            losses = try await EventsCommand.with(folder) { events in
                var losses: [EventLosses] = []
                for account in accounts {
                    try await events.copyTotals(shard: account.shard)
                    losses.append(try await events.losses(of: account.shard, with: account))
                }
                return losses
            }
        } else {
            FileHandle.note("no events are stored in \(folder): what was lost is not known here")
        }
        let lines = accounts.map { account in Self.line(account, losses.first { $0.shard == account.shard }) }
        json ? try JobJSON.print(Output(streams: lines)) : print(Self.table(lines))
    }

    private static func line(_ account: StreamAccount, _ losses: EventLosses?) -> Line {
        Line(
            shard: account.shard, waiting: account.length, unread: account.lag, pel: account.pel,
            consumers: account.consumers, oldestMs: account.oldestMs.map { max(0, Int(Instant.now.milliseconds) - $0) },
            added: account.added, stored: losses?.stored, storedEvents: losses?.storedEvents,
            trimmed: losses?.trimmed, wiped: losses?.wiped, rewound: losses?.rewound,
            lostEventsAbout: losses?.lostEventsAbout)
    }

    private static func table(_ lines: [Line]) -> String {
        var table = TextTable(
            [
                "stream", "waiting", "oldest", "PEL", "consumers", "added", "stored", "events", "trimmed", "wiped",
                "rewound", "events lost",
            ], right: Set(1...11))
        func text(_ number: Int?) -> String { number.map { "\($0)" } ?? "?" }
        func about(_ number: Int?) -> String { number.map { $0 == 0 ? "0" : "about \($0)" } ?? "?" }
        for line in lines {
            table.add([
                "events:\(line.shard)", "\(line.waiting)", line.oldestMs.map { DepthTable.age($0) } ?? "-",
                "\(line.pel)", "\(line.consumers)", "\(line.added)", text(line.stored), text(line.storedEvents),
                text(line.trimmed), text(line.wiped), text(line.rewound), about(line.lostEventsAbout),
            ])
        }
        return table.text
    }
}
