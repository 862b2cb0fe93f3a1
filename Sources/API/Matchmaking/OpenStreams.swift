import GameModel
import Synchronization

/// The streams of events that are open, counted by player: each holds a connection for as long as its client likes, so
/// that nobody may have any number of them.
final class OpenStreams: Sendable {
    private let counts = Mutex<[PlayerID: Int]>([:])
    private let max: Int

    /// - Parameter max: how many a player may have open at once, at one process.
    init(max: Int) { self.max = max }

    /// A place for a stream, which is free again once nobody holds it; `nil` where the player has as many as may be.
    func open(by player: PlayerID) -> Place? {
        let isOpened = counts.withLock { counts in
            guard counts[player, default: 0] < max else { return false }
            counts[player, default: 0] += 1
            return true
        }
        return isOpened ? Place(streams: self, player: player) : nil
    }

    private func close(by player: PlayerID) {
        counts.withLock { counts in
            guard let count = counts[player] else { return }
            counts[player] = count > 1 ? count - 1 : nil
        }
    }

    /// Held by the body of the answer: it goes with the connection, however that ends.
    final class Place: Sendable {
        private let streams: OpenStreams
        private let player: PlayerID

        fileprivate init(streams: OpenStreams, player: PlayerID) {
            self.streams = streams
            self.player = player
        }

        deinit { streams.close(by: player) }
    }
}
