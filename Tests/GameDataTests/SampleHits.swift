import GameData
import GameModel
import Redis

/// Events of one match, and so of shard 0, that are told apart by their times.
enum SampleHits {
    static func append(_ redis: RedisClient, _ numbers: Range<Int>, inEntry: Int = 1) async throws {
        for start in stride(from: numbers.lowerBound, to: numbers.upperBound, by: inEntry) {
            try await EventLog(redis: redis).append(events(start..<min(start + inEntry, numbers.upperBound)))
        }
    }

    static func events(_ numbers: Range<Int>) -> [EncodedEvent] {
        numbers.map { number in
            EncodedEvent(
                kind: "hit", at: Instant(milliseconds: Int64(number)),
                matchId: MatchID("duel.eu.01J00000000000000000000000"), playerId: nil,
                json: "{\"text\":\"\(String(repeating: "x", count: 200))\"}")
        }
    }
}
