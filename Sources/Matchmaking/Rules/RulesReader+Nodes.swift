import Foundation
import GameModel
import Yams

/// A place in the file, from 1.
struct RulesMark: Sendable, Hashable {
    let line: Int
    let column: Int

    init(line: Int, column: Int) {
        self.line = line
        self.column = column
    }

    init(_ mark: Mark) { self.init(line: mark.line, column: mark.column) }
}

extension RulesReader {
    static func mark(_ node: Node) -> RulesMark? { node.mark.map { RulesMark($0) } }

    mutating func problem(_ key: String, _ what: String, _ remedy: String, at mark: RulesMark?) {
        var problem = RulesProblem(key: key, problem: what, remedy: remedy)
        problem.line = mark?.line
        problem.column = mark?.column
        problems.append(problem)
    }

    /// Notes a value that can't be used.
    mutating func refuse(_ key: String, _ what: String, _ remedy: String, at mark: RulesMark?) {
        problem(key, what, remedy, at: mark)
        failed.insert(key)
    }

    /// The document; a fault of its syntax is the only one then.
    mutating func compose(_ yaml: String) -> Node? {
        let remedy = "mend the YAML there"
        do {
            if let root = try Yams.compose(yaml: yaml) { return root }
            problem("", "the file is empty", "add modes, like modes: {duel: {teams: {size: 1}}}", at: nil)
        } catch YamlError.scanner(_, let what, let mark, _), YamlError.parser(_, let what, let mark, _),
            YamlError.composer(_, let what, let mark, _)
        {
            problem("", what, remedy, at: RulesMark(mark))
        } catch YamlError.duplicatedKeysInMapping(let names, let context) {
            problem(
                "", "'\(names.joined(separator: "', '"))' is there twice", "take one out", at: RulesMark(context.mark))
        } catch YamlError.reader(let what, let offset, _, let text) {
            let line = text.prefix(offset ?? 0).count { $0.isNewline } + 1
            problem("", what, remedy, at: RulesMark(line: line, column: 1))
        } catch {
            problem("", "\(error)", remedy, at: nil)
        }
        return nil
    }

    /// Gives each key of a mapping to the target, and tells what is missing, unknown or can't be read.
    mutating func fill<Target>(_ target: inout Target, _ keys: [RulesKey<Target>], from node: Node, at path: String) {
        let pairs = mapping(node, at: path, known: keys.map(\.name))
        guard !failed.contains(path) else { return }
        for key in keys {
            guard let node = pairs[key.name] else {
                if key.isRequired {
                    refuse("\(path).\(key.name)", "is missing", "give \(key.form.wanted)", at: Self.mark(node))
                }
                continue
            }
            guard let value = value(node, of: key.form, at: "\(path).\(key.name)") else { continue }
            key.write(&target, value)
        }
    }

    /// The values of a mapping by key; unknown ones are told.
    ///
    /// - Parameter open: what keys may begin with that are for the file itself, such as anchors.
    mutating func mapping(_ node: Node, at path: String, known: [String], open: String? = nil) -> [String: Node] {
        var pairs: [String: Node] = [:]
        for (name, value, mark) in entries(node, at: path) ?? [] {
            if known.contains(name) {
                pairs[name] = value
            } else if !(open.map { name.hasPrefix($0) } ?? false) {
                problem(path, "there is no key '\(name.prefix(40))'", Self.remedy(for: name, known: known), at: mark)
            }
        }
        return pairs
    }

    /// Keys, values and where the keys stand, with `<<` merged in; `nil` where it is no mapping.
    mutating func entries(_ node: Node, at path: String) -> [(String, Node, RulesMark?)]? {
        marks[path] = Self.mark(node)
        guard case .mapping(let mapping) = node else {
            let found = Self.words(for: node)
            refuse(
                path, "\(found) where keys are wanted", "write key: value below it, or take it out", at: Self.mark(node)
            )
            return nil
        }
        var entries: [(String, Node, RulesMark?)] = []
        var merged: [(String, Node, RulesMark?)] = []
        for (key, value) in mapping {
            guard case .scalar(let scalar) = key else {
                problem(path, "a key that is no text", "write it as a text", at: Self.mark(key))
                continue
            }
            if scalar.string == "<<", scalar.style == .plain {
                let sources = value.sequence.map(Array.init) ?? [value]
                for source in sources { merged += self.entries(source, at: path) ?? [] }
            } else {
                entries.append((scalar.string, value, Self.mark(key)))
            }
        }
        marks[path] = Self.mark(node)
        for item in merged where !entries.contains(where: { $0.0 == item.0 }) { entries.append(item) }
        return entries
    }

    mutating func list(_ node: Node, at path: String, like example: String) -> [Node]? {
        marks[path] = Self.mark(node)
        guard case .sequence(let sequence) = node else {
            refuse(
                path, "\(Self.words(for: node)) where a list is wanted", "write a list: \(example)", at: Self.mark(node)
            )
            return nil
        }
        return Array(sequence)
    }

    mutating func text(_ node: Node, at path: String, wanted: String) -> String? {
        marks[path] = Self.mark(node)
        guard case .text(let text) = Self.scalar(node) else {
            let remedy = Self.isWord(node) ? "put it in quotes" : "give \(wanted)"
            refuse(path, "\(Self.words(for: node)) where a text is wanted", remedy, at: Self.mark(node))
            return nil
        }
        return text
    }

    private mutating func value(_ node: Node, of form: RulesForm, at path: String) -> RulesValue? {
        marks[path] = Self.mark(node)
        let value: RulesValue?
        switch (form, Self.scalar(node)) {
        case (.number, .number(let number)), (.integer, .number(let number)): value = .number(number)
        case (.flag, .flag(let flag)): value = .flag(flag)
        case (.choice, .text(let text)), (.name, .text(let text)): value = .text(text)
        case (.attribute, .number(let number)): value = .attribute(.number(number))
        case (.attribute, .text(let text)): value = .attribute(.text(text))
        case (.attribute, _) where node.sequence != nil:
            guard let texts = texts(node, at: path) else { return nil }
            value = .attribute(.list(texts))
        case (.numbers, _) where node.mapping != nil:
            guard let numbers = numbers(node, at: path) else { return nil }
            value = .numbers(numbers)
        default: value = nil
        }
        guard let value else {
            let needsQuotes = Self.isWord(node) && (form == .name || form == .attribute)
            refuse(
                path, "\(Self.words(for: node)) does not fit here",
                needsQuotes ? "put it in quotes" : "give \(form.wanted)", at: Self.mark(node))
            return nil
        }
        if let fault = form.fault(of: value) {
            refuse(path, fault, "give \(Self.remedy(for: value, of: form))", at: Self.mark(node))
            return nil
        }
        return value
    }

    private mutating func texts(_ node: Node, at path: String) -> [String]? {
        var texts: [String] = []
        for (index, item) in (list(node, at: path, like: "[a, b]") ?? []).enumerated() {
            guard let text = text(item, at: "\(path)[\(index)]", wanted: "a text") else { return nil }
            texts.append(text)
        }
        return texts
    }

    private mutating func numbers(_ node: Node, at path: String) -> [String: Double]? {
        var numbers: [String: Double] = [:]
        for (name, value, _) in entries(node, at: path) ?? [] {
            marks["\(path).\(name)"] = Self.mark(value)
            guard case .number(let number) = Self.scalar(value) else {
                refuse(
                    "\(path).\(name)", "\(Self.words(for: value)) is no number", "give a number", at: Self.mark(value))
                return nil
            }
            numbers[name] = number
        }
        return numbers
    }
}
