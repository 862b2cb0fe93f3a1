import Foundation

/// The files of this package as text, found from where this file was compiled.
struct SourceTree {
    struct File {
        /// From the top of the package, such as `Sources/Redis/RedisClient.swift`.
        let path: String
        let text: String

        var lines: [Substring] { text.split(separator: "\n", omittingEmptySubsequences: false) }
        var name: String { String(path.split(separator: "/").last ?? "") }

        /// The modules that the file imports.
        var imports: [String] {
            lines.compactMap { line in
                var words = line.split(separator: " ").map(String.init)
                while let first = words.first,
                    first.hasPrefix("@") || ["public", "internal", "package"].contains(first)
                {
                    words.removeFirst()
                }
                guard words.first == "import", words.count >= 2 else { return nil }
                let kinds = ["struct", "class", "enum", "func", "protocol", "typealias", "var", "let"]
                let module = kinds.contains(words[1]) && words.count > 2 ? words[2] : words[1]
                return String(module.split(separator: ".")[0])
            }
        }
    }

    static let top = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent()

    static func files(under folders: [String], ending: String) throws -> [File] {
        var files: [File] = []
        for folder in folders {
            let base = top.appending(path: folder)
            guard let walk = FileManager.default.enumerator(at: base, includingPropertiesForKeys: nil) else { continue }
            for case let url as URL in walk where url.path.hasSuffix(ending) {
                let path = String(url.path.dropFirst(top.path.count + (top.path.hasSuffix("/") ? 0 : 1)))
                files.append(File(path: path, text: try String(contentsOf: url, encoding: .utf8)))
            }
        }
        return files.sorted { $0.path < $1.path }
    }

    static let productFolders = ["Sources", "workers", "ops"]

    static func swift(tests: Bool = false) throws -> [File] {
        try files(under: tests ? productFolders + ["Tests"] : productFolders, ending: ".swift")
    }
}
