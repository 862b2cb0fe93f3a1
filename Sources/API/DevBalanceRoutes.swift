import Accounts
import GameData
import HTTPTypes
import Hummingbird
import Logging

/// Edits of the balance by developers. Each publishes a new patch, for matches placed from then on.
struct DevBalanceRoutes: Sendable {
    let balance: BalanceRepository

    func add(to router: some RouterMethods<APIContext>) {
        router.patch("/v1/dev/characters/{id}", use: editCharacter)
    }

    @Sendable func editCharacter(_ request: Request, _ context: APIContext) async throws -> Response {
        let identity = try context.requireIdentity(role: .developer)
        let edit = try await request.decodeBody(CharacterEdit.self, context: context)
        guard let character = context.parameters.get("id") else {
            throw Problem.notFound("There is nothing under this id.")
        }
        let outcome = try await balance.editCharacter(
            character, health: edit.health, damage: edit.damage, by: identity.subject)
        guard outcome.isNew else { return try .json(outcome.patch) }
        context.logger.info(
            "patch published",
            metadata: [
                "patch": "\(outcome.patch.patch)", "character": "\(character)", "by": "\(identity.subject)",
            ])
        return try .json(
            outcome.patch, status: .created, headers: [.location: "/v1/patches/\(outcome.patch.patch)"])
    }
}

/// What to change; what is absent stays.
private struct CharacterEdit: Decodable {
    var health: Int?
    var damage: Int?
}
