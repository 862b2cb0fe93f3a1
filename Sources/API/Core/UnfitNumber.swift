import Foundation
import GameData

/// Finds the number in a body that is no whole number where one is wanted.
///
/// Foundation reports such a number (`0.5`, `1e99`) in the same words as a body that is no JSON at all, and without its
/// path. So each candidate is tried alone: with all others replaced by 0, does the body still not decode?
enum UnfitNumber {
    /// More candidates are not tried: an error may not cost more than the request would have.
    static let candidatesMax = 32

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
        var candidates: [String] = []
        collect(value, at: "", into: &candidates)
        return candidates.prefix(candidatesMax).first { path in
            do {
                return fails(try JSONEncoder().encode(zeroed(value, at: "", except: path)))
            } catch {
                return false
            }
        }
    }

    private static func collect(_ value: JSONValue, at path: String, into paths: inout [String]) {
        switch value {
        case .number: paths.append(path)
        case .array(let items):
            for (index, item) in items.enumerated() { collect(item, at: "\(path)[\(index)]", into: &paths) }
        case .object(let members):
            for (key, member) in members.sorted(by: { $0.key < $1.key }) {
                collect(member, at: join(path, key), into: &paths)
            }
        case .null, .bool, .integer, .string: return
        }
    }

    private static func zeroed(_ value: JSONValue, at path: String, except kept: String) -> JSONValue {
        switch value {
        case .number: path == kept ? value : .integer(0)
        case .array(let items):
            .array(items.enumerated().map { zeroed($1, at: "\(path)[\($0)]", except: kept) })
        case .object(let members):
            .object(
                Dictionary(
                    uniqueKeysWithValues: members.map { ($0, zeroed($1, at: join(path, $0), except: kept)) }))
        case .null, .bool, .integer, .string: value
        }
    }

    private static func join(_ path: String, _ key: String) -> String { path.isEmpty ? key : "\(path).\(key)" }
}
