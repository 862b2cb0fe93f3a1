import GameModel

/// What the store sells at a moment, with the prices of that moment: the published version as players see it.
public struct Catalog: Sendable {
    /// The published version's number.
    public let version: Int
    public let document: CatalogDocument
    /// The same for the same content, another for another: the entity tag, without its quotes.
    public let tag: String
    /// `{"version":…,"products":[…]}`, as it is sent.
    public let json: [UInt8]
}
