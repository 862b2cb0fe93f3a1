import GameModel

/// A published version of the balance. Once published it never changes, so it may be cached for ever.
public struct Patch: Sendable, Hashable {
    public var patch: PatchVersion
    public var publishedAt: Instant
    /// A player's id, or `cli:user@host`; empty for what a house began with.
    public var publishedBy: String
    /// Why, in the words of whoever published it.
    public var note: String
    /// The patch whose content this one brought back; `nil` for any other.
    public var rolledBackTo: PatchVersion?
    public var document: BalanceDocument

    public typealias Character = BalanceDocument.Character
    public typealias Weapon = BalanceDocument.Weapon

    public init(
        patch: PatchVersion, publishedAt: Instant, publishedBy: String = "", note: String = "",
        rolledBackTo: PatchVersion? = nil, document: BalanceDocument
    ) {
        self.patch = patch
        self.publishedAt = publishedAt
        self.publishedBy = publishedBy
        self.note = note
        self.rolledBackTo = rolledBackTo
        self.document = document
    }

    public var characters: [Character] { document.characters }
    public var weapons: [Weapon] { document.weapons }
    public var items: [BalanceDocument.Item] { document.items }
    public var modes: [BalanceDocument.ModeData] { document.modes }

    public static let noteCharactersMax = 500
    public static let healthRange = 1...10_000
    public static let damageRange = 0...1_000
}

/// As games read it: the lists of the document beside the number. Who published it, and why, is not for them.
extension Patch: Codable {
    private enum CodingKeys: String, CodingKey { case patch, publishedAt }

    public init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        self.init(
            patch: try container.decode(PatchVersion.self, forKey: .patch),
            publishedAt: try container.decode(Instant.self, forKey: .publishedAt),
            document: try BalanceDocument(from: decoder))
    }

    public func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(patch, forKey: .patch)
        try container.encode(publishedAt, forKey: .publishedAt)
        try document.encode(to: encoder)
    }
}

/// A patch as a line of a list: without its document.
public struct PatchLine: Sendable, Hashable, Codable {
    public var patch: PatchVersion
    public var publishedAt: Instant
    public var publishedBy: String
    public var note: String
    public var rolledBackTo: PatchVersion?

    public init(_ patch: Patch) {
        self.patch = patch.patch
        publishedAt = patch.publishedAt
        publishedBy = patch.publishedBy
        note = patch.note
        rolledBackTo = patch.rolledBackTo
    }
}

/// What publishing, rolling back or an edit at once led to.
public struct BalanceEdit: Sendable, Hashable {
    /// The patch that is current now.
    public var patch: Patch
    /// Whether it was published by this; false where the balance was that already.
    public var isNew: Bool
}

/// The draft of the next patch. Where nobody has edited, it is what the current patch is.
public struct BalanceDraft: Sendable, Hashable {
    public var document: BalanceDocument
    /// The current patch, from which the draft differs by ``changes``.
    public var current: PatchVersion
    /// Who edited it last, and when; `nil` where nobody has since the last patch.
    public var editedBy: String?
    public var editedAt: Instant?
    /// What publishing it would change.
    public var changes: [BalanceChange]
    /// What keeps it from being published; empty where nothing does.
    public var faults: [BalanceFault]
}
