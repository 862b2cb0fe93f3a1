import GameModel
import Synchronization

/// Tokens whose signature was found good, until they expire; never more than a fixed number.
///
/// Two generations: when the young one is full it becomes the old one and the old one is dropped, so that forgetting
/// costs nothing and a token in use moves back to the young.
final class VerifiedTokens: Sendable {
    private struct Entry {
        let identity: Identity
        let expiresAt: Instant
    }

    private struct Generations {
        var young: [String: Entry] = [:]
        var old: [String: Entry] = [:]
    }

    private let generations = Mutex(Generations())
    private let generationMax: Int

    init(limit: Int) { generationMax = max(1, limit / 2) }

    func identity(of token: String, at now: Instant) -> Identity? {
        generations.withLock { generations in
            if let entry = generations.young[token] {
                guard now < entry.expiresAt else {
                    generations.young[token] = nil
                    return nil
                }
                return entry.identity
            }
            guard let entry = generations.old.removeValue(forKey: token), now < entry.expiresAt else { return nil }
            insert(entry, of: token, into: &generations)
            return entry.identity
        }
    }

    func remember(_ identity: Identity, of token: String, until expiresAt: Instant) {
        generations.withLock { insert(Entry(identity: identity, expiresAt: expiresAt), of: token, into: &$0) }
    }

    private func insert(_ entry: Entry, of token: String, into generations: inout Generations) {
        if generations.young.count >= generationMax {
            generations.old = generations.young
            generations.young = [:]
        }
        generations.young[token] = entry
    }
}
