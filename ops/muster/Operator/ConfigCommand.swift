import ArgumentParser
import Foundation

/// `muster config`: what is in force.
struct ConfigCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "config",
        abstract: "Print the settings in force, and where each comes from; secrets are masked.",
        discussion: """
            Every setting can be given as --set key=value or in the environment: \
            instance.slots is MUSTER_INSTANCE_SLOTS.

            Example:
              muster config
              MUSTER_INSTANCE_SLOTS=20 muster config --set api.port=9000
            """)

    @OptionGroup var shared: SharedOptions

    func run() async throws {
        let seen = SettingsSeen.read(SettingsSeen.roles, overrides: shared.overrides)
        var table = TextTable(["setting", "value", "from", "read by"])
        for setting in seen.all {
            table.add([setting.key, setting.value, setting.source, setting.roles.joined(separator: " ")])
        }
        print(table.text)
        for key in seen.unread(overrides: shared.overrides) {
            FileHandle.note("no process reads \(key): is it misspelled?")
        }
    }
}
