import ArgumentParser
import GameModel
import Records
import Store

/// `muster store orders`.
struct StoreOrdersCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "orders",
        abstract: "See orders, and decide those that need a person.",
        discussion: """
            Example:
              muster store orders ls --state review
              muster store orders show 01KDF3M8Y2V1B7N4QZ6T5R9X0C
            """,
        subcommands: [StoreOrdersListCommand.self, StoreOrdersShowCommand.self, StoreOrdersResolveCommand.self])
}

/// `muster store orders ls`.
struct StoreOrdersListCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "ls",
        abstract: "List orders, the newest first.",
        discussion: """
            Example:
              muster store orders ls --state review --state verifying
              muster store orders ls --player 01KDF3M8Y2V1B7N4QZ6T5R9X0C --json
              muster store orders ls --before 01KDF3M8Y2V1B7N4QZ6T5R9X0C
            """)

    @OptionGroup var access: StoreAccess
    @Option(
        help: ArgumentHelp(
            "\(OrderState.allCases.map(\.rawValue).joined(separator: ", ")); repeatable.", valueName: "state"))
    var state: [OrderState] = []
    @Option(help: ArgumentHelp("Only orders that this player paid.", valueName: "id")) var player: String?
    @Option(help: ArgumentHelp("Only orders for this product.", valueName: "id")) var product: ProductID?
    @Option(help: ArgumentHelp("Only what is older than this order: the next page.", valueName: "id"))
    var before: OrderID?
    @Option(help: "At most so many, 1 to 500.") var limit = 50
    @Flag(help: "Print JSON.") var json = false

    func validate() throws {
        guard OrderService.listedRange.contains(limit) else {
            throw ValidationError("--limit takes 1 to \(OrderService.listedRange.upperBound), not \(limit).")
        }
    }

    func run() async throws {
        let filter = OrderFilter(
            states: state.isEmpty ? nil : Set(state), player: player.map { PlayerID($0) }, productId: product,
            before: before, limit: limit)
        let orders = try await access.with { try await $0.service.orders.orders(filter) }
        if json { return try StoreText.printJSON(orders.map(OrderOutput.init)) }
        var table = TextTable(["order", "placed", "state", "amount", "product", "player", "note"], right: [3])
        for order in orders {
            table.add([
                order.orderId.rawValue, order.createdAt.description, order.state.rawValue,
                StoreText.amount(order.amount, order.unit), "\(order.quantity) × \(order.productId)",
                order.playerId.rawValue, OrderText.note(order),
            ])
        }
        print(table.text)
        if orders.count == limit, let last = orders.last {
            print("\nthere may be more: --before \(last.orderId)")
        }
    }
}

/// `muster store orders show`.
struct StoreOrdersShowCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "show",
        abstract: "Show all of an order: its price line by line, the money, what was given, and who decided.",
        discussion: """
            Example:
              muster store orders show 01KDF3M8Y2V1B7N4QZ6T5R9X0C
              muster store orders show 01KDF3M8Y2V1B7N4QZ6T5R9X0C --json
            """)

    @OptionGroup var access: StoreAccess
    @Argument(help: "The order's id.") var order: OrderID
    @Flag(help: "Print JSON.") var json = false

    func run() async throws {
        let file = try await access.with { try await $0.file(of: order) }
        if json { return try StoreText.printJSON(file) }
        print(file.text)
    }
}

/// `muster store orders resolve`.
struct StoreOrdersResolveCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "resolve",
        abstract: "Decide an order in review: grant it, or close it.",
        discussion: """
            Look at the provider first. 'paid' books what it charged and gives the player what they bought; \
            'declined' closes the order without. What was charged and is to go back: 'muster store refund'.

            Example:
              muster store orders resolve 01KDF3M8Y2V1B7N4QZ6T5R9X0C paid --reason "Seen there" --charged "4.99 EUR"
              muster store orders resolve 01KDF3M8Y2V1B7N4QZ6T5R9X0C declined --reason "Never charged" --yes
            """)

    @OptionGroup var access: StoreAccess
    @OptionGroup var confirmation: Confirmation
    @Argument(help: "The order's id.") var order: OrderID
    @Argument(help: "paid or declined.") var verdict: OrderState
    @Option(help: "Why, for the change log: 1 to 200 characters.") var reason: String
    @Option(
        help: ArgumentHelp(
            "What the provider charged; may be left out where the review's reason tells that it was the price.",
            valueName: "money"))
    var charged: Money?
    @Flag(help: "Print JSON.") var json = false

    func validate() throws {
        guard verdict == .paid || verdict == .declined else {
            throw ValidationError("An order is resolved as paid or declined, not \(verdict.rawValue).")
        }
    }

    func run() async throws {
        let resolved = try await access.with { desk in
            let now = try await desk.service.orders.order(order)
            try confirmation.require(
                "Resolve order \(order) (\(StoreText.amount(now.amount, now.unit)), \(now.productId)) as "
                    + "\(verdict.rawValue)?")
            return try await desk.service.orders.resolve(
                order, as: verdict, reason: reason, charged: charged, by: StoreAccess.editor)
        }
        if json { return try StoreText.printJSON(OrderOutput(resolved)) }
        print("order \(order) is \(resolved.state.rawValue)")
    }
}

/// `muster store refund`.
struct StoreRefundCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "refund",
        abstract: "Give a paid order back: the money to the player, what was bought from them.",
        discussion: """
            Where the wallet paid, it is done at once. Where a provider charged, the refund is written down with the \
            order, and a running verifier has the provider make it: see 'muster store orders show'.

            Example:
              muster store refund 01KDF3M8Y2V1B7N4QZ6T5R9X0C --reason "Bought by mistake"
            """)

    @OptionGroup var access: StoreAccess
    @OptionGroup var confirmation: Confirmation
    @Argument(help: "The order's id.") var order: OrderID
    @Option(help: "Why, for the order and the change log: 1 to 200 characters.") var reason: String
    @Flag(help: "Print JSON.") var json = false

    func run() async throws {
        let refunded = try await access.with { desk in
            let now = try await desk.service.orders.order(order)
            try confirmation.require(
                "Refund order \(order) (\(StoreText.amount(now.amount, now.unit)), \(now.productId), player "
                    + "\(now.playerId))?")
            return try await desk.service.orders.requestRefund(order, reason: reason, by: StoreAccess.editor)
        }
        if json { return try StoreText.printJSON(OrderOutput(refunded)) }
        if refunded.state == .refunded {
            print("order \(order) is refunded\(refunded.flag.map { ": \($0)" } ?? "")")
        } else {
            print(
                "the refund of order \(order) is on its way: a running verifier has the provider make it\n"
                    + "see how it goes: muster store orders show \(order)")
        }
    }
}
