import GameModel
import Matchmaking

/// Makes a player into a member of a ticket: what the player wishes is the client's to say; rating, games, streak,
/// opponents and leaver rate are read from the records, and latencies are smoothed into what is known of the player.
public struct TicketMemberSource: Sendable {
    private let service: MatchmakingService
    private let latencies: PlayerLatencies
    private let remembered: @Sendable (PlayerID) async -> [Region: Double]
    private let history: @Sendable (PlayerID, Mode) async throws -> TicketMember

    /// - Parameters:
    ///   - remembered: a player's mean round trips in ms, by region, asked where nothing else is known of them: Redis
    ///     was wiped, or forgot who was away for long.
    ///   - history: the player as the records know them in a mode, without wishes.
    public init(
        service: MatchmakingService, latencies: PlayerLatencies,
        remembered: @escaping @Sendable (PlayerID) async -> [Region: Double] = { _ in [:] },
        history: @escaping @Sendable (PlayerID, Mode) async throws -> TicketMember
    ) {
        self.service = service
        self.latencies = latencies
        self.remembered = remembered
        self.history = history
    }

    func member(_ player: PlayerID, _ mode: Mode, _ wish: MemberBody) async throws -> TicketMember {
        // Nobody has a history in a mode that is not played; the service says so to who asks for one.
        let isPlayed = service.rules.modes[mode] != nil
        var member = isPlayed ? try await history(player, mode) : TicketMember(player: player)
        member.character = wish.character
        member.roles = wish.roles ?? []
        member.insistsOnRoles = wish.insistsOnRoles ?? false
        member.attributes = wish.attributes ?? [:]
        member.avoids = wish.avoid ?? []
        let measured = (wish.latencies ?? [:]).map { (Region($0.key), [$0.value]) }
        member.latencies =
            measured.isEmpty
            ? try await latencies.known(player)
            : try await latencies.report(player, Dictionary(measured, uniquingKeysWith: { first, _ in first }))
        if member.latencies.isEmpty {
            let played = service.rules.regions
            member.latencies = await remembered(player).filter { played.contains($0.key) }
        }
        return member
    }
}

/// What a player says of themselves when they queue or join: unknown members of the body are ignored.
struct MemberBody: Decodable {
    let character: String?
    let latencies: [String: Double]?
    let roles: [String]?
    let insistsOnRoles: Bool?
    let attributes: [String: AttributeValue]?
    let avoid: [PlayerID]?
}

/// What a player asks for: the body of `POST /v1/matchmaking/tickets`, in which the leader's own wishes stand beside
/// those for the party.
struct TicketWish: Decodable {
    let mode: Mode
    let region: Region?
    let party: [PlayerID]?
    let member: MemberBody

    private enum CodingKeys: String, CodingKey { case mode, region, party }

    init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        mode = try container.decode(Mode.self, forKey: .mode)
        region = try container.decodeIfPresent(Region.self, forKey: .region)
        party = try container.decodeIfPresent([PlayerID].self, forKey: .party)
        member = try MemberBody(from: decoder)
    }
}
