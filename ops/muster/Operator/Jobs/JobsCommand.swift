import ArgumentParser

/// `muster jobs`: the jobs of the queues, seen and moved by hand.
struct JobsCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "jobs",
        abstract: "See jobs, ask why one does not run, and run, cancel, bury or remove them.",
        discussion: """
            Example:
              muster jobs ls --queue verify --state scheduled
              muster jobs why 01JEXAMPLE
              muster jobs dead ls --reason timeout --older-than 1h
              muster jobs dead retry --kind store.verify-payment --dry-run
            """,
        subcommands: [
            JobsListCommand.self, JobsShowCommand.self, JobsWhyCommand.self, JobsTraceCommand.self,
            JobsRetryCommand.self, JobsCancelCommand.self, JobsBuryCommand.self, JobsRemoveCommand.self,
            JobsDeadCommand.self,
        ])
}
