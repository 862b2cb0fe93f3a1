/// One key of the rules file: what it is called, what may stand there, what it means, and where in the rules it goes.
struct RulesKey<Target: Sendable>: Sendable {
    let name: String
    let form: RulesForm
    /// One sentence for designers; also in the JSON Schema.
    let about: String
    var isRequired = false
    /// `nil` where the rules say nothing of it.
    let read: @Sendable (Target) -> RulesValue?
    /// Values of another form are left out; the reader has refused them before.
    let write: @Sendable (inout Target, RulesValue) -> Void

    var required: Self {
        var key = self
        key.isRequired = true
        return key
    }
}

/// Keys of a mode that belong together: `rating: {window: 100, …}`.
struct RulesGroup: Sendable {
    let name: String
    let about: String
    let keys: [RulesKey<ModeRules>]
}

extension RulesKey {
    static func number(
        _ name: String, _ path: any WritableKeyPath<Target, Double> & Sendable, _ range: ClosedRange<Double>,
        _ unit: String, _ about: String
    ) -> Self {
        Self(name: name, form: .number(range, unit: unit), about: about) {
            .number($0[keyPath: path])
        } write: {
            if case .number(let number) = $1 { $0[keyPath: path] = number }
        }
    }

    static func number(
        _ name: String, maybe path: any WritableKeyPath<Target, Double?> & Sendable, _ range: ClosedRange<Double>,
        _ unit: String, _ about: String
    ) -> Self {
        Self(name: name, form: .number(range, unit: unit), about: about) {
            $0[keyPath: path].map { .number($0) }
        } write: {
            if case .number(let number) = $1 { $0[keyPath: path] = number }
        }
    }

    static func integer(
        _ name: String, _ path: any WritableKeyPath<Target, Int> & Sendable, _ range: ClosedRange<Int>, _ about: String
    ) -> Self {
        Self(name: name, form: .integer(range), about: about) {
            .number(Double($0[keyPath: path]))
        } write: {
            if case .number(let number) = $1 { $0[keyPath: path] = Int(number) }
        }
    }

    static func integer(
        _ name: String, maybe path: any WritableKeyPath<Target, Int?> & Sendable, _ range: ClosedRange<Int>,
        _ about: String
    ) -> Self {
        Self(name: name, form: .integer(range), about: about) {
            $0[keyPath: path].map { .number(Double($0)) }
        } write: {
            if case .number(let number) = $1 { $0[keyPath: path] = Int(number) }
        }
    }

    static func flag(_ name: String, _ path: any WritableKeyPath<Target, Bool> & Sendable, _ about: String) -> Self {
        Self(name: name, form: .flag, about: about) {
            .flag($0[keyPath: path])
        } write: {
            if case .flag(let flag) = $1 { $0[keyPath: path] = flag }
        }
    }

    static func flag(
        _ name: String, maybe path: any WritableKeyPath<Target, Bool?> & Sendable, _ about: String
    ) -> Self {
        Self(name: name, form: .flag, about: about) {
            $0[keyPath: path].map { .flag($0) }
        } write: {
            if case .flag(let flag) = $1 { $0[keyPath: path] = flag }
        }
    }

    static func choice<Choice: RawRepresentable & CaseIterable & SendableMetatype>(
        _ name: String, _ path: any WritableKeyPath<Target, Choice> & Sendable, _ about: String
    ) -> Self where Choice.RawValue == String {
        Self(name: name, form: .choice(Choice.allCases.map(\.rawValue)), about: about) {
            .text($0[keyPath: path].rawValue)
        } write: {
            if case .text(let text) = $1, let choice = Choice(rawValue: text) { $0[keyPath: path] = choice }
        }
    }

    static func name(_ name: String, _ path: any WritableKeyPath<Target, String> & Sendable, _ about: String) -> Self {
        Self(name: name, form: .name, about: about) {
            .text($0[keyPath: path])
        } write: {
            if case .text(let text) = $1 { $0[keyPath: path] = text }
        }
    }
}
