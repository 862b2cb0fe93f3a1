import Accounts
import GameData
import GameModel
import HTTPTypes
import Hummingbird
import Logging

/// The balance for developers: its draft, what publishing it would change, and its patches.
struct DevBalanceRoutes: Sendable {
    private static let patchesPage = 1...BalanceRepository.patchesMax

    let balance: BalanceRepository

    func add(to router: some RouterMethods<APIContext>) {
        router.patch("/v1/dev/characters/{id}", use: editCharacter)
        router.get("/v1/dev/balance/draft", use: draft)
        router.put("/v1/dev/balance/draft", use: replaceDraft)
        router.patch("/v1/dev/balance/draft", use: editDraft)
        router.delete("/v1/dev/balance/draft", use: discardDraft)
        router.get("/v1/dev/balance/diff", use: diff)
        router.get("/v1/dev/balance/patches", use: patches)
        router.post("/v1/dev/balance/patches", use: publish)
        router.post("/v1/dev/balance/patches/{n}/rollback", use: rollBack)
    }

    // MARK: The draft

    @Sendable func draft(_ request: Request, _ context: APIContext) async throws -> Response {
        _ = try context.requireIdentity(role: .developer)
        return try .json(DraftReply(try await balance.draft()))
    }

    @Sendable func replaceDraft(_ request: Request, _ context: APIContext) async throws -> Response {
        let identity = try context.requireIdentity(role: .developer)
        let document = try BalanceDocument(tree: try await request.decodeBody(JSONValue.self, context: context))
        return try .json(DraftReply(try await balance.replaceDraft(with: document, by: identity.subject)))
    }

    @Sendable func editDraft(_ request: Request, _ context: APIContext) async throws -> Response {
        let identity = try context.requireIdentity(role: .developer)
        let edits = try await request.decodeBody(DraftEdits.self, context: context)
        let assignments = try (edits.set ?? [:]).sorted { $0.key < $1.key }
            .map { try BalanceAssignment($0.key, $0.value) }
        let paths = try (edits.remove ?? []).map { try BalancePath(parsing: $0) }
        let draft = try await balance.edit(
            assignments, removing: paths, allowsNew: edits.new ?? false, by: identity.subject)
        return try .json(DraftReply(draft))
    }

    @Sendable func discardDraft(_ request: Request, _ context: APIContext) async throws -> Response {
        let identity = try context.requireIdentity(role: .developer)
        return try .json(DraftReply(try await balance.discardDraft(by: identity.subject)))
    }

    // MARK: Patches

    @Sendable func diff(_ request: Request, _ context: APIContext) async throws -> Response {
        _ = try context.requireIdentity(role: .developer)
        let (from, to) = (try Self.number("from", request), try Self.number("to", request))
        let (before, after) = (try await known(from), try await known(to))
        return try .json(
            DiffReply(
                from: before.patch, to: after.patch,
                changes: BalanceChange.between(before.document, after.document)))
    }

    @Sendable func patches(_ request: Request, _ context: APIContext) async throws -> Response {
        _ = try context.requireIdentity(role: .developer)
        let limit = try request.query("limit", default: 20, in: Self.patchesPage)
        return try .json(PatchesReply(patches: try await balance.patches(limit: limit).map(PatchLine.init)))
    }

    @Sendable func publish(_ request: Request, _ context: APIContext) async throws -> Response {
        let identity = try context.requireIdentity(role: .developer)
        let body = try await request.decodeBody(NoteBody.self, context: context)
        return try published(try await balance.publish(note: body.note, by: identity.subject), identity, context)
    }

    @Sendable func rollBack(_ request: Request, _ context: APIContext) async throws -> Response {
        let identity = try context.requireIdentity(role: .developer)
        let version = PatchVersion(try context.integerParameter("n"))
        let body = try await request.decodeBody(NoteBody.self, context: context)
        let edit = try await balance.rollBack(to: version, note: body.note, by: identity.subject)
        return try published(edit, identity, context)
    }

    @Sendable func editCharacter(_ request: Request, _ context: APIContext) async throws -> Response {
        let identity = try context.requireIdentity(role: .developer)
        let edit = try await request.decodeBody(CharacterEdit.self, context: context)
        guard let character = context.parameters.get("id") else {
            throw Problem.notFound("There is nothing under this id.")
        }
        let outcome = try await balance.editCharacter(
            character, health: edit.health, damage: edit.damage, by: identity.subject)
        return try published(outcome, identity, context)
    }

    /// 201 with the place of the new patch; 200 with the current one where nothing was to be published.
    private func published(_ edit: BalanceEdit, _ identity: Identity, _ context: APIContext) throws -> Response {
        guard edit.isNew else { return try .json(edit.patch) }
        context.logger.info(
            "patch published", metadata: ["patch": "\(edit.patch.patch)", "by": "\(identity.subject)"])
        return try .json(
            edit.patch, status: .created, headers: [.location: "/v1/data/patches/\(edit.patch.patch)"])
    }

    private static func number(_ name: String, _ request: Request) throws -> PatchVersion {
        guard request.query(name) != nil else {
            throw Problem.invalidField(name, "Give the number of a patch.")
        }
        return PatchVersion(try request.query(name, default: 1, in: 1...Int(Int32.max)))
    }

    private func known(_ version: PatchVersion) async throws -> Patch {
        guard let patch = try await balance.patch(version) else { throw GameDataError.unknownPatch(version) }
        return patch
    }
}

// MARK: Bodies

/// What to change; what is absent stays.
private struct CharacterEdit: Decodable {
    var health: Int?
    var damage: Int?
}

private struct DraftEdits: Decodable {
    /// Values by path: `"characters.shade.damage": 55`.
    var set: [String: JSONValue]?
    /// Things to take out: `items.boots`.
    var remove: [String]?
    /// Whether things that are not there are made.
    var new: Bool?
}

private struct NoteBody: Decodable {
    var note: String
}

private struct DraftReply: Encodable {
    var current: PatchVersion
    var document: BalanceDocument
    var editedBy: String?
    var editedAt: Instant?
    var changes: [BalanceChange]
    var problems: [BalanceFault]

    init(_ draft: BalanceDraft) {
        current = draft.current
        document = draft.document
        editedBy = draft.editedBy
        editedAt = draft.editedAt
        changes = draft.changes
        problems = draft.faults
    }
}

private struct DiffReply: Encodable {
    var from: PatchVersion
    var to: PatchVersion
    var changes: [BalanceChange]
}

private struct PatchesReply: Encodable {
    var patches: [PatchLine]
}
