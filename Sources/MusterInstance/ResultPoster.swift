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
    /// When the others are tried again. Each has its own wait, so that one that the API won't take holds up no other.
    private var waits: [MatchID: (retry: Retry, due: ContinuousClock.Instant)] = [:]
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
        undelivered[match] = body
        attended.insert(match)
        defer { attended.remove(match) }
        do {
            try await spool.keep(match, body)
        } catch {
            logger.error("can't spool a result", metadata: ["match": "\(match)", "error": "\(error)"])
        }
        Failpoint.instanceKept.pass()
        let deadline = ContinuousClock.now + patience
        var retry = Retry()
        while true {
            if case .ended(let delivery) = await post(match) { return delivery }
            let pause = retry.pause()
            guard ContinuousClock.now + pause < deadline else { return .kept }
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

    /// One attempt for each result that is due, up to the first that the API can't be asked about. Whether there was
    /// none such.
    /// - Parameter isLast: for all of them, due or not.
    @discardableResult
    func deliverOnce(isLast: Bool = false) async -> Bool {
        let now = ContinuousClock.now
        let due = undelivered.keys.filter { !attended.contains($0) }
            .map { (at: waits[$0]?.due ?? now, match: $0) }
            .filter { isLast || $0.at <= now }
            .sorted { ($0.at, $0.match) < ($1.at, $1.match) }
        for (_, match) in due {
            let attempt = await post(match)
            if case .ended = attempt { continue }
            var retry = waits[match]?.retry ?? Retry(from: .milliseconds(250))
            let pause = retry.pause()
            waits[match] = (retry, .now + pause)
            if attempt == .unavailable { return false }
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

    private enum Attempt: Equatable {
        case ended(ResultDelivery)
        /// Not this result, or not by this token; that may be set right.
        case refusedForNow
        /// The API can't be asked, about this result or any other.
        case unavailable
    }

    private func post(_ match: MatchID) async -> Attempt {
        guard let body = undelivered[match] else { return .ended(.recorded) }
        do {
            try await api.report(match, body)
            Failpoint.instancePosted.pass()
            spool.settle(match)
            postedCounter.increment()
            settle(match)
            return .ended(.recorded)
        } catch {
            guard error.isWorthRetrying else {
                refusedCounter.increment()
                logger.error("result refused", metadata: ["match": "\(match)", "error": "\(error)"])
                spool.reject(match)
                settle(match)
                return .ended(.refused(error))
            }
            logger.warning("result waits", metadata: ["match": "\(match)", "error": "\(error)"])
            if case .unavailable = error { return .unavailable }
            return .refusedForNow
        }
    }

    private func settle(_ match: MatchID) {
        undelivered[match] = nil
        waits[match] = nil
        settled(match)
    }
}
