import ArgumentParser

/// `muster version`.
struct VersionCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "version",
        abstract: "Print the version.",
        discussion: """
            Example:
              muster version
            """)

    func run() {
        print("muster \(Version.text)")
    }
}
