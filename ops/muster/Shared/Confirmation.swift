import ArgumentParser
import Foundation

/// What commands that destroy or end something ask first.
struct Confirmation: ParsableArguments {
    @Flag(help: "Do it without asking.") var yes = false

    /// Returns where it is to be done: `--yes` was given, or a person at the terminal said so.
    ///
    /// - Parameter question: what is about to be done, as "Stop 3 workers of verify?".
    /// - Throws: `CommandFailure` where there is nobody to ask, and where the answer is no.
    func require(_ question: String) throws {
        if yes { return }
        guard isatty(STDIN_FILENO) == 1 else {
            throw CommandFailure(
                "\(question) That needs a yes, and there is no terminal to ask on.",
                nextStep: "Add --yes to do it without asking.")
        }
        FileHandle.standardError.write(Data("\(question) [y/N] ".utf8))
        let answer = readLine()?.trimmingCharacters(in: .whitespaces).lowercased() ?? ""
        guard answer == "y" || answer == "yes" else {
            throw CommandFailure("Nothing was done.", nextStep: "Answer y, or add --yes to do it without asking.")
        }
    }
}
