import Foundation
import GameModel

extension PayPalProvider {
    /// The longest span that PayPal reports on in one call is 31 days.
    static let reportSpan: Duration = .seconds(30 * 86_400)
    /// PayPal reports on the last three years.
    static let reportReach: Duration = .seconds(3 * 365 * 86_400)
    static let reportPage = 100
    /// Captures that are looked up at the same time.
    static let lookupsMax = 8

    /// Where a report goes on: a span of time, and a page of what is in it. The span's end stays the same from page to
    /// page, whatever happens meanwhile.
    struct Cursor: Equatable {
        let start: Instant
        let end: Instant
        /// From 1.
        var page = 1

        /// The span from a moment on. A report is of whole seconds, both ends among them.
        init(from start: Instant, now: Instant, span: Duration = PayPalProvider.reportSpan) {
            self.start = start
            let end = min(start + min(span, PayPalProvider.reportSpan), now)
            self.end = Instant(milliseconds: end.milliseconds / 1000 * 1000)
        }

        /// The first half of a span of which there is too much to report; `nil` where it can't be parted.
        var half: Cursor? {
            let half = Cursor(from: start, now: end, span: .milliseconds((end.milliseconds - start.milliseconds) / 2))
            return page == 1 && half.start < half.end && half.end < end ? half : nil
        }

        init?(_ text: String) {
            let numbers = text.split(separator: "/").compactMap { Int64($0) }
            guard numbers.count == 3, numbers[0] < numbers[1], (1...1_000_000).contains(numbers[2]) else { return nil }
            (start, end) = (Instant(milliseconds: numbers[0]), Instant(milliseconds: numbers[1]))
            page = Int(numbers[2])
        }

        var text: String { "\(start.milliseconds)/\(end.milliseconds)/\(page)" }

        /// What comes after a page; `nil` after the last one.
        func next(of pages: Int, now: Instant) -> Cursor? {
            var next = self
            next.page += 1
            if page < pages { return next }
            // Wider again, a little at a time, after one that had to be parted.
            next = Cursor(from: end + .seconds(1), now: now, span: (end - start) * 2)
            return next.start < next.end ? next : nil
        }
    }

    /// The report says which payments there were, the captures what became of each: a report tells of refunds in rows
    /// of their own, which may be weeks away. PayPal shows a payment in it up to three hours late.
    public func charges(since: Instant, after cursor: String?) async throws(PaymentError) -> ChargePage {
        let now = clock()
        let begin = Cursor(from: max(since, now - Self.reportReach), now: now)
        guard var place = cursor.map({ Cursor($0) }) ?? begin else {
            throw .refused(code: "cursor", message: "'\(cursor ?? "")' is no place in a report")
        }
        guard place.start < place.end else { return ChargePage(succeeded: [], next: nil) }
        var answer = try await report(place)
        // PayPal reports on 10,000 rows at most.
        while PayPalAnswer.isTooLarge(answer), let half = place.half {
            place = half
            answer = try await report(place)
        }
        let report = try PayPalAnswer.read(PayPalTransactions.self, answer)
        let payments = (report.transactionDetails ?? []).map(\.transactionInfo).filter(\.isPayment)
        let next = place.next(of: report.totalPages ?? 1, now: now)
        return ChargePage(succeeded: try await charges(of: payments.map(\.transactionId)), next: next?.text)
    }

    private func report(_ place: Cursor) async throws(PaymentError) -> ProviderConnection.Answer {
        try await connection.get(
            "/v1/reporting/transactions",
            [
                ("start_date", place.start.date.formatted(.iso8601)), ("end_date", place.end.date.formatted(.iso8601)),
                ("fields", "transaction_info"), ("page_size", String(Self.reportPage)), ("page", String(place.page)),
            ])
    }

    /// The charges of captures, in their order; a payment that is no capture is left out: nothing here asked for it.
    private func charges(of captures: [String]) async throws(PaymentError) -> [Charge] {
        let lookups = await withTaskGroup(of: (Int, Result<Charge?, PaymentError>).self) { group in
            var results: [Int: Result<Charge?, PaymentError>] = [:]
            for (index, capture) in captures.enumerated() {
                if index >= Self.lookupsMax, let (done, result) = await group.next() { results[done] = result }
                group.addTask { (index, await lookUp(capture)) }
            }
            for await (done, result) in group { results[done] = result }
            return results
        }
        var charges: [Charge] = []
        for index in captures.indices {
            if let charge = try lookups[index]?.get() { charges.append(charge) }
        }
        return charges
    }

    private func lookUp(_ capture: String) async -> Result<Charge?, PaymentError> {
        do throws(PaymentError) {
            guard case .succeeded(let charge) = try await charge(reference: capture) else { return .success(nil) }
            return .success(charge)
        } catch {
            if case .refused = error { return .success(nil) }
            return .failure(error)
        }
    }
}
