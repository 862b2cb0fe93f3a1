import Foundation
import Yams

/// Reads the mappings of a YAML file key by key and keeps what is wrong, so that one reading names every mistake: with
/// its line, key, value and remedy. Keys that nobody asked for are mistakes too.
final class YAMLFields {
    private let mapping: Node.Mapping
    /// The keys that lead here, each with a dot behind it.
    private let path: String
    private let line: Int
    private let mistakes: Mistakes
    private var asked: [String] = []

    /// What is wrong with a file, shared by the mappings in it.
    final class Mistakes {
        var lines: [(line: Int, text: String)] = []
    }

    private init(_ mapping: Node.Mapping, path: String, line: Int, mistakes: Mistakes) {
        self.mapping = mapping
        self.path = path
        self.line = line
        self.mistakes = mistakes
    }

    /// Reads a file by a closure that asks for what it knows.
    /// - Throws: ``SimulationError`` with each mistake, by line.
    static func read(_ text: String, named file: String, _ ask: (YAMLFields) -> Void) throws(SimulationError) {
        let node: Node?
        do {
            node = try Yams.compose(yaml: text)
        } catch {
            throw SimulationError(["\(file): not YAML: \(error)"])
        }
        guard let node else { return }
        guard case .mapping(let mapping) = node else {
            throw SimulationError(["\(file):1: want keys with values, such as 'players: 20000'"])
        }
        let mistakes = Mistakes()
        let fields = YAMLFields(mapping, path: "", line: 1, mistakes: mistakes)
        ask(fields)
        fields.refuseOthers()
        guard mistakes.lines.isEmpty else {
            let ordered = mistakes.lines.enumerated().sorted {
                ($0.element.line, $0.offset) < ($1.element.line, $1.offset)
            }
            throw SimulationError(ordered.map { "\(file):\($0.element.line): \($0.element.text)" })
        }
    }

    // MARK: Asking

    func number(_ key: String, in range: ClosedRange<Double>, _ take: (Double) -> Void) {
        guard let node = node(key), let value = number(of: node, key, in: range) else { return }
        take(value)
    }

    func whole(_ key: String, in range: ClosedRange<Int>, _ take: (Int) -> Void) {
        guard let node = node(key) else { return }
        guard let value = node.int, range.contains(value) else {
            return refuse(node, key, "want a whole number from \(range.lowerBound) to \(range.upperBound)")
        }
        take(value)
    }

    func numbers(_ key: String, count: Int, in range: ClosedRange<Double>, _ take: ([Double]) -> Void) {
        guard let node = node(key) else { return }
        guard case .sequence(let items) = node, items.count == count else {
            return refuse(node, key, "want a list of \(count) numbers")
        }
        let values = items.compactMap { number(of: $0, key, in: range) }
        guard values.count == count else { return }
        guard values.contains(where: { $0 > 0 }) else { return refuse(node, key, "want one above 0 at least") }
        take(values)
    }

    /// A mapping of names to numbers, by name.
    func named(_ key: String, in range: ClosedRange<Double>, _ take: ([(name: String, value: Double)]) -> Void) {
        guard let inner = mapping(key) else { return }
        var pairs: [(name: String, value: Double)] = []
        for name in inner.names { inner.number(name, in: range) { pairs.append((name, $0)) } }
        guard pairs.count == inner.names.count else { return }
        take(pairs.sorted { $0.name < $1.name })
    }

    /// A mapping within this one, asked by a closure.
    func inside(_ key: String, _ ask: (YAMLFields) -> Void) {
        guard let inner = mapping(key) else { return }
        ask(inner)
        inner.refuseOthers()
    }

    /// A list of mappings, or one mapping in place of a list of one.
    func each(_ key: String, _ ask: (YAMLFields) -> Void) {
        guard let node = node(key) else { return }
        var items = [node]
        if case .sequence(let list) = node { items = Array(list) }
        for item in items {
            guard case .mapping(let mapping) = item else { return refuse(item, key, "want a list of keys with values") }
            let fields = YAMLFields(
                mapping, path: "\(path)\(key).", line: Self.line(of: item, self.line), mistakes: mistakes)
            ask(fields)
            fields.refuseOthers()
        }
    }

    /// The keys that are there, in the file's order.
    var names: [String] { mapping.compactMap { $0.key.string } }

    func has(_ key: String) -> Bool { mapping[Node(key)] != nil }

    /// Notes a mistake about a key that is there, or about this mapping.
    func refuse(_ key: String, _ remedy: String) {
        if let node = mapping[Node(key)] { return refuse(node, key, remedy) }
        mistakes.lines.append((line, "\(path)\(key): \(remedy)"))
    }

    // MARK: Reading

    private func node(_ key: String) -> Node? {
        asked.append(key)
        return mapping[Node(key)]
    }

    private func mapping(_ key: String) -> YAMLFields? {
        guard let node = node(key) else { return nil }
        guard case .mapping(let inner) = node else {
            refuse(node, key, "want keys with values below it")
            return nil
        }
        return YAMLFields(inner, path: "\(path)\(key).", line: Self.line(of: node, line), mistakes: mistakes)
    }

    private func number(of node: Node, _ key: String, in range: ClosedRange<Double>) -> Double? {
        if let value = node.float, range.contains(value) { return value }
        refuse(node, key, "want a number from \(Self.text(range.lowerBound)) to \(Self.text(range.upperBound))")
        return nil
    }

    private func refuse(_ node: Node, _ key: String, _ remedy: String) {
        let value: String
        switch node {
        case .scalar(let scalar): value = "'\(scalar.string.prefix(40))'"
        case .sequence(let items): value = "a list of \(items.count)"
        default: value = "keys with values"
        }
        mistakes.lines.append((Self.line(of: node, line), "\(path)\(key) is \(value): \(remedy)"))
    }

    private func refuseOthers() {
        for (key, _) in mapping where !asked.contains(key.string ?? "") {
            let name = key.string ?? "?"
            let near = asked.map { ($0, Self.distance(name, $0)) }.filter { $0.1 <= 3 }.min { $0.1 < $1.1 }
            let remedy =
                near.map { "did you mean '\($0.0)'?" } ?? "known are \(Set(asked).sorted().joined(separator: ", "))"
            mistakes.lines.append((Self.line(of: key, line), "\(path)\(name) is not a key here: \(remedy)"))
        }
    }

    private static func line(of node: Node, _ other: Int) -> Int { node.mark?.line ?? other }

    static func text(_ value: Double) -> String {
        value == value.rounded() && abs(value) < 1e15 ? String(Int(value)) : String(value)
    }

    /// Levenshtein's: how many letters to add, drop or change.
    static func distance(_ left: String, _ right: String) -> Int {
        var row = Array(0...right.count)
        for (i, a) in left.enumerated() {
            var before = row[0]
            row[0] = i + 1
            for (j, b) in right.enumerated() {
                let next = min(row[j] + 1, row[j + 1] + 1, before + (a == b ? 0 : 1))
                before = row[j + 1]
                row[j + 1] = next
            }
        }
        return row[right.count]
    }
}
