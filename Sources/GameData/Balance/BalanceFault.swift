/// Something of a balance document that is not right: where, what is there, and what would be right.
public struct BalanceFault: Sendable, Hashable, Codable, CustomStringConvertible {
    /// `characters[2].damage`, and with the thing's id `characters.shade.damage`, where it has one.
    public let path: String
    /// `expected a whole number of 0 to 1000, got 1001`.
    public let reason: String

    public init(path: String, reason: String) {
        self.path = path
        self.reason = reason
    }

    public var description: String { "\(path): \(reason)" }
}
