import Accounts
import ArgumentParser
import Foundation

/// `muster token`: mints a token for a service or a person who works on the game.
struct TokenCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "token",
        abstract: "Mint an access token for a developer, an operator, an instance or a worker.",
        discussion: """
            Signs with the keys in the data folder and prints the token alone. Whoever has it can do what the role \
            may do until it expires: keep it like a password.

            Example:
              muster token --role developer --subject alice --days 7
              export MUSTER_TOKEN=$(muster token --role developer --subject alice)
            """)

    @OptionGroup var shared: SharedOptions

    @Option(help: "developer, operator, instance or worker.") var role: String
    @Option(help: "Whom the token is for: a person's or an instance's name.") var subject: String
    @Option(help: "For how many days it is good, 1 to 366.") var days = 30

    func validate() throws {
        guard let role = Role(rawValue: role), role != .player else {
            throw ValidationError("--role takes developer, operator, instance or worker, not '\(role)'.")
        }
        guard (1...366).contains(days) else { throw ValidationError("--days takes 1 to 366, not \(days).") }
        guard (1...200).contains(subject.utf8.count) else {
            throw ValidationError("--subject takes 1 to 200 characters.")
        }
    }

    func run() async throws {
        guard let role = Role(rawValue: role) else { throw ValidationError("--role is not right.") }
        let folder = "\(shared.dataFolder)/keys"
        // Keys made here would be known to no API: its tokens would be refused, far from the cause.
        guard FileManager.default.fileExists(atPath: folder) else {
            throw CommandFailure(
                "There are no signing keys in \(folder).",
                nextStep: "Name the data folder with --data FOLDER, or start the API there first: 'muster up' does.")
        }
        let token = try await TokenIssuer(ring: try KeyRing(folder: folder)).token(
            subject: subject, role: role, lifetime: .seconds(days * 86_400))
        print(token)
    }
}
