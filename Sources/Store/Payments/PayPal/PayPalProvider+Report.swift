import Foundation
import GameModel

extension PayPalProvider {
    /// The longest span that PayPal reports on in one call is 31 days.
    static let reportSpan: Duration = .seconds(30 * 86_400)
    static let reportPage = 100
    /// Captures that are looked up at the same time.
    static let lookupsMax = 8

    /// Where a report goes on.
    struct Cursor: Equatable {
        var start: Instant
        /// From 1.
        var page: Int

        init(start: Instant, page: Int) {
            self.start = start
            self.page = page
        }

        init?(_ text: String) {
            let sides = text.split(separator: "/")
            guard sides.count == 2, let start = Int64(sides[0]), let page = Int(sides[1]), page > 0 else { return nil }
            self.init(start: Instant(milliseconds: start), page: page)
        }

        var text: String { "\(start.milliseconds)/\(page)" }
    }

    /// The report says which payments there were, the captures what became of each: a report tells of refunds in rows
    /// of their own, which may be weeks away. PayPal shows a payment in it up to three hours late.
    public func charges(since: Instant, after cursor: String?) async throws(PaymentError) -> ChargePage {
        guard let place = cursor.map({ Cursor($0) }) ?? Cursor(start: since, page: 1) else {
            throw .refused(code: "cursor", message: "'\(cursor ?? "")' is no place in a report")
        }
        let now = clock()
        let end = min(place.start + Self.reportSpan, now)
        guard place.start < end else { return ChargePage(succeeded: [], next: nil) }
        let answer = try await connection.get(
            "/v1/reporting/transactions",
            [
                ("start_date", place.start.date.formatted(.iso8601)), ("end_date", end.date.formatted(.iso8601)),
                ("fields", "transaction_info"), ("page_size", String(Self.reportPage)), ("page", String(place.page)),
            ])
        let report = try PayPalAnswer.read(PayPalTransactions.self, answer)
        let payments = (report.transactionDetails ?? []).map(\.transactionInfo).filter(\.isPayment)
        let next: Cursor? =
            if place.page < report.totalPages ?? 1 {
                Cursor(start: place.start, page: place.page + 1)
            } else {
                end < now ? Cursor(start: end, page: 1) : nil
            }
        return ChargePage(succeeded: try await charges(of: payments.map(\.transactionId)), next: next?.text)
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
