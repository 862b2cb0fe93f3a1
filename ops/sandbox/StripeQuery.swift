import Hummingbird

/// What narrows a list of Stripe's.
struct StripeQuery: Sendable {
    let path: String
    let limit: Int
    /// The id of the one before the page.
    let after: String?
    /// Unix seconds.
    let times: ClosedRange<Int64>
    /// The payment intent or the charge that it is about.
    let parent: String?
    private let expansions: Set<String>

    /// - Throws: what to answer in place of a list.
    init(_ request: Request) throws(StripeQuery.Refusal) {
        // Names come with their brackets encoded, which the router leaves as they are.
        guard let fields = FormBody(request.uri.query ?? "") else {
            throw Refusal(answer: .invalid("The query can't be read.", code: "parameter_invalid_string", param: nil))
        }
        func text(_ name: String) -> String? { fields[name] }
        path = request.uri.path
        guard let limit = text("limit").map({ Int($0) }) ?? SandboxBooks.pageDefault,
            (1...SandboxBooks.pageMax).contains(limit)
        else {
            throw Refusal(
                answer: .invalid(
                    "Invalid limit: from 1 to \(SandboxBooks.pageMax).", code: "parameter_invalid_integer",
                    param: "limit"))
        }
        self.limit = limit
        after = text("starting_after")
        parent = text("payment_intent") ?? text("charge")
        expansions = Set(fields.values(of: "expand[]"))
        let from: Int64 = try Self.seconds(text("created[gte]")) ?? .min
        let past = try Self.seconds(text("created[gt]"))
        let to: Int64 = try Self.seconds(text("created[lte]")) ?? .max
        let before = try Self.seconds(text("created[lt]"))
        let (lower, upper) = (Swift.max(from, past.map { $0 + 1 } ?? from), Swift.min(to, before.map { $0 - 1 } ?? to))
        times = lower <= upper ? lower...upper : 0...0
    }

    struct Refusal: Error { let answer: SandboxAnswer }

    private static func seconds(_ text: String?) throws(Refusal) -> Int64? {
        guard let text else { return nil }
        guard let seconds = Int64(text), (-(1 << 40)...1 << 40).contains(seconds) else {
            throw Refusal(
                answer: .invalid("Invalid time: \(text)", code: "parameter_invalid_integer", param: "created"))
        }
        return seconds
    }

    func expands(_ path: String) -> Bool { expansions.contains(path) }

    func fits(_ charge: Charge) -> Bool { parent == nil || parent == charge.paymentIntent || parent == charge.id }

    func page<Element>(
        of listing: Listing<Element>, where fits: (Element) -> Bool
    ) -> (data: [Element], hasMore: Bool)? {
        listing.page(limit: limit, after: after, in: times, where: fits)
    }

    /// A page of a few, which came oldest first.
    func page<Element>(of few: [Element]) -> (data: [Element], hasMore: Bool) {
        (Array(few.reversed().prefix(limit)), few.count > limit)
    }
}
