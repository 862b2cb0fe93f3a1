import GameModel

/// A discount: for a while, on some products or all, for everyone or for those who know its code.
public struct Promotion: Sendable, Hashable, Codable {
    /// How it goes together with others: the player pays the lower of the best exclusive one alone, and all stackable
    /// ones together (percentages first, amounts after them).
    public enum Stacking: String, Sendable, Hashable, Codable, CaseIterable {
        case exclusive, stackable
    }

    /// At least a tenth of the price stays, so that every final price can be charged.
    public static let percentOffRange = 1...90

    public let promotionId: String
    /// What players read on the quote's line.
    public let name: String
    /// Empty where it holds for every product.
    public let productIds: [ProductID]
    /// Of the list price; `nil` where amounts are taken off.
    public let percentOff: Int?
    /// What is taken off per purchase, one per currency; empty where a percentage is.
    public let amountsOff: [Money]
    /// 4 to 32 of A-Z, 0-9 and `-`; `nil`: it holds by itself.
    public let code: String?
    /// The first moment at which it holds.
    public let startsAt: Instant
    /// The first moment at which it no longer holds.
    public let endsAt: Instant
    /// The most orders of one player with it; `nil`: no such limit.
    public let limitPerPlayer: Int?
    /// The most orders of all players with it; `nil`: no such limit.
    public let limitTotal: Int?
    public let stacking: Stacking

    public init(
        promotionId: String, name: String, productIds: [ProductID] = [], percentOff: Int? = nil,
        amountsOff: [Money] = [], code: String? = nil, startsAt: Instant, endsAt: Instant,
        limitPerPlayer: Int? = nil, limitTotal: Int? = nil, stacking: Stacking = .exclusive
    ) {
        self.promotionId = promotionId
        self.name = name
        self.productIds = productIds
        self.percentOff = percentOff
        self.amountsOff = amountsOff
        self.code = code
        self.startsAt = startsAt
        self.endsAt = endsAt
        self.limitPerPlayer = limitPerPlayer
        self.limitTotal = limitTotal
        self.stacking = stacking
    }

    enum CodingKeys: String, CodingKey, CaseIterable {
        case promotionId, name, productIds, percentOff, amountsOff, code, startsAt, endsAt,
            limitPerPlayer, limitTotal
        case stacking
    }

    /// Only the id, the two times and one of the discounts must be there.
    public init(from decoder: any Decoder) throws {
        let fields = try decoder.container(keyedBy: CodingKeys.self)
        let id = try fields.decode(String.self, forKey: .promotionId)
        self.init(
            promotionId: id, name: try fields.decodeIfPresent(String.self, forKey: .name) ?? id,
            productIds: try fields.decodeIfPresent([ProductID].self, forKey: .productIds) ?? [],
            percentOff: try fields.decodeIfPresent(Int.self, forKey: .percentOff),
            amountsOff: try fields.decodeIfPresent([Money].self, forKey: .amountsOff) ?? [],
            code: try fields.decodeIfPresent(String.self, forKey: .code),
            startsAt: try fields.decode(Instant.self, forKey: .startsAt),
            endsAt: try fields.decode(Instant.self, forKey: .endsAt),
            limitPerPlayer: try fields.decodeIfPresent(Int.self, forKey: .limitPerPlayer),
            limitTotal: try fields.decodeIfPresent(Int.self, forKey: .limitTotal),
            stacking: try fields.decodeIfPresent(Stacking.self, forKey: .stacking) ?? .exclusive)
    }
}
