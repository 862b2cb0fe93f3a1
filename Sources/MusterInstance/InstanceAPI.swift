import AsyncHTTPClient
import Foundation
import GameModel
import NIOCore
import NIOFoundationCompat
import NIOHTTP1
import Telemetry

/// The instance's side of the HTTP contract, one function for each request of `README.md`.
struct InstanceAPI: Sendable, CustomStringConvertible {
    /// The largest answer that is read.
    static let answerBytesMax = 1 << 20

    let url: String
    let token: String
    let client: HTTPClient
    let clock: APIClock
    var timeout: Duration = .seconds(3)
    /// One that is swallowed must not keep the next from being in time: the fleet hears 2.5 s of silence.
    var heartbeatTimeout: Duration = .seconds(1)

    /// Without the token: the description of a service ends up in logs.
    var description: String { "InstanceAPI(\(url))" }

    // MARK: The instance

    func heartbeat(_ instance: InstanceID, _ body: HeartbeatBody) async throws(InstanceError) -> HeartbeatReply {
        let answer = try await send(
            .PUT, "/v1/fleet/instances/\(instance)", body: try Self.encode(body), timeout: heartbeatTimeout)
        if let date = answer.headers.first(name: "Date") { clock.learn(date: date) }
        return try Self.decode(answer.body)
    }

    func deregister(_ instance: InstanceID) async throws(InstanceError) {
        _ = try await send(.DELETE, "/v1/fleet/instances/\(instance)")
    }

    // MARK: Matches

    /// The roster, without the balance where the API can leave it out.
    func roster(_ match: MatchID) async throws(InstanceError) -> SheetReply {
        try Self.decode(try await send(.GET, "/v1/fleet/matches/\(match)?balance=omit").body)
    }

    func balance(_ patch: PatchVersion) async throws(InstanceError) -> MatchSheet.Balance {
        try Self.decode(try await send(.GET, "/v1/patches/\(patch)").body)
    }

    func report(_ match: MatchID, _ report: Data) async throws(InstanceError) {
        _ = try await send(.POST, "/v1/fleet/matches/\(match)/result", body: report)
    }

    func requestBackfill(_ match: MatchID, open: [Int], left: [PlayerID]) async throws(InstanceError) {
        struct Wish: Encodable { let open: [Int], left: [PlayerID] }
        _ = try await send(
            .POST, "/v1/fleet/matches/\(match)/backfill", body: try Self.encode(Wish(open: open, left: left)))
    }

    func cancelBackfill(_ match: MatchID) async throws(InstanceError) {
        _ = try await send(.DELETE, "/v1/fleet/matches/\(match)/backfill")
    }

    // MARK: Beside them

    func events(_ events: [InstanceEvent]) async throws(InstanceError) {
        struct Batch: Encodable { let events: [InstanceEvent] }
        _ = try await send(.POST, "/v1/events", body: try Self.encode(Batch(events: events)))
    }

    /// The public keys that join tokens are signed with, as a JSON Web Key Set.
    func keys() async throws(InstanceError) -> Data { try await send(.GET, "/.well-known/jwks.json").body }

    // MARK: HTTP

    private struct Answer {
        let headers: HTTPHeaders
        let body: Data
    }

    private static func encode(_ value: some Encodable) throws(InstanceError) -> Data {
        do {
            return try JSONEncoder().encode(value)
        } catch {
            throw .undecodable("can't encode: \(error)")
        }
    }

    private static func decode<T: Decodable>(_ body: Data) throws(InstanceError) -> T {
        do {
            return try JSONDecoder().decode(T.self, from: body)
        } catch {
            throw .undecodable("\(error)")
        }
    }

    private func send(
        _ method: HTTPMethod, _ path: String, body: Data? = nil, timeout: Duration? = nil
    ) async throws(InstanceError) -> Answer {
        var request = HTTPClientRequest(url: url + path)
        request.method = method
        request.headers.add(name: "Authorization", value: "Bearer \(token)")
        if let body {
            request.headers.add(name: "Content-Type", value: "application/json")
            request.body = .bytes(ByteBuffer(data: body))
        }
        let status: Int
        let answer: Answer
        do {
            let response = try await client.execute(
                request, timeout: .milliseconds((timeout ?? self.timeout).milliseconds))
            status = Int(response.status.code)
            answer = Answer(
                headers: response.headers,
                body: Data(try await response.body.collect(upTo: Self.answerBytesMax).readableBytesView))
        } catch {
            throw .unavailable("\(error)")
        }
        let detail = String(decoding: answer.body.prefix(300), as: UTF8.self)
        switch status {
        case 200..<300: return answer
        case 500...: throw .unavailable("status \(status): \(detail)")
        default: throw .refused(status: status, detail: detail)
        }
    }
}
