import ArgumentParser
import Foundation
import GameModel
import Matchmaking

/// `muster rules`: by what players are matched.
struct RulesCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "rules",
        abstract: "Check, show and compare rules of matchmaking; needs no server.",
        discussion: """
            Processes follow the file that they were given with --rules, and take up what changed within a second; a \
            file with errors leaves the rules as they were.

            Example:
              muster rules check ops/deploy/rules.yaml
              muster rules show ops/deploy/rules.yaml --mode squad --at 30
              muster rules diff ops/deploy/rules.yaml new.yaml
            """,
        subcommands: [
            RulesCheckCommand.self, RulesShowCommand.self, RulesDiffCommand.self, RulesSchemaCommand.self,
        ])
}

/// `muster rules check`.
struct RulesCheckCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "check",
        abstract: "Say all that is wrong with rules files, each by line, key, value and remedy.",
        discussion: """
            Exits with 1 if anything is.

            Example:
              muster rules check rules.yaml
              muster rules check *.yaml --json | jq -r '.[].problems[].key'
            """)

    @Argument(help: "Rules files.") var files: [String]
    @Flag(help: "Print JSON.") var json = false

    private struct Checked: Encodable {
        struct Problem: Encodable {
            var line: Int?
            var column: Int?
            var key: String
            var problem: String
            var remedy: String
        }

        var file: String
        /// `nil` where there are problems.
        var version: String?
        var problems: [Problem]
    }

    func run() async throws {
        var checked: [Checked] = []
        for file in files {
            do {
                let rules = try MatchmakingRules.read(file: file)
                checked.append(Checked(file: file, version: rules.version, problems: []))
                if !json { print("\(file): \(RulesTables.summary(rules))") }
            } catch {
                checked.append(
                    Checked(
                        file: file,
                        problems: error.problems.map {
                            .init(
                                line: $0.line, column: $0.column, key: $0.key, problem: $0.problem, remedy: $0.remedy)
                        }))
                if !json { FileHandle.note("\(error)") }
            }
        }
        if json { try JobJSON.print(checked) }
        if checked.contains(where: { $0.version == nil }) { throw ExitCode.failure }
    }
}

/// `muster rules show`.
struct RulesShowCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "show",
        abstract: "Show rules in full, defaults too, and what holds after a time of waiting.",
        discussion: """
            Without a file, the rules of a 'muster up' that runs on the data folder, else the built-in ones.

            Example:
              muster rules show rules.yaml
              muster rules show rules.yaml --mode squad
              muster rules show rules.yaml --mode squad --at 30
            """)

    @OptionGroup var shared: SharedOptions
    @Argument(help: "A rules file.") var file: String?
    @Option(help: "Only this mode, in full.") var mode: String?
    @Option(help: ArgumentHelp("What holds after so many seconds of waiting.", valueName: "seconds")) var at: Double?
    @Flag(help: "Print JSON.") var json = false

    func validate() throws {
        if let at, !(0...86_400).contains(at) { throw ValidationError("--at takes 0 to 86400 seconds, not \(at).") }
    }

    func run() async throws {
        let rules = try file.map { try SharedOptions.readRules($0) } ?? shared.matchmakingRules()
        let chosen = try mode.map { name in
            guard rules.modes[Mode(name)] != nil else {
                throw CommandFailure(
                    "These rules have no mode '\(name)'.",
                    nextStep: "There are \(rules.modes.keys.sorted().map(\.rawValue).joined(separator: ", ")).")
            }
            return Mode(name)
        }
        if json { return try JobJSON.print(RulesOutput(rules, only: chosen, at: at)) }
        guard let chosen, let one = rules.modes[chosen] else {
            print(RulesTables.summary(rules))
            return print(at.map { RulesTables.limits(rules, at: $0) } ?? RulesTables.modes(rules))
        }
        if at == nil {
            print(RulesTables.settings(one))
            print("\nwhat holds after so many seconds of waiting")
        }
        print(RulesTables.limits(one, at: at.map { [$0] } ?? RulesTables.steps(one)))
    }
}

/// `muster rules diff`.
struct RulesDiffCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "diff",
        abstract: "Say what changes from one rules file to another, whatever their order and comments.",
        discussion: """
            Example:
              muster rules diff ops/deploy/rules.yaml new.yaml
              muster rules diff old.yaml new.yaml --json | jq -r '.[].key'
            """)

    @Argument(help: "The rules before.") var before: String
    @Argument(help: "The rules after.") var after: String
    @Flag(help: "Print JSON.") var json = false

    private struct Change: Encodable {
        var key: String
        var before: String?
        var after: String?
    }

    func run() async throws {
        let changes = try SharedOptions.readRules(before).changes(to: SharedOptions.readRules(after))
        if json {
            return try JobJSON.print(changes.map { Change(key: $0.key, before: $0.before, after: $0.after) })
        }
        print(changes.isEmpty ? "they say the same" : changes.map(\.description).joined(separator: "\n"))
    }
}

/// `muster rules schema`.
struct RulesSchemaCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "schema",
        abstract: "Print the JSON Schema of rules files, for editors that check and complete while you type.",
        discussion: """
            Name it in the first line of a rules file: # yaml-language-server: $schema=./rules.schema.json

            Example:
              muster rules schema > rules.schema.json
            """)

    func run() async throws { print(try RulesSchema.text()) }
}
