import Foundation
import GameData

/// Finds the number in a body that is no whole number where one is wanted.
///
/// Foundation reports such a number (`0.5`, `1e99`) in the same words as a body that is no JSON at all, and without its
/// path. So each candidate is tried alone: with all others replaced by 0, does the body still not decode?
///
/// An error may not cost much more than the request would have: few candidates are tried, paths are made for these
/// alone, and nothing is looked for under keys longer than any field's.
enum UnfitNumber {
    /// More candidates are not tried.
    static let candidatesMax = 16
    static let keyBytesMax = 200

    /// The path of the first unfit number in the order of the keys; `nil` where the bytes are no JSON, or it is not
    /// found.
    ///
    /// - Parameter fails: whether a body does not decode for the reason that is looked into.
    static func path(in bytes: Data, fails: (Data) -> Bool) -> String? {
        let value: JSONValue
        do {
            value = try JSONDecoder().decode(JSONValue.self, from: bytes)
        } catch {
            return nil  // It is no JSON.
        }
        return paths(of: value).enumerated().first { ordinal, _ in
            var zeroing = Zeroing(kept: ordinal)
            do {
                return fails(try JSONEncoder().encode(zeroing.zeroed(value)))
            } catch {
                return false
            }
        }?.element
    }

    /// The paths of the first candidates, in the order of the keys.
    static func paths(of value: JSONValue) -> [String] {
        var search = Search()
        search.collect(value)
        return search.paths
    }

    private struct Search {
        var paths: [String] = []
        /// `.name` and `[7]`, from the body down to where the search is.
        private var steps: [String] = []

        mutating func collect(_ value: JSONValue) {
            guard paths.count < candidatesMax else { return }
            switch value {
            case .number:
                let path = steps.joined()
                paths.append(path.hasPrefix(".") ? String(path.dropFirst()) : path)
            case .array(let items):
                for (index, item) in items.enumerated() { collect(item, under: "[\(index)]") }
            case .object(let members):
                for key in keys(of: members) { members[key].map { collect($0, under: ".\(key)") } }
            case .null, .bool, .integer, .string: return
            }
        }

        private mutating func collect(_ value: JSONValue, under step: String) {
            steps.append(step)
            collect(value)
            steps.removeLast()
        }
    }

    /// Replaces all numbers by 0 but one, which is told by its place in the order in which ``Search`` comes by.
    private struct Zeroing {
        let kept: Int
        private var passed = 0

        init(kept: Int) { self.kept = kept }

        mutating func zeroed(_ value: JSONValue) -> JSONValue {
            switch value {
            case .number:
                passed += 1
                return passed == kept + 1 ? value : .integer(0)
            case .array(let items): return .array(items.map { zeroed($0) })
            case .object(let members):
                // What is left out has no field's name.
                var kept: [String: JSONValue] = [:]
                for key in keys(of: members) { kept[key] = members[key].map { zeroed($0) } }
                return .object(kept)
            case .null, .bool, .integer, .string: return value
            }
        }
    }

    private static func keys(of members: [String: JSONValue]) -> [String] {
        members.keys.filter { $0.utf8.count <= keyBytesMax }.sorted()
    }
}
