import GameModel
import Redis

/// Holds the event streams against what is stored of them: an event may be lost, and may not be lost silently nor be
/// there twice.
public struct EventsAudit: Sendable {
    private let events: EventsRepository
    private let redis: RedisClient

    public init(events: EventsRepository, redis: RedisClient) {
        self.events = events
        self.redis = redis
    }

    public func findings() async throws -> [AuditFinding] {
        var (added, tooMany) = (0, 0)
        var losses: [EventLosses] = []
        var examples: [String] = []
        for shard in 0..<GameDataKeys.shardCount {
            let group = EventGroup(redis: redis, shard: shard, consumer: "audit")
            let account = try await group.account()
            try await events.copyTotals(shard: shard)
            // Counted and not noted: who looks changes no count.
            losses.append(try await events.losses(of: shard, with: account))
            guard let life = account.life else { continue }
            let counted = try await events.countedEntries(account)
            // Asked last: what is added and stored in between is in both.
            let after = try await group.account()
            guard after.life == life else { continue }
            added += after.added - life.addedBefore
            let excess = counted - (after.added - life.addedBefore)
            guard excess > 0 else { continue }
            tooMany += excess
            examples.append("\(GameDataKeys.events(shard: shard)): \(excess) more than were added")
        }
        return [
            AuditFinding(
                rule: "each entry of events is stored once at most, and waits, is stored, or is counted as lost",
                checked: added, failed: tooMany, examples: examples, note: Self.note(losses))
        ]
    }

    private static func note(_ losses: [EventLosses]) -> String? {
        let entries = losses.map(\.lost).reduce(0, +)
        guard entries > 0 else { return nil }
        let events = losses.compactMap(\.lostEventsAbout)
        let about =
            events.count == losses.count
            ? "about \(events.reduce(0, +)) events" : "of how many events nobody knows"
        return "\(entries) entries were lost, \(about): see 'muster events lag'"
    }
}
