import ArgumentParser

/// `muster store`: what can be bought, what was, and what players own.
struct StoreCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "store",
        abstract: "Edit and publish the catalog; look after orders and what players own.",
        discussion: """
            Works on the data folder itself: no process has to run. Edits go to a draft that nobody else sees, until \
            it is published. Each of them is in 'muster store log' with who made it.

            Example:
              muster store products set frost-axe --name "Frost axe" --kind skin --price "4.99 EUR"
              muster store draft
              muster store publish --note "The frost axe"
              muster store orders ls --state review
            """,
        groupedSubcommands: [
            CommandGroup(
                name: "Catalog",
                subcommands: [
                    StoreProductsCommand.self, StorePromotionsCommand.self, StorePicturesCommand.self,
                    StoreDraftCommand.self, StorePublishCommand.self, StoreVersionsCommand.self,
                    StoreImportCommand.self, StoreExportCommand.self,
                ]),
            CommandGroup(
                name: "Orders and players",
                subcommands: [
                    StoreOrdersCommand.self, StoreRefundCommand.self, StoreWalletCommand.self, StoreGrantCommand.self,
                ]),
            CommandGroup(name: "Books", subcommands: [StoreReconcileCommand.self, StoreLogCommand.self]),
        ])
}
