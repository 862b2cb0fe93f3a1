import Foundation

/// Whether an event's data is understood.
public enum EventFlag: Int, Sendable, Hashable, Codable, CaseIterable {
    /// A known kind, of a version that is known.
    case known = 0
    /// Nobody here knows the kind: it is kept as it came.
    case unknownKind = 1
    /// The kind is known, its version is newer than this program: it is kept as it came.
    case newerVersion = 2
    /// The kind and version are known, and the data is not what they say: it is kept, and counts in no total.
    case malformed = 3
}

/// The kinds of events that this program knows, and how data of their older versions is read.
///
/// A kind's version is raised when what its data says changes; a field that is only added needs no new version. What is
/// stored is never rewritten: data of an older version is brought up, one version at a time, when it is read.
public struct EventKinds: Sendable {
    /// Brings data of one version to the next.
    public typealias Upcast = @Sendable ([String: JSONValue]) -> [String: JSONValue]

    public struct Kind: Sendable {
        public var name: String
        /// The way up from each older version: the first entry leads from version 1 to 2.
        public var upcasts: [Upcast]

        public init(_ name: String, upcasts: [Upcast] = []) {
            self.name = name
            self.upcasts = upcasts
        }

        /// The version that is written today.
        public var version: Int { upcasts.count + 1 }
    }

    public let kinds: [Kind]
    /// Names as bytes, compared without making a string of each event's.
    private let names: [(bytes: [UInt8], version: Int64)]

    public init(_ kinds: [Kind]) {
        self.kinds = kinds
        names = kinds.map { (Array($0.name.utf8), Int64($0.version)) }
    }

    /// What the reference game and the API tell.
    public static let known = EventKinds([
        Kind("hit"), Kind("kill"), Kind("player_entered"), Kind("player_left"), Kind("match_started"),
        Kind("match_finished"), Kind("backfill_requested"), Kind(FinishedPlayer.kind),
    ])

    /// Data as today's version of the kind has it; unchanged where the kind is unknown or the version newer.
    /// - Returns: the version that the data is of, and the data.
    public func upToDate(
        _ kind: String, version: Int, _ data: [String: JSONValue]
    ) -> (version: Int, data: [String: JSONValue]) {
        guard let known = kinds.first(where: { $0.name == kind }), (1..<known.version).contains(version) else {
            return (version, data)
        }
        var data = data
        for upcast in known.upcasts[(version - 1)...] { data = upcast(data) }
        return (known.version, data)
    }

    /// Whether data of this version is as today's programs write it.
    func isToday(_ version: Int, of kind: String) -> Bool {
        kinds.contains { $0.name == kind && $0.version == version }
    }

    func flag(of event: PackedEvent, in bytes: UnsafeBufferPointer<UInt8>) -> EventFlag {
        let kind = bytes[event.kind]
        return names.withUnsafeBufferPointer { names in
            for index in names.indices where names[index].bytes.elementsEqual(kind) {
                return event.version <= names[index].version ? .known : .newerVersion
            }
            return .unknownKind
        }
    }

    /// The flag of an event whose kind is text.
    func flag(of event: EncodedEvent) -> EventFlag {
        guard let known = kinds.first(where: { $0.name == event.kind }) else { return .unknownKind }
        return event.version <= known.version ? .known : .newerVersion
    }
}
