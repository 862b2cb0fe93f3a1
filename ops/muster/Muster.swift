import ArgumentParser

/// The one executable: every process of the backend is a subcommand of it, and so is every tool of its operators.
@main
struct Muster: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "muster",
        abstract: "A job queue on Redis, and the multiplayer-game backend that runs on it.",
        discussion: """
            Start everything on this machine, watch it, and check its books:
              muster up
              muster depth --watch
              muster audit
            """,
        version: Version.text,
        subcommands: [VersionCommand.self],
        groupedSubcommands: [
            CommandGroup(
                name: "Run it here",
                subcommands: [
                    UpCommand.self, LoadCommand.self, SandboxCommand.self, BenchCommand.self, SimulateCommand.self,
                ]),
            CommandGroup(
                name: "Processes",
                subcommands: [
                    APICommand.self, RankerCommand.self, AllocatorCommand.self, VerifierCommand.self,
                    IngestCommand.self, InstanceCommand.self,
                ]),
            CommandGroup(
                name: "Look",
                subcommands: [
                    DepthCommand.self, AuditCommand.self, ConfigCommand.self, EventsCommand.self, ReportCommand.self,
                ]),
            CommandGroup(
                name: "Jobs",
                subcommands: [
                    JobsCommand.self, QueuesCommand.self, CronCommand.self, WorkersCommand.self, DoctorCommand.self,
                ]),
            CommandGroup(
                name: "Matchmaking",
                subcommands: [
                    RulesCommand.self, PoolsCommand.self, TicketsCommand.self, MatchesCommand.self,
                    SeasonsCommand.self, LeaderboardCommand.self,
                ]),
            CommandGroup(name: "Fleet", subcommands: [FleetCommand.self]),
            CommandGroup(
                name: "Change",
                subcommands: [
                    StoreCommand.self, BalanceCommand.self, AccountsCommand.self, TokenCommand.self, KeysCommand.self,
                ]),
        ])
}

extension Muster {
    /// The entry of every process.
    static func main() async {
        OpenFiles.raiseLimit()
        await main(nil)
    }
}
