import Accounts
import Foundation
import NIOHTTP1
import TestSupport
import Testing

/// Long, and in need of a browser: `ops/test --full` runs it.
@Suite("The console in a real browser", .enabled(if: ProcessInfo.processInfo.environment["MUSTER_FULL"] == "1"))
struct ConsoleBrowserTests {
    /// With `MUSTER_PICTURES` set to a folder, the pages' pictures are left there.
    @Test(
        "without JavaScript a developer edits and publishes, an operator refunds, and every page is accessible",
        .timeLimit(.minutes(30)))
    func browser() async throws {
        try await withAPI { api in
            let developer = try await api.staff(.developer, name: "Ada")
            let operating = try await api.staff(.operator, name: "Grace")
            let player = try await api.player("Zoë")
            let order = try await api.paidOrder(of: player)
            let files = try TemporaryFolder()
            defer { files.remove() }
            try Data(ConsoleCatalogTests.png).write(to: URL(filePath: files.file("aurora.png")))
            let script = "\(FileManager.default.currentDirectoryPath)/Tests/console.py"
            let output = try await ForeignProgram.output(
                try ForeignProgram.python(),
                [
                    script, "--base", api.client.base, "--developer", developer.email ?? "", "--operator",
                    operating.email ?? "", "--password", ConsoleBrowser.password, "--order", order, "--player",
                    player.email ?? "", "--picture", files.file("aurora.png"), "--pictures",
                    ProcessInfo.processInfo.environment["MUSTER_PICTURES"] ?? "",
                ])
            let judged = try #require(output.firstMatch(of: /^(\d+) views judged by axe-core/))
            #expect(Int(judged.1) ?? 0 >= 60, "\(output)")
        }
    }
}
