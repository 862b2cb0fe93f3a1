import ArgumentParser
import AsyncHTTPClient
import Foundation
import GameData
import NIOCore
import NIOHTTP1

/// How the commands that change things reach the API: over HTTP, with a developer's token.
struct APIAccess: ParsableArguments {
    @OptionGroup var shared: SharedOptions

    @Option(
        help: ArgumentHelp("The API (MUSTER_API_URL; that of a running 'muster up', else port 8080).", valueName: "url")
    )
    var api: String?

    @Option(
        help: ArgumentHelp("A file with a developer's token (or MUSTER_TOKEN; that of 'muster up').", valueName: "file")
    )
    var tokenFile: String?

    /// A name as one part of a path: one with a slash or a space stays one name, which the API can then refuse.
    static func pathPart(_ name: String) -> String {
        let plain = CharacterSet.alphanumerics.union(CharacterSet(charactersIn: "-._~"))
        return name.addingPercentEncoding(withAllowedCharacters: plain) ?? name
    }

    /// Sends a request and returns the reply's JSON, printed ready; a problem reply becomes the command's failure.
    func send(_ method: HTTPMethodName, _ path: String, body: [String: JSONValue]? = nil) async throws -> JSONValue {
        let up = try UpState.read(from: shared.dataFolder)
        let base = api ?? ProcessInfo.processInfo.environment["MUSTER_API_URL"] ?? up?.apiUrl ?? "http://127.0.0.1:8080"
        var request = HTTPClientRequest(url: base + path)
        request.method = .init(rawValue: method.rawValue)
        request.headers.add(name: "Authorization", value: "Bearer \(try token(up))")
        if let body {
            request.headers.add(name: "Content-Type", value: "application/json")
            request.body = .bytes(ByteBuffer(bytes: try JSONEncoder().encode(body)))
        }
        let status: UInt
        let bytes: ByteBuffer
        do {
            let reply = try await HTTPClient.shared.execute(request, timeout: .seconds(10))
            status = reply.status.code
            bytes = try await reply.body.collect(upTo: 1024 * 1024)
        } catch {
            throw CommandFailure(
                "The API at \(base) does not answer: \(error)",
                nextStep: "Start it with 'muster up', or name another with --api URL.")
        }
        let value = Self.value(bytes)
        guard (200..<300).contains(status) else { throw Self.failure(status: status, value) }
        return value
    }

    /// A reply without JSON, like one from a proxy in between, is shown as the text it is.
    private static func value(_ bytes: ByteBuffer) -> JSONValue {
        guard bytes.readableBytes > 0 else { return .null }
        do {
            return try JSONDecoder().decode(JSONValue.self, from: Data(bytes.readableBytesView))
        } catch {
            return .string(String(buffer: bytes))
        }
    }

    private func token(_ up: UpState?) throws -> String {
        if tokenFile == nil, let token = ProcessInfo.processInfo.environment["MUSTER_TOKEN"], !token.isEmpty {
            return token
        }
        let file = tokenFile ?? up?.developerTokenFile ?? "\(shared.dataFolder)/keys/developer.token"
        guard let bytes = FileManager.default.contents(atPath: file) else {
            throw CommandFailure(
                "There is no developer's token in \(file).",
                nextStep: "Mint one: export MUSTER_TOKEN=$(muster token --role developer --subject $USER)")
        }
        return String(decoding: bytes, as: UTF8.self).trimmingCharacters(in: .whitespacesAndNewlines)
    }

    private static func failure(status: UInt, _ value: JSONValue) -> CommandFailure {
        let detail = value["detail"]?.text ?? value.text ?? "no detail"
        let field = value["field"]?.text.map { " (\($0))" } ?? ""
        let next =
            switch status {
            case 401: "Mint a token: export MUSTER_TOKEN=$(muster token --role developer --subject $USER)"
            case 403: "Use a token of role developer."
            case 503: "Try again in a moment."
            default: "See the command's --help."
            }
        return CommandFailure("The API refused with \(status): \(detail)\(field)", nextStep: next)
    }
}

/// The methods that the commands use.
enum HTTPMethodName: String {
    case get = "GET"
    case put = "PUT"
    case patch = "PATCH"
}
