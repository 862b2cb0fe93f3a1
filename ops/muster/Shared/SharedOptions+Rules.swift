import Configuration
import Foundation
import Jobs
import Matchmaking

extension SharedOptions {
    /// The file that was given, absolute; `nil`: none was.
    var rulesFile: String? { reader().string(forKey: "muster.matchmaking.rules").map { URL(filePath: $0).path } }

    /// The rules of matchmaking that are played by: of the file that was given, else of a `muster up` that runs on the
    /// data folder, else the built-in ones.
    ///
    /// - Throws: `CommandFailure` where the file that was given has errors. Where `muster up` runs by a file that has
    ///   errors now, its processes go on by what it said before; then the built-in rules must do, and it is said.
    func matchmakingRules() throws -> MatchmakingRules {
        if let path = rulesFile { return try Self.readRules(path) }
        guard let path = try UpState.read(from: dataFolder)?.rulesFile else { return .standard }
        do {
            return try MatchmakingRules.read(file: path)
        } catch {
            FileHandle.note("\(error)\nthe rules in force are not known; going by the built-in ones")
            return .standard
        }
    }

    /// The queues of the house, by the rules in force.
    func queues() throws -> [QueueName] { Queues.all(of: try matchmakingRules()) }

    /// Reads a rules file, and says of all errors where they are.
    static func readRules(_ path: String) throws -> MatchmakingRules {
        do {
            return try MatchmakingRules.read(file: path)
        } catch {
            throw CommandFailure(
                "\(error)",
                nextStep: "\(error.problems.count == 1 ? "Mend it" : "Mend all \(error.problems.count)"), then see "
                    + "'muster rules check \(path)'; 'muster rules schema' has editors check while you type.")
        }
    }
}
