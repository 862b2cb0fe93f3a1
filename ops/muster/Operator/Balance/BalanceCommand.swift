import ArgumentParser

/// `muster balance`: characters, weapons, items and modes.
struct BalanceCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "balance",
        abstract: "See the balance of the game, edit its draft, publish it as a patch, and go back.",
        discussion: """
            Edits go to a draft, which no match sees. Publishing makes it a patch, for matches placed from then on; a \
            match ends with the patch that it began with. A patch never changes.

            Example:
              muster balance set characters.shade.damage=55
              muster balance diff
              muster balance publish --note "Shade hits harder"
              muster balance rollback 1 --yes
            """,
        subcommands: [
            BalanceListCommand.self, BalanceShowCommand.self, BalanceSetCommand.self, BalanceDiffCommand.self,
            BalancePublishCommand.self, BalanceRollbackCommand.self, BalanceImportCommand.self,
            BalanceExportCommand.self, BalanceSchemaCommand.self,
        ])
}
