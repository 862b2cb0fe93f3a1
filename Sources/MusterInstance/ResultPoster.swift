import Foundation
import GameModel
import Logging
import Metrics
import Telemetry

/// Brings results to the API and does not give up: a result ends stored, refused for good, or in the spool for the next
/// instance of this host.
actor ResultPoster {
    private let api: InstanceAPI
    private let spool: ResultSpool
    private let logger: Logger
    private let settled: @Sendable (MatchID) -> Void
    /// Results that the API has not said yes or no to.
    private var undelivered: [MatchID: Data] = [:]
    /// Those of them that a caller of ``finish(_:_:patience:)`` attends to.
    private var attended: Set<MatchID> = []
    private let postedCounter = Counter(label: "instance_results_posted_total")
    private let refusedCounter = Counter(label: "instance_results_refused_total")

    /// - Parameter settled: told once the API has said yes or no.
    init(api: InstanceAPI, spool: ResultSpool, logger: Logger, settled: @escaping @Sendable (MatchID) -> Void) {
        self.api = api
        self.spool = spool
        self.logger = logger
        self.settled = settled
    }

    /// How many results are not with the API yet.
    var undeliveredCount: Int { undelivered.count }

    /// Keeps the result on disk, then posts it for so long; what is not delivered by then is ``deliver(every:)``'s.
    func finish(_ match: MatchID, _ report: MatchReport, patience: Duration) async -> ResultDelivery {
        let body: Data
        do {
            body = try JSONEncoder().encode(report)
        } catch {
            settled(match)
            return .refused(.undecodable("\(error)"))
        }
        do {
            try spool.keep(match, body)
        } catch {
            logger.error("can't spool a result", metadata: ["match": "\(match)", "error": "\(error)"])
        }
        Failpoint.instanceKept.pass()
        undelivered[match] = body
        attended.insert(match)
        defer { attended.remove(match) }
        let deadline = ContinuousClock.now + patience
        var retry = Retry()
        while true {
            let delivery = await post(match)
            let pause = retry.pause()
            guard delivery == .kept, ContinuousClock.now + pause < deadline else { return delivery }
            do { try await Task.sleep(for: pause) } catch { return .kept }
        }
    }

    /// Posts what others did not bring through, and what ended instances left behind, until cancelled.
    func deliver(every interval: Duration) async {
        var adoptDue = ContinuousClock.now
        var retry = Retry(from: interval)
        while !Task.isCancelled {
            if adoptDue <= .now {
                adopt()
                adoptDue = .now + .seconds(10)
            }
            let isAllOut = await deliverOnce()
            if isAllOut { retry = Retry(from: interval) }
            do { try await Task.sleep(for: retry.pause()) } catch { return }
        }
    }

    /// One attempt for each result, up to the first that the API can't be asked about. Whether there was none such.
    @discardableResult
    func deliverOnce() async -> Bool {
        for match in undelivered.keys.sorted() where !attended.contains(match) {
            if await post(match) == .kept { return false }
        }
        return true
    }

    /// Takes over the results of instances that have ended.
    private func adopt() {
        do {
            for (match, body) in try spool.adopt() where undelivered[match] == nil {
                logger.info("posting a result found in the spool", metadata: ["match": "\(match)"])
                undelivered[match] = body
            }
        } catch {
            logger.warning("can't read the spool", metadata: ["error": "\(error)"])
        }
    }

    private func post(_ match: MatchID) async -> ResultDelivery {
        guard let body = undelivered[match] else { return .recorded }
        do {
            try await api.report(match, body)
            Failpoint.instancePosted.pass()
            spool.settle(match)
            postedCounter.increment()
            settle(match)
            return .recorded
        } catch {
            guard error.isWorthRetrying else {
                refusedCounter.increment()
                logger.error("result refused", metadata: ["match": "\(match)", "error": "\(error)"])
                spool.reject(match)
                settle(match)
                return .refused(error)
            }
            logger.warning("result waits", metadata: ["match": "\(match)", "error": "\(error)"])
            return .kept
        }
    }

    private func settle(_ match: MatchID) {
        undelivered[match] = nil
        settled(match)
    }
}
