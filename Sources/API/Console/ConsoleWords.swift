import Foundation
import GameModel
import Store

/// How the console writes moments, amounts and states.
enum ConsoleWords {
    /// `2026-11-26 18:09 UTC`
    static func moment(_ instant: Instant) -> String {
        let text = instant.description
        return "\(text.prefix(10)) \(text.dropFirst(11).prefix(5)) UTC"
    }

    static func cell(_ instant: Instant) -> ConsoleCell {
        var cell = ConsoleCell(moment(instant))
        cell.moment = instant.description
        return cell
    }

    /// As an input of type `datetime-local` wants it, in UTC.
    static func input(_ instant: Instant?) -> String {
        guard let instant else { return "" }
        let text = instant.description
        return String(text.prefix(instant.milliseconds % 60_000 == 0 ? 16 : 19))
    }

    /// Reads what such an input sends; `nil` where it is none.
    static func instant(_ text: String) -> Instant? {
        let seconds = text.utf8.count == 16 ? ":00Z" : "Z"
        do {
            return Instant(try Date(text + seconds, strategy: .iso8601))
        } catch {
            return nil  // It is no moment.
        }
    }

    /// `4.99 EUR`, `500 gems`: an amount in minor units of a real or a virtual currency.
    static func amount(_ minorUnits: Int64, _ unit: String) -> String {
        Currency(rawValue: unit).map { Money(minorUnits: minorUnits, currency: $0).description }
            ?? "\(minorUnits) \(unit)"
    }

    static func cell(_ state: OrderState) -> ConsoleCell {
        let tone: ConsoleCell.Tone =
            switch state {
            case .paid: .good
            case .review: .warning
            case .declined, .chargedBack: .bad
            case .pending, .verifying, .refunded: .quiet
            }
        return ConsoleCell(words(state), tone: tone)
    }

    static func words(_ state: OrderState) -> String { spaced(state.rawValue) }

    static func words(_ kind: ProductKind) -> String { spaced(kind.rawValue) }

    private static func spaced(_ text: String) -> String { text.replacing("_", with: " ") }
}
