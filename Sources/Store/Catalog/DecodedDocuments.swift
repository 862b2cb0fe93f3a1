import Synchronization

/// Published catalogs by the digest of their stored text, so that an order needs not decode all that is sold.
///
/// The digest names the content, not the file: two stores in one process can share it.
final class DecodedDocuments: Sendable {
    static let shared = DecodedDocuments()
    /// Orders follow the newest version or one of a few before it.
    static let documentsMax = 8

    private struct Known {
        var documents: [String: CatalogDocument] = [:]
        /// By when they came, oldest first.
        var digests: [String] = []
    }

    private let known = Mutex(Known())

    func document(digest: String, decoding: () throws -> CatalogDocument) throws -> CatalogDocument {
        if let document = known.withLock({ $0.documents[digest] }) { return document }
        // Outside the lock: two that miss at once decode the same text twice, and nobody waits.
        let document = try decoding()
        known.withLock { known in
            guard known.documents.updateValue(document, forKey: digest) == nil else { return }
            known.digests.append(digest)
            if known.digests.count > Self.documentsMax {
                known.documents[known.digests.removeFirst()] = nil
            }
        }
        return document
    }
}
