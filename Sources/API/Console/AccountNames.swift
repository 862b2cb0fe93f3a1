import Accounts
import GameModel

/// What those are called who made edits: editors are written down by their ids.
struct AccountNames: Sendable {
    private let names: [String: String]

    init(of editors: [String], in accounts: AccountService) async throws {
        var names: [String: String] = [:]
        for editor in Set(editors) {
            // `cli:user@host` is nobody's id.
            guard ULID(editor) != nil else { continue }
            do {
                names[editor] = try await accounts.account(PlayerID(editor)).displayName
            } catch {
                guard error == .unknownAccount else { throw error }
            }
        }
        self.names = names
    }

    func cell(_ editor: String) -> ConsoleCell {
        guard let name = names[editor] else { return .code(editor) }
        return ConsoleCell(name, note: editor)
    }
}
