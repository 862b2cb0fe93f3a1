import Accounts
import GameModel
import Hummingbird
import Store

/// Where one begins: what there is to do, with figures of now.
struct HomePage: Sendable {
    let door: ConsoleDoor
    let store: StoreService

    func add(to console: RouterGroup<APIContext>) {
        console.get("", use: door.page(home))
    }

    @Sendable private func home(_ visit: ConsoleVisit) async throws -> ConsolePage {
        var page = ConsolePage(title: "Hello, \(visit.session.account.displayName)")
        page.lead = "Everything you change here is in the change log under your name."
        var block = ConsoleBlock(id: "places")
        block.cards = visit.session.account.role == .developer ? try await forDeveloper() : try await forOperator()
        block.cards.append(ConsoleCard(title: "Changes", text: "Who changed what, and when.", href: "/console/changes"))
        page.blocks = [block]
        return page
    }

    private func forDeveloper() async throws -> [ConsoleCard] {
        let draft = try await store.editor.draft()
        let changes = try await store.editor.changes().count
        let problems = try await store.editor.problems().count
        return [
            ConsoleCard(
                title: "Products", text: "What is sold: prices, windows, limits, pictures.", href: "/console/products",
                figure: String(draft.products.count)),
            ConsoleCard(
                title: "Promotions", text: "Discounts, by themselves or with a code.", href: "/console/promotions",
                figure: String(draft.promotions.count)),
            ConsoleCard(
                title: "To publish",
                text: problems > 0
                    ? "Changes of the draft; \(problems) problems are in the way." : "Changes of the draft.",
                href: "/console/publish", figure: String(changes)),
            ConsoleCard(title: "Versions", text: "What was published, and the way back.", href: "/console/versions"),
            ConsoleCard(title: "Balance", text: "Who and what is played, patch by patch.", href: "/console/balance"),
        ]
    }

    private func forOperator() async throws -> [ConsoleCard] {
        let review = try await store.orders.orders(OrderFilter(states: [.review], limit: 100)).count
        return [
            ConsoleCard(
                title: "Orders in review", text: "The provider’s answer did not fit: a person decides.",
                href: "/console/orders?state=review", figure: review == 100 ? "100+" : String(review)),
            ConsoleCard(title: "Orders", text: "What was bought, charged and given back.", href: "/console/orders"),
            ConsoleCard(title: "Players", text: "Accounts, sessions, what they own.", href: "/console/players"),
        ]
    }
}
