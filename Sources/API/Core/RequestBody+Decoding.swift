import Foundation
import Hummingbird
import NIOCore

extension Request {
    /// Reads the JSON body. Unknown members are ignored.
    ///
    /// - Throws: `payload-too-large` over the route's limit, `malformed-json` where the body is not JSON,
    ///   `invalid-field` where a member is missing or of another type, naming its path and what was expected.
    public func decodeBody<T: Decodable>(_ type: T.Type, context: APIContext) async throws(Problem) -> T {
        try Self.decode(type, from: try await collectBytes(context: context))
    }

    /// The same, where the body may be left out.
    public func decodeBodyIfPresent<T: Decodable>(_ type: T.Type, context: APIContext) async throws(Problem) -> T? {
        let bytes = try await collectBytes(context: context)
        return bytes.readableBytes == 0 ? nil : try Self.decode(type, from: bytes)
    }

    /// The same for bytes that were read.
    static func decode<T: Decodable>(_ type: T.Type, from bytes: ByteBuffer) throws(Problem) -> T {
        let data = Data(bytes.readableBytesView)
        do {
            return try JSONDecoder().decode(type, from: data)
        } catch let error as DecodingError {
            if isWithoutPath(error),
                let field = UnfitNumber.path(in: data, fails: { failsWithoutPath(type, $0) })
            {
                throw .invalidField(field, "Expected a whole number of at most 63 bits.")
            }
            throw Problem(error)
        } catch {
            throw .malformedJSON("The body is not JSON: \(error)")
        }
    }

    /// Whether an error says of the whole body that it is no JSON.
    private static func isWithoutPath(_ error: DecodingError) -> Bool {
        guard case .dataCorrupted(let context) = error else { return false }
        return context.codingPath.isEmpty
    }

    private static func failsWithoutPath<T: Decodable>(_ type: T.Type, _ data: Data) -> Bool {
        do {
            _ = try JSONDecoder().decode(type, from: data)
            return false
        } catch let error as DecodingError {
            return isWithoutPath(error)
        } catch {
            return false
        }
    }

    /// Reads the whole body as bytes, up to the route's limit; for bodies whose signature is over the bytes.
    public func collectBytes(context: APIContext) async throws(Problem) -> ByteBuffer {
        do {
            return try await body.collect(upTo: context.bodyBytesMax)
        } catch is NIOTooManyBytesError {
            throw .payloadTooLarge(bytesMax: context.bodyBytesMax)
        } catch {
            throw .malformedJSON("The body ended before it was complete.")
        }
    }
}

extension Problem {
    /// The reply to a body that is JSON but not of the right form, or not JSON.
    init(_ error: DecodingError) {
        switch error {
        case .keyNotFound(let key, let context):
            self = .invalidField(Self.path(context.codingPath + [key]), "This field is missing.")
        case .typeMismatch(let type, let context):
            self = .invalidField(Self.path(context.codingPath), "Expected \(Self.words(for: type)).")
        case .valueNotFound(let type, let context):
            self = .invalidField(Self.path(context.codingPath), "Expected \(Self.words(for: type)), not null.")
        case .dataCorrupted(let context) where context.codingPath.isEmpty:
            self = .malformedJSON("The body is not JSON.")
        case .dataCorrupted(let context) where context.debugDescription.hasPrefix("Cannot initialize "):
            // The standard library's words for a text that no case of an enum has; they name a type of ours.
            self = .invalidField(Self.path(context.codingPath), "This value is none of those that are allowed.")
        case .dataCorrupted(let context):
            self = .invalidField(Self.path(context.codingPath), Self.sentence(context.debugDescription))
        @unknown default:
            self = .malformedJSON("The body could not be read.")
        }
    }

    /// `players[2].team`; `(body)` for the root.
    private static func path(_ keys: [any CodingKey]) -> String {
        var path = ""
        for key in keys {
            if let index = key.intValue {
                path += "[\(index)]"
            } else {
                path += path.isEmpty ? key.stringValue : ".\(key.stringValue)"
            }
        }
        return path.isEmpty ? "(body)" : path
    }

    private static func words(for type: any Any.Type) -> String {
        let name = String(describing: type)
        switch name {
        case "String": return "text"
        case "Bool": return "true or false"
        case "Double", "Float": return "a number"
        case _ where name.hasPrefix("Int") || name.hasPrefix("UInt"): return "a whole number"
        case _ where name.hasPrefix("Array"): return "a list"
        default: return "an object"
        }
    }

    private static func sentence(_ text: String) -> String {
        let capital = text.prefix(1).uppercased() + text.dropFirst()
        return capital.hasSuffix(".") ? capital : capital + "."
    }
}
