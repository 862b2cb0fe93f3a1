import Foundation
import GameModel

/// A batch of one shard's entries, read and ready to be stored: nothing is left to do for who holds the file but to
/// bind and step.
struct EventBatch: Sendable {
    struct Row: Sendable {
        let number: Int64
        let event: PackedEvent
        let flag: EventFlag
    }

    struct Finished: Sendable {
        /// Which of the rows tells it.
        let row: Int
        let match: MatchID
        let player: PlayerID
        let how: FinishedPlayer
    }

    struct Poison: Sendable {
        let entry: EventEntry
        let reason: String
    }

    var rows: [Row] = []
    var finished: [Finished] = []
    var poison: [Poison] = []

    /// Reads entries. What can't be read goes to the quarantine, so that one poison entry never holds up those behind.
    init(_ entries: some Collection<EventEntry>, kinds: EventKinds) {
        rows.reserveCapacity(entries.count)
        for entry in entries {
            do throws(EventEntry.Undecodable) {
                let event = try entry.packed()
                guard let number = entry.id.row else { throw .init(description: "the id has no row: \(entry.id)") }
                add(event, number, kinds)
            } catch {
                poison.append(Poison(entry: entry, reason: error.description))
            }
        }
    }

    private mutating func add(_ event: PackedEvent, _ number: Int64, _ kinds: EventKinds) {
        var flag = kinds.flag(of: event)
        if flag == .known, Self.isFinish(event) {
            if let finished = Self.finished(event, row: rows.count, kinds) {
                self.finished.append(finished)
            } else {
                flag = .malformed
            }
        }
        rows.append(Row(number: number, event: event, flag: flag))
    }

    private static let finishBytes = Array(FinishedPlayer.kind.utf8)

    private static func isFinish(_ event: PackedEvent) -> Bool {
        event.kindEnd == finishBytes.count && event.bytes[..<event.kindEnd].elementsEqual(finishBytes)
    }

    /// `nil` where the data is not what the kind says, a number is beyond all bounds, or nobody is named.
    private static func finished(_ event: PackedEvent, row: Int, _ kinds: EventKinds) -> Finished? {
        let event = event.event
        guard let match = event.matchId, let player = event.playerId else { return nil }
        do {
            var json = Data(event.json.utf8)
            if !kinds.isToday(event.version, of: event.kind) {
                let data = try JSONDecoder().decode([String: JSONValue].self, from: json)
                json = try JSONEncoder().encode(kinds.upToDate(event.kind, version: event.version, data).data)
            }
            let how = try JSONDecoder().decode(FinishedPlayer.self, from: json)
            guard how.isWithinBounds else { return nil }
            return Finished(row: row, match: match, player: player, how: how)
        } catch {
            // The row says so by its flag.
            return nil
        }
    }
}
