import AsyncHTTPClient
import Foundation
import GameModel
import NIOCore
import NIOFoundationCompat
import NIOHTTP1

/// Why the API did not do what it was asked.
enum APIFailure: Error, Sendable, CustomStringConvertible {
    /// It answered with another status; the detail is the start of its body.
    case status(Int, detail: String)
    case unreachable(String)
    case undecodable(String)

    /// Whether the same request may get another answer later. A refused token counts: it may be set right.
    var isWorthRetrying: Bool {
        switch self {
        case .unreachable: true
        case .undecodable: false
        case .status(let status, _): status >= 500 || [401, 403, 408, 425, 429].contains(status)
        }
    }

    var description: String {
        switch self {
        case .status(let status, let detail): "status \(status): \(detail)"
        case .unreachable(let why): "unreachable: \(why)"
        case .undecodable(let why): "answer not understood: \(why)"
        }
    }
}

/// The instance's side of the HTTP contract. It is all that an instance knows of the rest of the house.
struct InstanceAPI: Sendable, CustomStringConvertible {
    /// The largest answer that is read.
    static let answerBytesMax = 1 << 20

    let url: String
    let token: String
    /// Without the token: the description of a service ends up in logs.
    var description: String { "InstanceAPI(\(url))" }
    let client: HTTPClient
    var timeout: Duration = .seconds(3)

    func heartbeat(_ instance: InstanceID, _ body: HeartbeatBody) async throws(APIFailure) {
        _ = try await send(.PUT, "/v1/fleet/instances/\(instance)", body: try Self.encode(body))
    }

    func deregister(_ instance: InstanceID) async throws(APIFailure) {
        _ = try await send(.DELETE, "/v1/fleet/instances/\(instance)", body: nil)
    }

    func match(_ match: MatchID) async throws(APIFailure) -> MatchSheet {
        let answer = try await send(.GET, "/v1/fleet/matches/\(match)", body: nil)
        do {
            return try JSONDecoder().decode(MatchSheet.self, from: answer)
        } catch {
            throw .undecodable("\(error)")
        }
    }

    func report(_ match: MatchID, _ report: Data) async throws(APIFailure) {
        _ = try await send(.POST, "/v1/fleet/matches/\(match)/result", body: report)
    }

    /// Asks for players for a running match.
    /// - Parameters:
    ///   - open: open seats of each team.
    ///   - left: all who left so far.
    func requestBackfill(_ match: MatchID, open: [Int], left: [PlayerID]) async throws(APIFailure) {
        struct Wish: Encodable { let open: [Int], left: [PlayerID] }
        _ = try await send(
            .POST, "/v1/fleet/matches/\(match)/backfill", body: try Self.encode(Wish(open: open, left: left)))
    }

    /// Takes that back.
    func cancelBackfill(_ match: MatchID) async throws(APIFailure) {
        _ = try await send(.DELETE, "/v1/fleet/matches/\(match)/backfill", body: nil)
    }

    func events(_ events: [GameEvent]) async throws(APIFailure) {
        struct Batch: Encodable { let events: [GameEvent] }
        _ = try await send(.POST, "/v1/events", body: try Self.encode(Batch(events: events)))
    }

    /// The public keys that join tokens are signed with, as JWKS text.
    func keys() async throws(APIFailure) -> String {
        String(decoding: try await send(.GET, "/.well-known/jwks.json", body: nil), as: UTF8.self)
    }

    private static func encode(_ value: some Encodable) throws(APIFailure) -> Data {
        do {
            return try JSONEncoder().encode(value)
        } catch {
            throw .undecodable("can't encode: \(error)")
        }
    }

    private func send(_ method: HTTPMethod, _ path: String, body: Data?) async throws(APIFailure) -> Data {
        var request = HTTPClientRequest(url: url + path)
        request.method = method
        request.headers.add(name: "Authorization", value: "Bearer \(token)")
        if let body {
            request.headers.add(name: "Content-Type", value: "application/json")
            request.body = .bytes(ByteBuffer(data: body))
        }
        do {
            let response = try await client.execute(
                request, timeout: .milliseconds(timeout.milliseconds))
            let answer = try await response.body.collect(upTo: Self.answerBytesMax)
            guard (200..<300).contains(response.status.code) else {
                let text = String(buffer: answer)
                throw APIFailure.status(Int(response.status.code), detail: String(text.prefix(300)))
            }
            return Data(answer.readableBytesView)
        } catch let failure as APIFailure {
            throw failure
        } catch {
            throw .unreachable("\(error)")
        }
    }
}
