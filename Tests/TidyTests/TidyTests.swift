import Foundation
import Testing

/// What a program can check of how the code reads.
@Suite struct TidyTests {
    @Test("no file is longer than 400 lines, no line than 120 columns")
    func lengths() throws {
        var wrong: [String] = []
        for file in try SourceTree.swift(tests: true) {
            let limit = file.path.hasPrefix("Tests/") ? 800 : 400
            if file.lines.count > limit { wrong.append("\(file.path): \(file.lines.count) lines, at most \(limit)") }
            for (number, line) in file.lines.enumerated() where line.count > 120 {
                wrong.append("\(file.path):\(number + 1): \(line.count) columns")
            }
        }
        for file in try SourceTree.files(under: ["Sources"], ending: ".lua") where file.lines.count > 400 {
            wrong.append("\(file.path): \(file.lines.count) lines, at most 400")
        }
        #expect(wrong.isEmpty, "\(wrong.joined(separator: "\n"))")
    }

    @Test("no function is longer than 70 lines")
    func functionLengths() throws {
        var wrong: [String] = []
        for file in try SourceTree.swift() {
            var open: (indent: Int, line: Int, text: Substring)?
            for (number, line) in file.lines.enumerated() {
                let body = line.drop { $0 == " " }
                let indent = line.count - body.count
                if let start = open, indent == start.indent, body.hasPrefix("}") {
                    if number - start.line > 70 {
                        wrong.append("\(file.path):\(start.line + 1): \(number - start.line) lines")
                    }
                    open = nil
                } else if open == nil, line.contains("func ") || body.hasPrefix("init("), line.hasSuffix("{") {
                    open = (indent, number, body)
                }
            }
        }
        #expect(wrong.isEmpty, "\(wrong.joined(separator: "\n"))")
    }

    @Test("each Lua script says its purpose, keys, arguments, replies and cost")
    func luaHeaders() throws {
        var wrong: [String] = []
        for file in try SourceTree.files(under: ["Sources"], ending: ".lua") {
            let header = file.lines.prefix { $0.hasPrefix("--") }.joined(separator: "\n").lowercased()
            for word in ["keys", "argv", "repl", "cost"] where !header.contains(word) {
                wrong.append("\(file.path): its header does not speak of \(word)")
            }
        }
        #expect(wrong.isEmpty, "\(wrong.joined(separator: "\n"))")
    }

    @Test("a Redis key is spelled out only in its room's keys file")
    func keyLiterals() throws {
        var wrong: [String] = []
        for file in try SourceTree.swift() where !file.name.hasSuffix("Keys.swift") {
            for (number, line) in file.lines.enumerated() {
                let code = line.drop { $0 == " " }
                guard !code.hasPrefix("//"), code.contains("\"muster:") else { continue }
                wrong.append("\(file.path):\(number + 1): \(code)")
            }
        }
        #expect(wrong.isEmpty, "\(wrong.joined(separator: "\n"))")
    }

    @Test("what hides an error or escapes its owner has its reason on the line before")
    func escapes() throws {
        let forbidden = ["try!", "fatalError(", "TODO", "FIXME"]
        let needsReason = ["try?", "Task {", "Task.detached", "@unchecked Sendable", "nonisolated(unsafe)"]
        var wrong: [String] = []
        for file in try SourceTree.swift() {
            for (number, line) in file.lines.enumerated() {
                let code = line.drop { $0 == " " }
                guard !code.hasPrefix("//") else { continue }
                for word in forbidden where code.contains(word) { wrong.append("\(file.path):\(number + 1): \(word)") }
                for word in needsReason where Self.hasWord(word, in: code) {
                    let before = number > 0 ? file.lines[number - 1].drop { $0 == " " } : ""
                    if !before.hasPrefix("//") && !code.contains(" // ") {
                        wrong.append("\(file.path):\(number + 1): \(word) without a reason")
                    }
                }
            }
        }
        #expect(wrong.isEmpty, "\(wrong.joined(separator: "\n"))")
    }

    /// Whether the text holds the word with no letter right before it: `Task {`, but not `addTask {`.
    private static func hasWord(_ word: String, in text: Substring) -> Bool {
        text.ranges(of: word).contains { range in
            range.lowerBound == text.startIndex || !text[text.index(before: range.lowerBound)].isLetter
        }
    }

    @Test("a test waits for a condition, never for a time")
    func sleeps() throws {
        var wrong: [String] = []
        for file in try SourceTree.files(under: ["Tests"], ending: ".swift")
        where !file.path.hasPrefix("Tests/TestSupport/") && !file.path.hasPrefix("Tests/TidyTests/") {
            for (number, line) in file.lines.enumerated()
            where line.contains("Task.sleep") || line.contains("usleep(") || line.contains(" sleep(") {
                wrong.append("\(file.path):\(number + 1)")
            }
        }
        #expect(wrong.isEmpty, "\(wrong.joined(separator: "\n"))")
    }

    @Test("the top level holds the layout and nothing else")
    func layout() throws {
        let expected: Set<String> = ["Package.swift", "Sources", "Tests", "workers", "ops", "README.md", "LICENSE"]
        let there = try FileManager.default.contentsOfDirectory(atPath: SourceTree.top.path)
            .filter { !$0.hasPrefix(".") && $0 != "Package.resolved" }
        #expect(Set(there) == expected)
    }

    @Test("the README's example is the one that is tested")
    func readmeExample() throws {
        let readme = try String(contentsOf: SourceTree.top.appending(path: "README.md"), encoding: .utf8)
        let file = SourceTree.top.appending(path: "Tests/JobsTests/ExampleTests.swift")
        let tested = try String(contentsOf: file, encoding: .utf8)
        let begin = try #require(tested.range(of: "// README example begins\n"))
        let end = try #require(tested.range(of: "// README example ends"))
        #expect(readme.contains(tested[begin.upperBound..<end.lowerBound]))
    }

    @Test("each command that the README shows exists")
    func readmeCommands() throws {
        let readme = try String(contentsOf: SourceTree.top.appending(path: "README.md"), encoding: .utf8)
        let commands = try SourceTree.files(under: ["ops/muster"], ending: ".swift").map(\.text).joined(separator: "\n")
        var named: Set<String> = []
        for match in readme.matches(of: /muster ([a-z]+)/) { named.insert(String(match.1)) }
        for match in readme.matches(of: /ops\/([a-z]+)/) {
            let path = SourceTree.top.appending(path: "ops/\(match.1)").path
            #expect(FileManager.default.fileExists(atPath: path), "README names ops/\(match.1)")
        }
        for name in named.sorted() {
            #expect(commands.contains("commandName: \"\(name)\""), "README names `muster \(name)`")
        }
    }
}
