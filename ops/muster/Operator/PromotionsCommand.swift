import ArgumentParser
import Foundation
import GameData
import GameModel

/// `muster promotions`: prices that are lower for a time.
struct PromotionsCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "promotions",
        abstract: "Lower prices for a time.",
        discussion: """
            Example:
              muster promotions set launch --product skin-ember --percent 25 --hours 48
            """,
        subcommands: [PromotionsSetCommand.self])
}

/// `muster promotions set`.
struct PromotionsSetCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "set",
        abstract: "Make a promotion, or change one.",
        discussion: """
            Runs from now, or from --start, for --hours.

            Example:
              muster promotions set launch --product skin-ember --percent 25 --hours 48
              muster promotions set june --product skin-ember --percent 10 --start 1780272000000 --hours 72
            """)

    @OptionGroup var access: APIAccess
    @Argument(help: "The promotion's id.") var promotion: String
    @Option(help: "The product that is cheaper.") var product: String
    @Option(help: "By how many percent, 1 to 100.") var percent: Int
    @Option(help: "For how many hours.") var hours: Double = 24
    @Option(help: "When it begins, in Unix milliseconds; now where it is not given.") var start: Int64?

    func validate() throws {
        guard (1...100).contains(percent) else { throw ValidationError("--percent takes 1 to 100, not \(percent).") }
        guard hours > 0, hours <= 24 * 366 else { throw ValidationError("--hours takes more than 0, at most 8784.") }
    }

    func run() async throws {
        let begin = start ?? Instant.now.milliseconds
        let reply = try await access.send(
            .put, "/v1/dev/promotions/\(APIAccess.pathPart(promotion))",
            body: [
                "productId": .string(product), "percentOff": .integer(Int64(percent)), "startsAt": .integer(begin),
                "endsAt": .integer(begin + Int64(hours * 3_600_000)),
            ])
        print(try reply.pretty())
    }
}
