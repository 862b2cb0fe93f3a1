import Foundation

/// How payloads are written and read. One of each for the process, as they are safe to share and dear to make.
enum JobJSON {
    static let encoder = {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        return encoder
    }()
    static let decoder = JSONDecoder()
}
