import Crypto
import Foundation
import GameModel
import Synchronization

/// What the store sells at a moment, with the prices of that moment: the published version as players see it.
public struct Catalog: Sendable {
    /// The published version's number.
    public let version: Int
    public let document: CatalogDocument
    /// The same for the same content, another for another: the entity tag, without its quotes.
    public let tag: String
    /// `{"version":…,"products":[…]}`, as it is sent.
    public let json: [UInt8]

    /// - Parameter usedUp: the promotions that nobody can use any more.
    init(
        _ version: CatalogVersion, at now: Instant, usedUp: Set<String>, pictureURL: (String) -> String
    ) throws(StoreError) {
        self.version = version.version
        document = version.document
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        do {
            let window = try ShopWindow(version, at: now, usedUp: usedUp, pictureURL: pictureURL)
            json = Array(try encoder.encode(window))
        } catch {
            throw .unavailable("the catalog can't be shown: \(error)")
        }
        tag = SHA256.hash(data: json).prefix(12).map { byte in
            String(byte >> 4, radix: 16) + String(byte & 15, radix: 16)
        }.joined()
    }
}

/// The catalog that a process shows, and until when it needs no look at the records.
final class CatalogShelf: Sendable {
    struct Shown: Sendable {
        let catalog: Catalog
        /// When its prices were worked out.
        let builtAt: Instant
        /// The first moment at which a window opens or closes, and with it what is shown changes; `nil`: never.
        let changesAt: Instant?
        /// The promotions without a code that were used up in all.
        let usedUp: Set<String>
    }

    private let shown = Mutex<(shown: Shown, until: Instant)?>(nil)

    /// What is shown, and until when without a look at the records.
    var current: (shown: Shown, until: Instant)? { shown.withLock { $0 } }

    func show(_ new: Shown, until: Instant) { shown.withLock { $0 = (new, until) } }

    /// The next reader sees what this process published.
    func forget() { shown.withLock { $0 = nil } }
}
