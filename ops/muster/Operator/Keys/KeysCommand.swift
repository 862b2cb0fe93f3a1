import Accounts
import ArgumentParser
import Foundation
import GameModel

/// `muster keys`: the keys that sign tokens.
struct KeysCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "keys",
        abstract: "See, rotate, retire and revoke the keys that sign tokens.",
        discussion: """
            Running processes read the keys every 10 s. A new key is published at once and signs 5 minutes later, so \
            that whoever verifies tokens knows it by then.

            Example:
              muster keys ls
              muster keys rotate
              muster keys retire
            """,
        subcommands: [
            KeysListCommand.self, KeysRotateCommand.self, KeysRetireCommand.self, KeysRevokeCommand.self,
        ])
}

/// How the commands about keys get at the folder.
struct KeysAccess: ParsableArguments {
    @OptionGroup var shared: SharedOptions

    /// Runs the body on the folder of the keys; one that is not there is refused, not made.
    func with<Value>(_ body: (KeyFolder) throws -> Value) throws -> Value {
        let path = "\(shared.dataFolder)/keys"
        guard FileManager.default.fileExists(atPath: path) else {
            throw CommandFailure(
                "There are no signing keys in \(path).",
                nextStep: "Name the data folder with --data FOLDER, or start the API there first: 'muster up' does.")
        }
        do {
            return try body(KeyFolder(path: path))
        } catch let error as AccountsError {
            throw CommandFailure(
                "\(error)", nextStep: "See the keys: muster keys ls. Only the owner of \(path) may have rights in it.")
        }
    }
}

/// `muster keys ls`.
struct KeysListCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "ls",
        abstract: "List the keys, the newest first.",
        discussion: """
            "published": known to all, and not signing yet. "verifying": it signs no more, and its tokens are still \
            good; it may be retired from the moment in the last column on.

            Example:
              muster keys ls
              muster keys ls --json | jq -r '.keys[] | select(.state == "signing").kid'
            """)

    @OptionGroup var access: KeysAccess
    @Flag(help: "Print JSON.") var json = false

    func run() async throws {
        let keys = try access.with { try $0.states() }
        if json { return try JobJSON.print(["keys": keys]) }
        print(KeyText.table(keys))
    }
}

/// `muster keys rotate`.
struct KeysRotateCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "rotate",
        abstract: "Make a new key: published at once, signing in 5 minutes.",
        discussion: """
            Nothing is cut off: tokens of the keys before stay good until they expire.

            Example:
              muster keys rotate
            """)

    @OptionGroup var access: KeysAccess
    @Flag(help: "Print JSON.") var json = false

    func run() async throws {
        let key = try access.with { try $0.rotate() }
        if json { return try JobJSON.print(key) }
        print("key \(key.number) (\(key.kid)) is published, and signs from \(key.signsFrom)")
    }
}

/// `muster keys retire`.
struct KeysRetireCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "retire",
        abstract: "Remove the keys whose tokens have all expired.",
        discussion: """
            Never removes the key that signs, one that has yet to, nor one with tokens that may be good: those of \
            'muster token' and 'muster up' live for days.

            Example:
              muster keys retire
              muster keys retire --older-than-days 30 --yes
            """)

    @OptionGroup var access: KeysAccess
    @OptionGroup var confirmation: Confirmation
    @Option(help: "Only keys that stopped signing so many days ago.") var olderThanDays = 0
    @Flag(help: "Print JSON.") var json = false

    private struct Output: Encodable {
        struct Kept: Encodable {
            let key: SigningKeyState
            let reason: String
        }
        let retired: [SigningKeyState]
        let kept: [Kept]
    }

    func validate() throws {
        guard (0...36_500).contains(olderThanDays) else {
            throw ValidationError("--older-than-days takes 0 to 36500, not \(olderThanDays).")
        }
    }

    func run() async throws {
        let (retired, kept) = try access.with { folder in
            let now = Instant.now
            if try folder.states().contains(where: { $0.retirableFrom.map { $0 <= now } ?? false }) {
                try confirmation.require("Remove the keys whose tokens have all expired?")
            }
            return try folder.retire(olderThan: .seconds(olderThanDays * 86_400))
        }
        if json {
            return try JobJSON.print(
                Output(retired: retired, kept: kept.map { .init(key: $0.key, reason: $0.reason) }))
        }
        for key in retired { print("key \(key.number) (\(key.kid)) is retired") }
        for key in kept { print("key \(key.key.number) (\(key.key.kid)) stays: \(key.reason)") }
    }
}

/// `muster keys revoke`.
struct KeysRevokeCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "revoke",
        abstract: "Remove a key that was stolen, with every token that it signed.",
        discussion: """
            Within 10 s all processes refuse its tokens: people refresh theirs, and services need new ones, from \
            'muster token' or a restart of 'muster up'. Where it was the key that signs, a new one signs at once.

            Example:
              muster keys revoke 1
            """)

    @OptionGroup var access: KeysAccess
    @OptionGroup var confirmation: Confirmation
    @Argument(help: "The key's number, as 'muster keys ls' lists it.") var number: Int

    func run() async throws {
        let next = try access.with { folder in
            // A number that is none is refused without a question.
            if let key = try folder.states().first(where: { $0.number == number }) {
                let role = key.state == .signing ? "the key that signs" : "which doesn't sign now"
                try confirmation.require("Remove key \(number), \(role), and refuse every token that it signed?")
            }
            return try folder.revoke(number)
        }
        print("key \(number) is revoked" + (next.map { "; key \($0.number) (\($0.kid)) signs" } ?? ""))
    }
}

/// Keys as the commands print them.
enum KeyText {
    static func table(_ keys: [SigningKeyState]) -> String {
        var table = TextTable(["key", "kid", "state", "made", "signs from", "may go"], right: [0])
        for key in keys {
            // Keys of the first release don't say when they were made.
            let isDated = key.createdAt.milliseconds > 0
            table.add([
                "\(key.number)", key.kid, key.state.rawValue, isDated ? key.createdAt.description : "—",
                isDated ? key.signsFrom.description : "—", key.retirableFrom?.description ?? "—",
            ])
        }
        return table.text
    }
}
