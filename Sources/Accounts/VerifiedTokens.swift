import GameModel
import Synchronization

/// Tokens whose signature was found good, until they expire; never more than a fixed number.
///
/// Two generations: when the young one is full it becomes the old one and the old one is dropped, so that forgetting
/// costs nothing and a token in use moves back to the young. All are forgotten when a key goes away: one of them may
/// have been signed by it.
final class VerifiedTokens: Sendable {
    private struct Entry {
        let identity: Identity
        let expiresAt: Instant
    }

    private struct Generations {
        var young: [String: Entry] = [:]
        var old: [String: Entry] = [:]
        /// The keys' epoch that all of them were verified in.
        var epoch = 0
    }

    private let generations = Mutex(Generations())
    private let generationMax: Int

    init(limit: Int) { generationMax = max(1, limit / 2) }

    /// - Parameter epoch: that of the keys in force: see ``KeyRing``.
    func identity(of token: String, at now: Instant, epoch: Int) -> Identity? {
        generations.withLock { generations in
            if epoch > generations.epoch { generations = Generations(epoch: epoch) }
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

    /// Remembers a token that was verified with the keys of an epoch, unless that is over.
    func remember(_ identity: Identity, of token: String, until expiresAt: Instant, epoch: Int) {
        generations.withLock { generations in
            guard epoch == generations.epoch else { return }
            insert(Entry(identity: identity, expiresAt: expiresAt), of: token, into: &generations)
        }
    }

    private func insert(_ entry: Entry, of token: String, into generations: inout Generations) {
        if generations.young.count >= generationMax {
            generations.old = generations.young
            generations.young = [:]
        }
        generations.young[token] = entry
    }
}
