import Accounts
import GameData
import GameModel
import Hummingbird

/// The balance of the game, patch by patch. An edit is a new patch at once: matches that run keep theirs.
struct BalancePages: Sendable {
    static let patchesMax = 30

    let door: ConsoleDoor
    let balance: BalanceRepository

    private static let list = ConsoleLink(text: "Balance", href: "/console/balance")

    func add(to console: RouterGroup<APIContext>) {
        console.get("balance", use: door.page(for: [.developer], all))
        console.get("balance/patches/{number}", use: door.page(for: [.developer], patch))
        console.get("balance/characters/{id}", use: door.page(for: [.developer], show))
        console.post("balance/characters/{id}", use: door.form(for: [.developer], edit))
    }

    // MARK: Patches

    @Sendable private func all(_ visit: ConsoleVisit) async throws -> ConsolePage {
        let patches = try await balance.patches(limit: Self.patchesMax)
        var page = ConsolePage(title: "Balance")
        guard let current = patches.first else { return page }
        page.lead =
            "Patch \(current.patch) is what new matches are played with. A match ends with the patch it began with."
        page.blocks = Self.tables(of: current, editable: true)
        page.blocks.append(
            .tableBlock(
                "patches", heading: "Patches", caption: "Patches, newest first",
                columns: ["Patch", "Published", "What it changed"],
                rows: patches.enumerated().map { index, patch in
                    let before = index + 1 < patches.count ? patches[index + 1] : nil
                    var changes = ConsoleCell(before == nil ? "—" : "")
                    changes.lines = before.map { Self.changes(from: $0, to: patch) } ?? []
                    return [
                        ConsoleCell("Patch \(patch.patch)", href: "/console/balance/patches/\(patch.patch)"),
                        ConsoleWords.cell(patch.publishedAt), changes,
                    ]
                }, empty: ""))
        return page
    }

    private static func changes(from before: Patch, to after: Patch) -> [String] {
        after.characters.flatMap { character -> [String] in
            guard let old = before.characters.first(where: { $0.id == character.id }) else {
                return ["\(character.name): new"]
            }
            return [
                old.health == character.health
                    ? nil : "\(character.name): health \(old.health) → \(character.health)",
                old.damage == character.damage
                    ? nil : "\(character.name): damage \(old.damage) → \(character.damage)",
            ].compactMap { $0 }
        }
    }

    private static func tables(of patch: Patch, editable: Bool) -> [ConsoleBlock] {
        [
            .tableBlock(
                "characters", heading: "Characters", caption: "Characters of patch \(patch.patch)",
                columns: ["Character", .number("Health"), .number("Damage"), "Weapon"],
                rows: patch.characters.map { character in
                    [
                        ConsoleCell(
                            character.name,
                            href: editable ? "/console/balance/characters/\(ConsolePath.part(character.id))" : nil,
                            note: character.id), ConsoleCell(String(character.health)),
                        ConsoleCell(String(character.damage)), ConsoleCell(character.weapon),
                    ]
                }, empty: "There are no characters."),
            .tableBlock(
                "weapons", heading: "Weapons", caption: "Weapons of patch \(patch.patch)",
                columns: ["Weapon", .number("Damage"), .number("Cooldown")],
                rows: patch.weapons.map { weapon in
                    [
                        ConsoleCell(weapon.name, note: weapon.id), ConsoleCell(String(weapon.damage)),
                        ConsoleCell("\(weapon.cooldownMs) ms"),
                    ]
                }, empty: "There are no weapons."),
        ]
    }

    @Sendable private func patch(_ visit: ConsoleVisit) async throws -> ConsolePage {
        let version = PatchVersion(try visit.context.integerParameter("number"))
        guard let patch = try await balance.patch(version) else { throw GameDataError.unknownPatch(version) }
        var page = ConsolePage(title: "Patch \(patch.patch)", trail: [Self.list])
        page.blocks =
            [.factsBlock("patch", [ConsoleFact("Published", ConsoleWords.cell(patch.publishedAt))])]
            + Self.tables(of: patch, editable: false)
        return page
    }

    // MARK: Editing

    @Sendable private func show(_ visit: ConsoleVisit) async throws -> ConsolePage {
        let character = try await character(visit)
        return page(character, health: String(character.health), damage: String(character.damage))
    }

    private func page(
        _ character: Patch.Character, health: String, damage: String, problems: [String: String] = [:]
    ) -> ConsolePage {
        var form = ConsoleForm(
            action: "/console/balance/characters/\(ConsolePath.part(character.id))", submit: "Publish as a new patch",
            cancel: ConsoleLink(text: "Cancel", href: "/console/balance"))
        form.fields = [
            .number("health", "Health", health, hint: "1 to 10000 hit points at the start of a match.", required: true),
            .number("damage", "Damage", damage, hint: "0 to 1000, added to each hit of its weapon.", required: true),
        ]
        form.problemsHeading = "This was not published"
        form.add(problems)
        var page = ConsolePage(
            title: character.name, lead: "Matches placed from then on are played with the new patch.",
            trail: [Self.list])
        page.blocks = [.formBlock("character", form)]
        return page
    }

    @Sendable private func edit(_ visit: ConsoleVisit) async throws -> ConsoleAnswer {
        let character = try await character(visit)
        var reader = FieldReader(visit.body)
        let (health, damage) = (reader.integer("health"), reader.integer("damage"))
        if health == nil { reader.note("health", "Enter a whole number.") }
        if damage == nil { reader.note("damage", "Enter a whole number.") }
        func again(_ problems: [String: String]) -> ConsoleAnswer {
            .again(page(character, health: visit.body["health"], damage: visit.body["damage"], problems: problems))
        }
        guard reader.problems.isEmpty else { return again(reader.problems) }
        do {
            let edit = try await balance.editCharacter(character.id, health: health, damage: damage, by: visit.editor)
            return .seeOther("/console/balance", edit.isNew ? .balancePublished : .unchanged)
        } catch {
            guard case GameDataError.invalid(let field, let detail) = error else { throw error }
            return again([field: "This is not right: \(detail)."])
        }
    }

    private func character(_ visit: ConsoleVisit) async throws -> Patch.Character {
        let id = visit.context.parameters.get("id") ?? ""
        guard let character = try await balance.current().characters.first(where: { $0.id == id }) else {
            throw GameDataError.unknownCharacter(id)
        }
        return character
    }
}
