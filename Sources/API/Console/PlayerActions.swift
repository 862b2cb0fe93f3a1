import Accounts
import GameModel
import Hummingbird
import Store

/// What operators do to a player's account, each on a page that asks first.
struct PlayerActions: Sendable {
    let door: ConsoleDoor
    let store: StoreService
    let accounts: AccountService

    func add(to console: RouterGroup<APIContext>) {
        console.get("players/{id}/lock", use: door.page(for: [.operator]) { lockForm(try await account($0)) })
        console.post("players/{id}/lock", use: door.form(for: [.operator], lock))
        console.get("players/{id}/unlock", use: door.page(for: [.operator], askToUnlock))
        console.post("players/{id}/unlock", use: door.form(for: [.operator], unlock))
        console.get("players/{id}/sessions/end", use: door.page(for: [.operator], askToEndAll))
        console.post("players/{id}/sessions/end", use: door.form(for: [.operator], endAll))
        console.get("players/{id}/sessions/{session}/end", use: door.page(for: [.operator], askToEnd))
        console.post("players/{id}/sessions/{session}/end", use: door.form(for: [.operator], end))
        console.get("players/{id}/grant", use: door.page(for: [.operator], askToGrant))
        console.post("players/{id}/grant", use: door.form(for: [.operator], grant))
    }

    private func account(_ visit: ConsoleVisit) async throws -> Account { try await accounts.account(try visit.id()) }

    /// A page that asks before something is done to an account.
    private func ask(
        _ title: String, _ lead: String, _ account: Account, action: String, submit: String, danger: Bool = true,
        fields: [ConsoleField] = [], problems: [String: String] = [:]
    ) -> ConsolePage {
        let path = PlayerPages.path(account.playerId)
        var form = ConsoleForm(
            action: "\(path)/\(action)", submit: submit, cancel: ConsoleLink(text: "Don’t", href: path),
            isDanger: danger)
        form.fields = fields
        form.problemsHeading = "Nothing was done"
        form.add(problems)
        var page = ConsolePage(
            title: title, lead: lead, trail: [PlayerPages.list, ConsoleLink(text: account.displayName, href: path)])
        page.blocks = [.formBlock("ask", form)]
        return page
    }

    // MARK: Locking

    private func lockForm(_ account: Account, problems: [String: String] = [:]) -> ConsolePage {
        ask(
            "Lock this account?", "The player is logged out everywhere, and can’t log in until it is unlocked.",
            account,
            action: "lock", submit: "Lock",
            fields: [.text("reason", "Reason", hint: "The player is told at the next log-in.", required: true)],
            problems: problems)
    }

    @Sendable private func lock(_ visit: ConsoleVisit) async throws -> ConsoleAnswer {
        let account = try await account(visit)
        let reason = visit.body["reason"]
        guard !reason.isEmpty else { return .again(lockForm(account, problems: ["reason": "Enter a reason."])) }
        guard account.playerId != visit.session.account.playerId else {
            return .again(lockForm(account, problems: ["": "This is your own account."]))
        }
        do {
            _ = try await accounts.lock(account.playerId, reason: reason, by: visit.editor)
        } catch {
            guard case .invalidField(let name, let words) = error else { throw error }
            return .again(lockForm(account, problems: [name: "\(words)."]))
        }
        return .seeOther(PlayerPages.path(account.playerId), .locked)
    }

    @Sendable private func askToUnlock(_ visit: ConsoleVisit) async throws -> ConsolePage {
        let account = try await account(visit)
        let reason = account.lockedReason.map { "It is locked: \($0)." } ?? "It is not locked."
        return ask(
            "Unlock this account?", "\(reason) The player can log in again.", account, action: "unlock",
            submit: "Unlock", danger: false)
    }

    @Sendable private func unlock(_ visit: ConsoleVisit) async throws -> ConsoleAnswer {
        let account = try await account(visit)
        _ = try await accounts.unlock(account.playerId, by: visit.editor)
        return .seeOther(PlayerPages.path(account.playerId), .unlocked)
    }

    // MARK: Sessions

    @Sendable private func askToEndAll(_ visit: ConsoleVisit) async throws -> ConsolePage {
        ask(
            "Log this player out everywhere?", "Access tokens that are out last until they expire, minutes at most.",
            try await account(visit), action: "sessions/end", submit: "Log out everywhere")
    }

    @Sendable private func endAll(_ visit: ConsoleVisit) async throws -> ConsoleAnswer {
        let account = try await account(visit)
        try await accounts.endAll(of: account.playerId, by: visit.editor)
        return .seeOther(PlayerPages.path(account.playerId), .sessionEnded)
    }

    @Sendable private func askToEnd(_ visit: ConsoleVisit) async throws -> ConsolePage {
        let account = try await account(visit)
        let id: SessionID = try visit.id("session")
        guard let session = try await accounts.sessions(of: account.playerId).first(where: { $0.id == id }) else {
            throw Problem.notFound("This session is not open.")
        }
        return ask(
            "End this session?",
            "\(session.agent ?? "An unknown client"), since \(ConsoleWords.moment(session.createdAt)).", account,
            action: "sessions/\(ConsolePath.part(id.rawValue))/end", submit: "Log out there")
    }

    @Sendable private func end(_ visit: ConsoleVisit) async throws -> ConsoleAnswer {
        let account = try await account(visit)
        try await accounts.end(try visit.id("session"), of: account.playerId, by: visit.editor)
        return .seeOther(PlayerPages.path(account.playerId), .sessionEnded)
    }

    // MARK: Giving

    /// Nobody is left to have what a deleted account is given.
    private func recipient(_ visit: ConsoleVisit) async throws -> Account {
        let account = try await account(visit)
        guard account.deletedAt == nil else { throw Problem.conflict("This account is deleted.") }
        return account
    }

    @Sendable private func askToGrant(_ visit: ConsoleVisit) async throws -> ConsolePage {
        // The form's own name for this gift: sent twice, it gives once.
        grantForm(try await recipient(visit), product: "", quantity: "1", reference: ULID().description)
    }

    private func grantForm(
        _ account: Account, product: String, quantity: String, reference: String, problems: [String: String] = [:]
    ) -> ConsolePage {
        ask(
            "Give \(account.displayName) a product", "Without an order and without a charge.", account, action: "grant",
            submit: "Give", danger: false,
            fields: [
                .text("productId", "Product’s id", product, required: true),
                .number("quantity", "How many", quantity, required: true), .hidden("reference", reference),
            ], problems: problems)
    }

    @Sendable private func grant(_ visit: ConsoleVisit) async throws -> ConsoleAnswer {
        let account = try await recipient(visit)
        var reader = FieldReader(visit.body)
        let product: ProductID? = reader.identifier("productId", "a product’s id")
        let quantity = reader.integer("quantity") ?? 0
        if quantity < 1 { reader.note("quantity", "Enter a number from 1.") }
        let reference = visit.body["reference"]
        func again(_ problems: [String: String]) -> ConsoleAnswer {
            .again(
                grantForm(
                    account, product: visit.body["productId"], quantity: visit.body["quantity"], reference: reference,
                    problems: problems))
        }
        guard ULID(reference) != nil else { throw Problem.malformedJSON("The form has no reference of its own.") }
        guard reader.problems.isEmpty, let product else { return again(reader.problems) }
        do {
            try await store.inventory.grant(
                product, quantity: quantity, to: account.playerId, reference: "console \(reference)", by: visit.editor)
        } catch {
            if case .unknownProduct(let id) = error { return again(["productId": "There is no product \(id)."]) }
            guard let problems = error.formProblem else { throw error }
            return again(problems)
        }
        return .seeOther(PlayerPages.path(account.playerId), .granted)
    }
}
