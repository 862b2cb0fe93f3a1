import GameModel

/// How a ticket, or the tickets of a match together, stand to one attribute rule.
///
/// | kind | `bits` | `low`, `high` |
/// |---|---|---|
/// | `equal` | hash of the value, 0 where there is none or they differ | |
/// | `one-of` | a bit for each value that all have | |
/// | `distance` | | least and greatest, not a number where one has none |
/// | `average-difference` | | `low`: the sum, not a number where one has none |
struct CompiledAttribute: Sendable, Hashable {
    /// Stands for any value: what nobody says anything about.
    static let anyValue = UInt64.max

    var bits: UInt64 = 0
    var low = 0.0
    var high = 0.0

    init() {}

    /// - Parameters:
    ///   - isBackfill: Players of a running match without the attribute are passed over: they play already.
    init(_ rule: AttributeRule, of players: [TicketMember], isBackfill: Bool, values: inout OneOfValues) {
        var held = players.map { rule.value(of: $0) }
        if isBackfill { held.removeAll { $0 == nil } }
        switch rule.kind {
        case .equal:
            let hashes = Set(held.map { $0.map(\.stableHash) ?? 0 })
            bits = hashes.isEmpty ? Self.anyValue : hashes.count == 1 ? hashes.first ?? 0 : 0
        case .oneOf:
            var common: Set<String>?
            for value in held {
                let texts = Set(value?.texts ?? [])
                common = common?.intersection(texts) ?? texts
            }
            bits = common.map { values.bits(of: $0) } ?? Self.anyValue
        case .distance:
            let numbers = held.map { $0?.number ?? .nan }
            let isWhole = numbers.allSatisfy { !$0.isNaN }
            low = isWhole ? numbers.min() ?? .infinity : .nan
            high = isWhole ? numbers.max() ?? -.infinity : .nan
        case .averageDifference:
            low = held.reduce(0) { $0 + ($1?.number ?? .nan) }
        }
    }

    /// Whether the two may be in one match, by a limit as in ``Limits/attributeMax``. Average differences are judged by
    /// the division into teams; here, only whether there are numbers.
    func agrees(with other: Self, _ kind: AttributeRule.Kind, max limit: Double) -> Bool {
        if limit == .infinity { return true }
        switch kind {
        case .equal:
            guard bits != 0, other.bits != 0 else { return false }
            return bits == other.bits || bits == Self.anyValue || other.bits == Self.anyValue
        case .oneOf: return bits & other.bits != 0
        // A comparison with what is not a number is false.
        case .distance: return max(high, other.high) - min(low, other.low) <= limit && !low.isNaN && !other.low.isNaN
        case .averageDifference: return !low.isNaN && !other.low.isNaN
        }
    }

    /// The two together.
    func joined(with other: Self, _ kind: AttributeRule.Kind) -> Self {
        var result = self
        switch kind {
        case .equal: result.bits = bits == Self.anyValue ? other.bits : bits
        case .oneOf: result.bits &= other.bits
        case .distance:
            result.low = min(low, other.low)
            result.high = max(high, other.high)
        case .averageDifference: break
        }
        return result
    }
}

/// The bits that stand for the values of one `one-of` attribute, given out while tickets hold them.
struct OneOfValues: Sendable {
    /// So many different values can be in use at once; a ticket is matched by those of its values that have a bit.
    static let countMax = 64

    private var bitOf: [String: Int] = [:]
    private var textOf = [String?](repeating: nil, count: countMax)
    private var uses = [Int](repeating: 0, count: countMax)

    /// The bits of values, each used once more. Values come in order, so that the same tickets get the same bits.
    mutating func bits(of values: Set<String>) -> UInt64 {
        var bits: UInt64 = 0
        for value in values.sorted() {
            guard let bit = bitOf[value] ?? uses.firstIndex(of: 0) else { continue }
            bitOf[value] = bit
            textOf[bit] = value
            uses[bit] += 1
            bits |= 1 << UInt64(bit)
        }
        return bits
    }

    /// Gives back what a ticket held.
    mutating func release(_ attribute: CompiledAttribute) {
        guard attribute.bits != CompiledAttribute.anyValue else { return }
        var bits = attribute.bits
        while bits != 0 {
            let bit = bits.trailingZeroBitCount
            bits &= bits - 1
            uses[bit] -= 1
            if uses[bit] == 0, let text = textOf[bit] {
                bitOf[text] = nil
                textOf[bit] = nil
            }
        }
    }
}

extension AttributeRule {
    /// What a player counts as.
    func value(of member: TicketMember) -> AttributeValue? { member.attributes[name] ?? fallback }
}

extension AttributeValue {
    var number: Double? {
        if case .number(let number) = self, number.isFinite { number } else { nil }
    }

    /// As a list of texts; a number is the list of its text.
    var texts: [String] {
        switch self {
        case .number, .text: [description]
        case .list(let list): list
        }
    }

    /// Never 0 or ``CompiledAttribute/anyValue``.
    var stableHash: UInt64 {
        let kind =
            switch self {
            case .number: "n"
            case .text: "t"
            case .list: "l"
            }
        return min(max(StableHash.of(kind + description), 1), CompiledAttribute.anyValue - 1)
    }
}
