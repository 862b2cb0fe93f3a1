import Accounts
import Foundation
import GameData
import Hummingbird
import Records
import Store

/// The web console: pages for developers (what is sold, balance) and operators (orders, players), made on the server,
/// that work without JavaScript.
///
/// It stands on the same services as the API and the command line, and everything it changes is in the change log under
/// the account that changed it.
struct ConsoleRoutes: Sendable {
    let door: ConsoleDoor
    let store: StoreService
    let accounts: AccountService
    let balance: BalanceRepository
    let pictures: PictureService
    /// Edits of the store and of accounts.
    let changes: ChangeLogRepository
    /// Edits of the balance, which are in a file of their own.
    let balanceChanges: ChangeLogRepository

    init(_ dependencies: APIDependencies) {
        door = ConsoleDoor(
            accounts: dependencies.accounts, tokens: dependencies.tokens, templates: ConsoleTemplates(),
            pictureOrigin: Self.origin(of: dependencies.pictures))
        store = dependencies.store
        accounts = dependencies.accounts
        balance = dependencies.balance
        pictures = dependencies.pictures
        changes = dependencies.storeChanges
        balanceChanges = dependencies.gameChanges
    }

    /// `https://cdn.example`, where pictures come from another server than this; any picture's address tells.
    private static func origin(of pictures: PictureService) -> String? {
        let digest = String(repeating: "0", count: 64)
        guard let name = PictureName(sha256: digest, format: .png), let address = pictures.url(of: name.key),
            let parts = URLComponents(string: address), let scheme = parts.scheme, let host = parts.host
        else { return nil }
        return "\(scheme)://\(host)" + (parts.port.map { ":\($0)" } ?? "")
    }

    func add(to router: some RouterMethods<APIContext>) {
        let console = router.group("/console")
        console.get("console.css") { [door] request, context in door.style(request, context) }
        LogInPages(door: door, accounts: accounts).add(to: console)
        HomePage(door: door, store: store).add(to: console)
        ProductPages(door: door, editor: store.editor, pictures: pictures).add(to: console)
        PromotionPages(door: door, editor: store.editor).add(to: console)
        CatalogPages(door: door, editor: store.editor, accounts: accounts).add(to: console)
        BalancePages(door: door, balance: balance).add(to: console)
        PatchPages(door: door, balance: balance, accounts: accounts).add(to: console)
        OrderPages(door: door, store: store, accounts: accounts).add(to: console)
        PlayerPages(door: door, store: store, accounts: accounts).add(to: console)
        ChangePages(door: door, accounts: accounts, changes: changes, balanceChanges: balanceChanges).add(to: console)
        // Whatever else is below it is a page that there is not, and not a problem in JSON.
        console.get("**", use: door.page { _ in throw Problem.notFound("There is no such page in the console.") })
    }
}
