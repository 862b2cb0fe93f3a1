import ArgumentParser
import GameModel
import Store

extension Promotion.Stacking: ExpressibleByArgument {}

/// The fields of a promotion, each as an option.
struct PromotionFlags: ParsableArguments {
    /// What can be emptied.
    enum Field: String, ExpressibleByArgument, CaseIterable {
        case product, code, limit
        case limitTotal = "limit-total"
    }

    @Option(help: "What players read on the quote.") var name: String?
    @Option(help: ArgumentHelp("A product that it holds for, repeatable; all where none is given.", valueName: "id"))
    var product: [ProductID] = []
    @Option(help: "By how many percent, 1 to 90.") var percent: Int?
    @Option(help: ArgumentHelp("An amount off, like \"1.00 EUR\"; one per currency, repeatable.", valueName: "money"))
    var off: [Money] = []
    @Option(help: "What players enter to get it: 4 to 32 of A-Z, 0-9 and '-'.") var code: String?
    @Option(help: ArgumentHelp("The first moment at which it holds, like 2026-12-01T12:00:00Z.", valueName: "time"))
    var from: Instant?
    @Option(help: ArgumentHelp("The first moment at which it no longer holds.", valueName: "time"))
    var until: Instant?
    @Option(help: "For how many hours from its beginning, instead of --until.") var hours: Double?
    @Option(help: "The most orders of one player with it.") var limit: Int?
    @Option(help: "The most orders of all players with it.") var limitTotal: Int?
    @Option(help: "exclusive or stackable.") var stacking: Promotion.Stacking?
    @Option(
        help: ArgumentHelp(
            "Empties a field: \(Field.allCases.map(\.rawValue).joined(separator: ", ")); repeatable.",
            valueName: "field"))
    var clear: [Field] = []

    func validate() throws {
        if until != nil, hours != nil { throw ValidationError("Give --until or --hours, not both.") }
        if percent != nil, !off.isEmpty { throw ValidationError("Give --percent or --off, not both.") }
        if let hours, !(hours > 0 && hours <= 24 * 366) {
            throw ValidationError("--hours takes more than 0, at most 8784, not \(hours).")
        }
    }

    var isEmpty: Bool {
        name == nil && product.isEmpty && percent == nil && off.isEmpty && code == nil && from == nil && until == nil
            && hours == nil && limit == nil && limitTotal == nil && stacking == nil && clear.isEmpty
    }

    /// The promotion with what was given; a new one where there is none yet.
    func applied(to old: Promotion?, id: String, at now: Instant) throws -> Promotion {
        let begin = from ?? old?.startsAt ?? now
        let end = until ?? hours.map { begin + .milliseconds(Int64($0 * 3_600_000)) } ?? old?.endsAt
        guard let end, percent != nil || !off.isEmpty || old != nil else {
            throw CommandFailure(
                "There is no promotion \(id) in the draft yet.",
                nextStep: "A new one needs --percent or --off, and --until or --hours.")
        }
        func kept<Value>(_ field: Field, _ value: Value?, _ old: Value?) -> Value? {
            value ?? (clear.contains(field) ? nil : old)
        }
        // One kind of discount takes the place of the other.
        let isGiven = percent != nil || !off.isEmpty
        return Promotion(
            promotionId: id, name: name ?? old?.name ?? id,
            productIds: kept(.product, product.isEmpty ? nil : product, old?.productIds) ?? [],
            percentOff: isGiven ? percent : old?.percentOff, amountsOff: isGiven ? off : old?.amountsOff ?? [],
            code: kept(.code, code?.uppercased(), old?.code), startsAt: begin, endsAt: end,
            limitPerPlayer: kept(.limit, limit, old?.limitPerPlayer),
            limitTotal: kept(.limitTotal, limitTotal, old?.limitTotal),
            stacking: stacking ?? old?.stacking ?? .exclusive)
    }
}
