import GameData
import GameModel
import Logging
import ServiceLifecycle

/// Keeps the leaderboards in Redis: fills those that are not there (after a wipe, or when a season has begun), and goes
/// over all standings again and again, so that what Redis lost of a board comes back.
///
/// Any number of these may run: one fills a board, and putting a standing twice does nothing.
struct BoardKeeper: Service {
    let boards: Leaderboards
    let logger: Logger
    /// How often it looks, and how long between two steps of the sweep over all standings.
    var interval = Duration.seconds(1)
    /// How many looks go by between two rounds of the sweep.
    var pause = 30

    func run() async throws {
        var sweep: Leaderboards.Sweep? = Leaderboards.Sweep()
        var looks = 0
        while !Task.isCancelled, !Task.isShuttingDownGracefully {
            do {
                for mode in try await boards.modes() { try await fill(mode) }
                if sweep == nil, looks >= pause { (sweep, looks) = (Leaderboards.Sweep(), 0) }
                if let going = sweep {
                    let next = try await boards.sweep(going)
                    sweep = next.isAtStart ? nil : next
                }
            } catch {
                guard !Task.isCancelled else { return }
                logger.warning("leaderboards are not kept, goes on", metadata: ["error": "\(error)"])
            }
            looks += 1
            // Cancellation or shutdown ends the wait, and then the loop.
            do { try await cancelWhenGracefulShutdown { try await Task.sleep(for: interval) } } catch { return }
        }
    }

    private func fill(_ mode: Mode) async throws {
        switch try await boards.fill(mode) {
        case .filled(let players):
            logger.info("leaderboard filled", metadata: ["mode": "\(mode)", "players": "\(players)"])
        case .forgotten: logger.info("leaderboard to be filled again", metadata: ["mode": "\(mode)"])
        case .isWhole, .othersFill: break
        }
    }
}
