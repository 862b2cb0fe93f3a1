import Foundation
import GameModel
import Logging
import Metrics
import ServiceLifecycle
import Telemetry

/// Brings results to the API and does not give up: a result ends accepted, refused for good, or in the spool for the
/// next instance of this host.
actor ResultPoster {
    private let api: InstanceAPI
    private let spool: ResultSpool
    private let logger: Logger
    private var posting: Set<MatchID> = []
    private let postedCounter = Counter(label: "instance_results_posted_total")
    private let refusedCounter = Counter(label: "instance_results_refused_total")

    init(api: InstanceAPI, spool: ResultSpool, logger: Logger) {
        self.api = api
        self.spool = spool
        self.logger = logger
    }

    /// Keeps the result and posts it until the API has said yes or no; returns early only when this task is cancelled.
    func post(_ match: MatchID, _ report: MatchReport) async {
        do {
            let body = try JSONEncoder().encode(report)
            do {
                try spool.keep(match, body)
            } catch {
                logger.error("can't spool a result", metadata: ["match": "\(match)", "error": "\(error)"])
            }
            Failpoint.instanceKept.pass()
            await post(match, body: body)
        } catch {
            logger.error("can't encode a result", metadata: ["match": "\(match)", "error": "\(error)"])
        }
    }

    /// Takes over the results of instances that have ended, and posts them.
    func adopt() async {
        do {
            for (match, body) in try spool.adopt() where !posting.contains(match) {
                logger.info("posting a result found in the spool", metadata: ["match": "\(match)"])
                await post(match, body: body)
            }
        } catch {
            logger.warning("can't read the spool", metadata: ["error": "\(error)"])
        }
    }

    private func post(_ match: MatchID, body: Data) async {
        guard posting.insert(match).inserted else { return }
        defer { posting.remove(match) }
        var retry = Retry()
        while !Task.isCancelled {
            do {
                try await api.report(match, body)
                Failpoint.instancePosted.pass()
                spool.settle(match)
                postedCounter.increment()
                return
            } catch {
                guard error.isWorthRetrying else {
                    refusedCounter.increment()
                    logger.error("result refused", metadata: ["match": "\(match)", "error": "\(error)"])
                    return spool.reject(match)
                }
                logger.warning("result waits", metadata: ["match": "\(match)", "error": "\(error)"])
            }
            do { try await Task.sleep(for: retry.pause()) } catch { return }
        }
    }
}

/// Looks for results that ended instances left behind: at the start and every ten seconds.
struct ResultAdopter: Service {
    let poster: ResultPoster
    var interval: Duration = .seconds(10)

    func run() async throws {
        await cancelWhenGracefulShutdown {
            while !Task.isCancelled {
                await poster.adopt()
                do { try await Task.sleep(for: interval) } catch { return }
            }
        }
    }
}
