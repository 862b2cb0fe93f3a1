import Crypto
import Foundation
import GameModel
import HTTPTypes
import Hummingbird
import JWTKit
import Logging
import NIOCore
import Synchronization
import TestSupport

@testable import InstanceWorker
@testable import MusterInstance

/// The HTTP contract that an instance knows, with outages on demand. The real routes are held to the same contract by
/// their own tests.
final class FakeAPI: Sendable {
    struct Seen {
        var sheets: [MatchID: MatchSheet] = [:]
        var beats: [HeartbeatBody] = []
        var deregistered: [String] = []
        /// Results that were taken.
        var results: [MatchID: [MatchReport]] = [:]
        /// Attempts to post a result, taken or not.
        var resultAttempts = 0
        var events: [InstanceEvent] = []
        /// The status that results are answered with, instead of being taken.
        var resultStatus: Int?
        var keyFetches = 0
        /// What instances are ordered with the answer to a heartbeat.
        var order: String?
        /// What was asked for, in order: open seats and who left; empty where it was taken back.
        var backfills: [BackfillWish] = []
        /// The status that requests for players are answered with, instead of being taken.
        var backfillStatus: Int?
    }

    struct BackfillWish: Decodable, Equatable {
        var open: [Int]
        var left: [PlayerID]
    }

    let seen = Mutex(Seen())
    private let key: EdDSA.PrivateKey
    private let jwks: String
    private let signers = JWTKeyCollection()

    init() throws {
        let key = Curve25519.Signing.PrivateKey()
        self.key = EdDSA.PrivateKey(backing: key)
        let x = key.publicKey.rawRepresentation.base64EncodedString()
            .replacingOccurrences(of: "+", with: "-").replacingOccurrences(of: "/", with: "_")
            .replacingOccurrences(of: "=", with: "")
        jwks = #"{"keys":[{"kty":"OKP","crv":"Ed25519","alg":"EdDSA","use":"sig","kid":"k1","x":"\#(x)"}]}"#
    }

    /// A join token as the API mints it, each part changeable.
    func token(
        _ player: PlayerID, _ match: MatchID, instance: InstanceID, lifetime: TimeInterval = 60,
        issuer: String = "muster"
    ) async throws -> String {
        await signers.add(eddsa: key, kid: "k1")
        let claims = JoinClaims(
            iss: issuer, aud: .init(value: ["instance:\(instance)"]), sub: player.rawValue, match: match.rawValue,
            exp: Int((Date().timeIntervalSince1970 + lifetime).rounded(.up)), jti: ULID().description)
        return try await signers.sign(claims, kid: "k1")
    }

    func router() -> Router<BasicRequestContext> {
        let router = Router()
        router.get(".well-known/jwks.json") { [self] _, _ in
            seen.withLock { $0.keyFetches += 1 }
            return jwks
        }
        router.put("v1/fleet/instances/{id}") { [self] request, context in
            let beat = try await request.decode(as: HeartbeatBody.self, context: context)
            let order = seen.withLock { seen in
                seen.beats.append(beat)
                return seen.order
            }
            return #"{"heartbeatSeconds":0.2"# + (order.map { #","order":"\#($0)""# } ?? "") + "}"
        }
        router.delete("v1/fleet/instances/{id}") { [self] _, context in
            seen.withLock { $0.deregistered.append(context.parameters.get("id") ?? "") }
            return HTTPResponse.Status.noContent
        }
        router.get("v1/fleet/matches/{id}") { [self] _, context in
            let id = MatchID(context.parameters.get("id") ?? "")
            guard let sheet = seen.withLock({ $0.sheets[id] }) else { throw HTTPError(.notFound) }
            return String(decoding: try JSONEncoder().encode(sheet), as: UTF8.self)
        }
        router.post("v1/fleet/matches/{id}/result") { [self] request, context in
            let id = MatchID(context.parameters.get("id") ?? "")
            let report = try await request.decode(as: MatchReport.self, context: context)
            return seen.withLock { seen in
                seen.resultAttempts += 1
                if let status = seen.resultStatus { return HTTPResponse.Status(code: status) }
                // An instance that did not get the answer in time sends the same again.
                if seen.results[id]?.contains(report) == true { return .ok }
                seen.results[id, default: []].append(report)
                return .created
            }
        }
        router.post("v1/fleet/matches/{id}/backfill") { [self] request, context in
            let wish = try await request.decode(as: BackfillWish.self, context: context)
            return seen.withLock { seen in
                seen.backfills.append(wish)
                return HTTPResponse.Status(code: seen.backfillStatus ?? 200)
            }
        }
        router.delete("v1/fleet/matches/{id}/backfill") { [self] _, _ in
            seen.withLock { $0.backfills.append(BackfillWish(open: [], left: [])) }
            return HTTPResponse.Status.noContent
        }
        router.post("v1/events") { [self] request, context in
            struct Batch: Decodable { var events: [InstanceEvent] }
            let batch = try await request.decode(as: Batch.self, context: context)
            seen.withLock { $0.events += batch.events }
            return HTTPResponse.Status.accepted
        }
        return router
    }

    /// A match of these players, one team each, whose roster the API gives out.
    func addMatch(_ players: [PlayerID], patch: Int = 1) -> MatchID {
        let match = MatchID.duel()
        let sheet = MatchSheet.of(players.map { [$0] }, match: match, patch: patch)
        seen.withLock { $0.sheets[match] = sheet }
        return match
    }
}

extension MatchSheet {
    /// Teams of like players: character `a` for team 0, `b` for the others, unless changed.
    static func of(_ teams: [[PlayerID]], match: MatchID = .duel(), patch: Int = 1) -> MatchSheet {
        MatchSheet(
            matchId: match, mode: Mode("duel"), region: eu, patch: PatchVersion(patch),
            teams: teams.enumerated().map { team, players in
                players.map {
                    Player(
                        playerId: $0, displayName: "P", character: team == 0 ? "a" : "b", rating: 1_500, skins: [])
                }
            },
            balance: Balance(
                characters: [
                    Character(id: "a", name: "A", health: 1_000, damage: 20, weapon: "w"),
                    Character(id: "b", name: "B", health: 1_000, damage: 20, weapon: "w"),
                ],
                weapons: [Weapon(id: "w", name: "W", damage: 60, cooldownMs: 800)]))
    }
}

/// Runs the body beside a listening fake API; the body is given its URL.
func withFakeAPI<T: Sendable>(_ body: @Sendable @escaping (FakeAPI, String) async throws -> T) async throws -> T {
    let api = try FakeAPI()
    let (ports, port) = AsyncStream<Int>.makeStream()
    var logger = Logger(label: "test.api")
    logger.logLevel = .error
    let application = Application(
        router: api.router(), configuration: .init(address: .hostname("127.0.0.1", port: 0)),
        onServerRunning: { channel in port.yield(channel.localAddress?.port ?? 0) }, logger: logger)
    return try await withServices([application]) {
        var iterator = ports.makeAsyncIterator()
        let bound = await iterator.next() ?? 0
        return try await body(api, "http://127.0.0.1:\(bound)")
    }
}
