import APIWorker
import Accounts
import Foundation
import NIOHTTP1
import TestSupport
import Testing

@testable import API

private let isFullRun = ProcessInfo.processInfo.environment["MUSTER_FULL"] == "1"

/// A foreign program reads `openapi.yaml`, and holds the API against it: schemathesis makes thousands of requests out
/// of the file, good ones and bad ones, and looks at every answer.
///
/// Runs with `ops/test --full`, and takes some minutes.
@Suite("The API against its description", .enabled(if: isFullRun))
struct FuzzTests {
    /// Whose token is sent along, and which operations that opens: by tags, or by names.
    struct Round: Sendable, CustomTestStringConvertible {
        let role: Role
        let filter: [String]
        var testDescription: String { role.rawValue }

        static let all = [
            Round(
                role: .player,
                filter: ["accounts", "store", "matchmaking", "game", "operation"].flatMap { ["--include-tag", $0] }
                    // The others would be told 401 from then on.
                    + ["deleteAccount", "logOutEverywhere"].flatMap { ["--exclude-operation-id", $0] }),
            Round(role: .developer, filter: ["--include-tag", "developer"]),
            Round(
                role: .operator,
                filter: ["allOrders", "refund", "changeLog"].flatMap { ["--include-operation-id", $0] }),
            Round(role: .instance, filter: ["--include-tag", "fleet", "--include-operation-id", "consume"]),
        ]
    }

    /// A schema can't say all that the API checks of a good form: that a player is there, that a promotion's end
    /// follows its beginning. So an answer of 422 to data of the right form is no fault. And nobody guesses the name of
    /// an order.
    private static func settings(order: String) -> String {
        """
        [checks.positive_data_acceptance]
        expected-statuses = ["2xx", "304", "401", "403", "404", "409", "422", "429"]

        [[operations]]
        include-operation-id = "editCharacter"
        parameters = { id = "shade" }

        [[operations]]
        include-operation-id = "consume"
        parameters = { product = "potion-healing" }

        [[operations]]
        include-operation-id = "orderById"
        parameters = { id = "\(order)" }

        [[operations]]
        include-operation-id = "refund"
        parameters = { id = "\(order)" }
        """
    }

    @Test(
        "no request is answered with a fault of ours, or in a way that the description doesn't say",
        arguments: Round.all)
    func fuzz(round: Round) async throws {
        try await withAPI { configuration in
            // The limits are tried elsewhere; here they would keep most requests from the routes.
            configuration.limits = .init(unlimited: ())
            configuration.creationsPerHour = 0
        } _: { api in
            let player = try await api.player()
            try await api.grant("potion-healing", quantity: 100, to: player)
            struct Order: Decodable { var orderId: String }
            let order = try await api.client.send(
                .POST, "/v1/store/orders", token: player.accessToken,
                body: #"{"productId":"\#(try await api.anyProduct())","paymentMethod":"pm_card_visa"}"#,
                headers: [("Idempotency-Key", "before-the-fuzzing")]
            ).decode(Order.self)
            let token = round.role == .player ? player.accessToken : try await api.token(round.role)
            let settings = "\(api.folder)/schemathesis.toml"
            try Self.settings(order: order.orderId).write(toFile: settings, atomically: true, encoding: .utf8)
            let ending = try await ForeignProgram.run(
                try ForeignProgram.python(),
                [
                    "-m", "schemathesis.cli", "--config-file", settings, "run",
                    "\(api.client.base)/openapi.yaml", "--url", api.client.base, "--header",
                    "Authorization: Bearer \(token)", "--checks", "all", "--max-examples", "10", "--workers", "1",
                    "--seed", "20261126", "--no-color",
                ] + round.filter)
            #expect(ending.status == 0, "\(ending.output.suffix(20_000))\n\(ending.errors.suffix(2_000))")
        }
    }
}

extension RateLimits {
    /// No limit at all.
    fileprivate init(unlimited: ()) {
        self.init()
        (logIns, registrations, orders, quotes, exports, others) = (0, 0, 0, 0, 0, 0)
    }
}
