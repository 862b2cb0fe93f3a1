import ArgumentParser

/// `muster report`: what games tell designers.
struct ReportCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "report",
        abstract: "Report on how games go.",
        discussion: """
            Example:
              muster report balance --patch 3
              muster report balance --patch 3 --mode duel --html balance.html
            """,
        subcommands: [ReportBalanceCommand.self])
}
