/// What each field of the balance may hold: the one table that the reader, the JSON Schema, `muster balance set` and
/// the console's forms are made from.
public struct BalanceField: Sendable, Hashable {
    public enum Form: Sendable, Hashable {
        case integer(ClosedRange<Int>)
        /// So many visible characters at most, and one at least.
        case text(max: Int)
        case choice([String])
        /// The id of a thing of a list.
        case reference(to: BalanceList)
        case references(to: BalanceList, max: Int)
    }

    public let name: String
    /// What it means, with its unit.
    public let about: String
    public let form: Form
    /// What it is where it is left out; `nil`: it may not be.
    public let fallback: JSONValue?

    init(_ name: String, _ form: Form, _ about: String, fallback: JSONValue? = nil) {
        self.name = name
        self.about = about
        self.form = form
        self.fallback = fallback
    }

    /// What would be right, in words: `1 to 10000`.
    public var expectation: String {
        switch form {
        case .integer(let range): "a whole number of \(range.lowerBound) to \(range.upperBound)"
        case .text(let max): "1 to \(max) visible characters"
        case .choice(let choices): "one of \(choices.joined(separator: ", "))"
        case .reference(let list): "the id of one of the \(list.rawValue)"
        case .references(let list, let max): "a list of up to \(max) ids of \(list.rawValue), each once"
        }
    }
}

/// The lists of a ``BalanceDocument``.
public enum BalanceList: String, Sendable, Hashable, CaseIterable {
    case characters, weapons, items, modes

    /// One of it: `character`.
    public var singular: String { String(rawValue.dropLast()) }

    public var about: String {
        switch self {
        case .characters: "Who players play."
        case .weapons: "What characters strike with."
        case .items: "What characters can carry."
        case .modes: "How a match of a mode is played and won; by the mode's name in the rules of matchmaking."
        }
    }

    /// All fields but `id`, in the order in which people read them.
    public var fields: [BalanceField] {
        switch self {
        case .characters: BalanceFields.character
        case .weapons: BalanceFields.weapon
        case .items: BalanceFields.item
        case .modes: BalanceFields.mode
        }
    }
}

public enum BalanceFields {
    /// Ids are parts of paths and addresses.
    public static let idBytesMax = 32
    public static let idAbout = "1 to 32 of a-z, 0-9 and '-'"
    static let idPattern = "^[a-z0-9-]{1,32}$"
    /// The most things of one list.
    public static let thingsMax = 500
    public static let nameMax = 80

    static func isID(_ text: String) -> Bool {
        (1...idBytesMax).contains(text.utf8.count)
            && text.utf8.allSatisfy { byte in
                (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte)
                    || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) || byte == UInt8(ascii: "-")
            }
    }

    private static let name = BalanceField("name", .text(max: nameMax), "What players read.")

    static let character = [
        name,
        BalanceField("health", .integer(1...10_000), "Hit points at the start of a match."),
        BalanceField("damage", .integer(0...1_000), "Hit points added to each hit of its weapon."),
        BalanceField("weapon", .reference(to: .weapons), "The id of its weapon."),
    ]

    static let weapon = [
        name,
        BalanceField("damage", .integer(1...10_000), "Hit points of one hit."),
        BalanceField("cooldownMs", .integer(100...60_000), "The least time between two hits, in ms."),
    ]

    static let item = [
        name,
        BalanceField(
            "health", .integer(-10_000...10_000), "Hit points added to its bearer at the start.",
            fallback: .integer(0)),
        BalanceField(
            "damage", .integer(-1_000...1_000), "Hit points added to each hit of its bearer.", fallback: .integer(0)),
        BalanceField(
            "cooldownPercent", .integer(-90...500), "How much longer its bearer's cooldown is, in percent.",
            fallback: .integer(0)),
        BalanceField(
            "characters", .references(to: .characters, max: 100), "Who may carry it, by id; empty: everyone.",
            fallback: .array([])),
    ]

    static let mode = [
        name,
        BalanceField(
            "durationSeconds", .integer(10...7_200), "The fight's time in seconds, after which the score decides."),
        BalanceField(
            "score", .choice(BalanceDocument.Score.allCases.map(\.rawValue)),
            "What counts: the health left, kills, or damage dealt."),
        BalanceField(
            "scoreToWin", .integer(0...1_000_000), "The score that ends the match at once; 0: only the time does.",
            fallback: .integer(0)),
        BalanceField(
            "respawnSeconds", .integer(0...600), "After how long the fallen fight again; 0: not in this match.",
            fallback: .integer(0)),
        BalanceField("itemSlots", .integer(0...12), "How many items each player may carry.", fallback: .integer(0)),
    ]
}
