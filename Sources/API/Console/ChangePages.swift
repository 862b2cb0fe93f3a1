import Accounts
import GameModel
import Hummingbird
import Records

/// Who changed what: the change logs of the two files, newest first.
struct ChangePages: Sendable {
    static let pageMax = 50

    let door: ConsoleDoor
    let accounts: AccountService
    let changes: ChangeLogRepository
    let balanceChanges: ChangeLogRepository

    func add(to console: RouterGroup<APIContext>) {
        console.get("changes", use: door.page(all))
    }

    @Sendable private func all(_ visit: ConsoleVisit) async throws -> ConsolePage {
        let isBalance = visit.request.query("of") == "balance"
        let subject = (visit.request.query("subject") ?? "").split(separator: " ").joined(separator: " ")
        let found = try await (isBalance ? balanceChanges : changes).changes(
            subject: subject.isEmpty ? nil : subject,
            kinds: isBalance ? nil : DevOrdersRoutes.kinds(for: visit.session.account.role),
            before: visit.request.query("before").flatMap { Int64($0) }, limit: Self.pageMax)
        let names = try await AccountNames(of: found.map(\.by), in: accounts)
        var form = ConsoleForm(action: "/console/changes", submit: "Show")
        form.isSearch = true
        form.fields = [
            .select(
                "of", "Of", isBalance ? "balance" : "store",
                [("store", "the store and accounts"), ("balance", "the balance")]),
            .text("subject", "Subject", subject, hint: "Whole: product skin-ember-knight. Empty: everything."),
        ]
        var page = ConsolePage(
            title: "Changes", lead: "Written in the same transaction as the change itself, for good.")
        page.blocks = [
            .formBlock("filter", form),
            .tableBlock(
                "changes", caption: "Changes, newest first",
                columns: ["Subject", "What", "By", "When", "Before and after"],
                rows: found.map { row($0, names) }, empty: "Nothing was changed."),
        ]
        if found.count == Self.pageMax, let last = found.last {
            let query = [
                ("of", isBalance ? "balance" : "store"), ("subject", subject), ("before", String(last.sequence)),
            ].filter { !$0.1.isEmpty }.map { "\($0.0)=\(ConsolePath.part($0.1))" }.joined(separator: "&")
            page.blocks[1].actions = [ConsoleLink(text: "Older changes", href: "/console/changes?\(query)")]
        }
        return page
    }

    private func row(_ change: ChangeLog.Change, _ names: AccountNames) -> [ConsoleCell] {
        var texts = ConsoleCell(change.before == nil && change.after == nil ? "—" : "")
        texts.details = [
            change.before.map { ConsoleDetail(name: "Before", text: $0) },
            change.after.map { ConsoleDetail(name: "After", text: $0) },
        ].compactMap { $0 }
        return [
            ConsoleCell(change.subject), ConsoleCell(change.action), names.cell(change.by),
            ConsoleWords.cell(Instant(milliseconds: change.at)), texts,
        ]
    }
}
