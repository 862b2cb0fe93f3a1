import Foundation
import GameModel

/// A batch of one shard's entries, read and ready to be stored: nothing is left to do for who holds the file but to
/// bind and step.
struct EventBatch: Sendable {
    struct Entry: Sendable {
        /// The bytes in which its rows lie.
        let bytes: [UInt8]
        /// Which rows and which poison are its.
        var rows: Range<Int>
        var poison: Range<Int>
    }

    struct Row: Sendable {
        let number: Int64
        let event: PackedEvent
        let flag: EventFlag
    }

    struct Finished: Sendable {
        /// Which of the rows tells it.
        let row: Int
        let match: String
        let player: String
        let how: FinishedPlayer
    }

    struct Poison: Sendable {
        let id: EventID
        let reason: String
        /// What it was, as readable text.
        let fields: String
    }

    private(set) var entries: [Entry] = []
    private(set) var rows: [Row] = []
    var finished: [Finished] = []
    private(set) var poison: [Poison] = []
    private let kinds: EventKinds

    init(kinds: EventKinds) { self.kinds = kinds }

    init(_ entries: some Collection<EventEntry>, kinds: EventKinds) {
        self.init(kinds: kinds)
        for entry in entries { add(entry) }
    }

    /// How many events it holds, those that can't be read among them.
    var count: Int { rows.count + poison.count }

    /// Reads an entry. What of it can't be read goes to the quarantine by itself, so that it never holds up the events
    /// beside it and behind it.
    mutating func add(_ entry: EventEntry) {
        let (firstRow, firstPoison) = (rows.count, poison.count)
        var bytes: [UInt8] = []
        do throws(EventEntry.Undecodable) {
            bytes = try entry.lines()
            guard let first = entry.id.firstRow else { throw .init(description: "the id has no row: \(entry.id)") }
            bytes.withUnsafeBufferPointer { add($0, of: entry, first) }
        } catch {
            poison.append(Poison(id: EventID(entry.id), reason: error.description, fields: entry.text))
        }
        entries.append(
            Entry(bytes: bytes, rows: firstRow..<rows.count, poison: firstPoison..<poison.count))
    }

    private mutating func add(_ bytes: UnsafeBufferPointer<UInt8>, of entry: EventEntry, _ first: Int64) {
        PackedEvent.forEachLine(of: bytes) { place, line, event in
            switch event {
            case _ where place > EventID.placesMax: return
            case _ where place == EventID.placesMax:
                // All that has no place is one: its text is told once and whole.
                let rest = line.lowerBound..<bytes.count
                let reason = "more than \(EventID.placesMax) events in an entry"
                poison.append(Poison(id: EventID(entry.id, place: place), reason: reason, fields: text(bytes, rest)))
            case .success(let event): add(event, in: bytes, first | Int64(place))
            case .failure(let error):
                // An entry of one event is told as it came, whatever its form.
                let isWhole = line == 0..<bytes.count
                poison.append(
                    Poison(
                        id: EventID(entry.id, place: place), reason: error.description,
                        fields: isWhole ? entry.text : text(bytes, line)))
            }
        }
    }

    private func text(_ bytes: UnsafeBufferPointer<UInt8>, _ range: Range<Int>) -> String {
        "\(EventEntry.formName)=\(String(decoding: bytes[range], as: UTF8.self))"
    }

    private mutating func add(_ event: PackedEvent, in bytes: UnsafeBufferPointer<UInt8>, _ number: Int64) {
        var flag = kinds.flag(of: event, in: bytes)
        if flag == .known, Self.isFinish(event, bytes) {
            if let finished = finished(event, bytes) {
                self.finished.append(finished)
            } else {
                flag = .malformed
            }
        }
        rows.append(Row(number: number, event: event, flag: flag))
    }

    private static let finishBytes = Array(FinishedPlayer.kind.utf8)

    private static func isFinish(_ event: PackedEvent, _ bytes: UnsafeBufferPointer<UInt8>) -> Bool {
        event.kind.count == finishBytes.count && bytes[event.kind].elementsEqual(finishBytes)
    }

    /// `nil` where the data is not what the kind says, a number is beyond all bounds, or nobody is named.
    private func finished(_ event: PackedEvent, _ bytes: UnsafeBufferPointer<UInt8>) -> Finished? {
        guard !event.match.isEmpty, !event.player.isEmpty else { return nil }
        do {
            let how: FinishedPlayer
            let isToday = kinds.isToday(Int(event.version), of: FinishedPlayer.kind)
            if isToday, let plain = FinishedPlayer(plain: UnsafeBufferPointer(rebasing: bytes[event.json])) {
                how = plain
            } else {
                var json = Data(bytes[event.json])
                if !isToday {
                    let data = try JSONDecoder().decode([String: JSONValue].self, from: json)
                    let upToDate = kinds.upToDate(FinishedPlayer.kind, version: Int(event.version), data).data
                    json = try JSONEncoder().encode(upToDate)
                }
                how = try JSONDecoder().decode(FinishedPlayer.self, from: json)
            }
            guard how.isWithinBounds else { return nil }
            return Finished(
                row: rows.count, match: String(decoding: bytes[event.match], as: UTF8.self),
                player: String(decoding: bytes[event.player], as: UTF8.self), how: how)
        } catch {
            // The row says so by its flag.
            return nil
        }
    }
}
