import ArgumentParser
import Foundation
import GameData

/// `muster balance`: characters and weapons.
struct BalanceCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "balance",
        abstract: "See and change characters; a change is a new patch, for matches to come.",
        discussion: """
            Example:
              muster balance show
              muster balance set shade --damage 32
            """,
        subcommands: [BalanceShowCommand.self, BalanceSetCommand.self])
}

/// `muster balance show`.
struct BalanceShowCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "show",
        abstract: "Show the balance in force, or that of a patch.",
        discussion: """
            Example:
              muster balance show
              muster balance show --patch 3 --json
            """)

    @OptionGroup var access: APIAccess
    @Option(help: "A patch's number; the one in force where it is not given.") var patch: Int?
    @Flag(help: "Print JSON.") var json = false

    func run() async throws {
        let reply = try await access.send(.get, "/v1/patches/\(patch.map(String.init) ?? "current")")
        if json { return print(try reply.pretty()) }
        var characters = TextTable(["character", "name", "health", "damage", "weapon"], right: [2, 3])
        for row in reply["characters"]?.list ?? [] {
            characters.add(["id", "name", "health", "damage", "weapon"].map { row[$0]?.text ?? "" })
        }
        var weapons = TextTable(["weapon", "name", "damage", "cooldown ms"], right: [2, 3])
        for row in reply["weapons"]?.list ?? [] {
            weapons.add(["id", "name", "damage", "cooldownMs"].map { row[$0]?.text ?? "" })
        }
        print("patch \(reply["patch"]?.text ?? "?")\n\n\(characters.text)\n\n\(weapons.text)")
    }
}

/// `muster balance set`.
struct BalanceSetCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "set",
        abstract: "Change a character's health or damage: publishes a new patch.",
        discussion: """
            Matches that are placed already go on with the patch they began with.

            Example:
              muster balance set shade --health 900 --damage 32
            """)

    @OptionGroup var access: APIAccess
    @Argument(help: "The character's id.") var character: String
    @Option(help: "Hit points at the start, 1 to 10000.") var health: Int?
    @Option(help: "Hit points added to each hit, 0 to 1000.") var damage: Int?

    func validate() throws {
        guard health != nil || damage != nil else { throw ValidationError("Give --health, --damage or both.") }
    }

    func run() async throws {
        var body: [String: JSONValue] = [:]
        if let health { body["health"] = .integer(Int64(health)) }
        if let damage { body["damage"] = .integer(Int64(damage)) }
        let reply = try await access.send(.patch, "/v1/dev/characters/\(APIAccess.pathPart(character))", body: body)
        print("patch \(reply["patch"]?.text ?? "?") is in force for matches to come")
    }
}
