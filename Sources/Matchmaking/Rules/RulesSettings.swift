import GameModel

/// One value of the rules by its key, as the file would say it; defaults too.
public struct RulesSetting: Sendable, Hashable {
    /// `modes.squad.rating.window`; elements of lists by their name or time: `modes.squad.roles.tank.count`,
    /// `modes.squad.expansions.30.window`.
    public let key: String
    public let value: String
}

extension MatchmakingRules {
    /// Everything that the rules say, in the order of the file, modes by name. Two rules are the same where this is.
    public var settings: [RulesSetting] {
        [RulesSetting(key: "regions", value: regions.map(\.rawValue).joined(separator: ", "))]
            + modes.sorted { $0.key < $1.key }.flatMap { mode, rules in
                rules.settings.map { RulesSetting(key: "modes.\(mode).\($0.key)", value: $0.value) }
            }
    }

    /// Names what the rules say: 12 hexadecimal digits of the 64-bit FNV-1a digest of ``settings``. The same file with
    /// other comments, or another order, has the same.
    var digest: String {
        var hash: UInt64 = 0xcbf2_9ce4_8422_2325
        for byte in settings.map({ "\($0.key)=\($0.value)\n" }).joined().utf8 {
            hash = (hash ^ UInt64(byte)) &* 0x100_0000_01b3
        }
        let digits = String(hash, radix: 16)
        return String((String(repeating: "0", count: 16 - digits.count) + digits).prefix(12))
    }
}

extension ModeRules {
    /// Without the mode's name.
    public var settings: [RulesSetting] {
        RulesKeys.groups.flatMap { Self.settings(of: self, $0.keys, at: $0.name) }
            + roles.flatMap { Self.settings(of: $0, RulesKeys.role, at: "roles.\($0.name)", but: "name") }
            + attributes.flatMap {
                Self.settings(of: $0, RulesKeys.attribute, at: "attributes.\($0.name)", but: "name")
            }
            + expansions.flatMap {
                Self.settings(
                    of: $0, RulesKeys.expansion, at: "expansions.\(RulesText.number($0.after))", but: "after")
            }
    }

    private static func settings<Target>(
        of target: Target, _ keys: [RulesKey<Target>], at path: String, but left: String = ""
    ) -> [RulesSetting] {
        keys.compactMap { key in
            guard key.name != left, let value = key.read(target) else { return nil }
            return RulesSetting(key: "\(path).\(key.name)", value: RulesText.value(value))
        }
    }
}

/// One difference between two rules.
public struct RulesChange: Sendable, Hashable, CustomStringConvertible {
    public let key: String
    /// `nil` where the key is new.
    public let before: String?
    /// `nil` where it is gone.
    public let after: String?

    public var description: String {
        switch (before, after) {
        case (let before?, let after?): "\(key): \(before) → \(after)"
        case (nil, let after?): "\(key): new, \(after)"
        case (let before?, nil): "\(key): gone, was \(before)"
        case (nil, nil): key
        }
    }
}

extension MatchmakingRules {
    /// What changes from these rules to others. A mode that comes or goes is one change.
    public func changes(to other: MatchmakingRules) -> [RulesChange] {
        var changes: [RulesChange] = []
        for mode in Set(modes.keys).union(other.modes.keys).sorted() {
            let shape = { (rules: ModeRules) in "\(rules.teams) teams of \(rules.teamSize)" }
            switch (modes[mode], other.modes[mode]) {
            case (let before?, nil): changes.append(.init(key: "modes.\(mode)", before: shape(before), after: nil))
            case (nil, let after?): changes.append(.init(key: "modes.\(mode)", before: nil, after: shape(after)))
            default: break
            }
        }
        let coming = Set(changes.map { "\($0.key)." })
        func kept(_ settings: [RulesSetting]) -> [RulesSetting] {
            settings.filter { setting in !coming.contains { setting.key.hasPrefix($0) } }
        }
        let before = Dictionary(kept(settings).map { ($0.key, $0.value) }) { $1 }
        let after = Dictionary(kept(other.settings).map { ($0.key, $0.value) }) { $1 }
        for key in Set(before.keys).union(after.keys).sorted() where before[key] != after[key] {
            changes.append(.init(key: key, before: before[key], after: after[key]))
        }
        return changes
    }
}
