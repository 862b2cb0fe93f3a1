import GameModel
import Testing

@testable import Store

@Suite("What an order gives")
struct OrderPartsTests {
    private func parts(_ product: ProductID, _ quantity: Int, of products: [Product] = StoreDesk.products) throws
        -> [String]
    {
        try OrderParts(of: product, quantity: quantity, in: CatalogDocument(products: products)).all
            .map { "\($0.kind) \($0.item) \($0.quantity)" }
    }

    @Test("quantities of the order, of a bundle's part and of the product multiply")
    func quantities() throws {
        #expect(try parts(StoreDesk.knight, 1) == ["skin skin-knight 1"])
        #expect(try parts(StoreDesk.potion, 5) == ["item potion 15"])
        #expect(try parts(StoreDesk.gems, 3) == ["credit gems 1500"])
        #expect(try parts(StoreDesk.bundle, 2) == ["credit gems 2000", "item potion 12", "skin skin-knight 2"])
    }

    @Test("equal parts of a bundle are added up")
    func merged() throws {
        let more = Product(
            productId: ProductID("gems-100"), name: "100 gems", kind: .currencyPack, prices: [],
            credit: VirtualMoney(amount: 100, currency: "gems"))
        let both = Product(
            productId: ProductID("both"), name: "Both", kind: .bundle, prices: [],
            parts: [
                Product.Part(productId: StoreDesk.gems), Product.Part(productId: more.productId),
                Product.Part(productId: StoreDesk.potion), Product.Part(productId: StoreDesk.potion),
            ])
        #expect(
            try parts(both.productId, 1, of: StoreDesk.products + [more, both]) == ["credit gems 600", "item potion 6"])
    }

    @Test("unknown parts and more than can be counted are refused")
    func refused() {
        let huge = Product(
            productId: ProductID("huge"), name: "Huge", kind: .currencyPack, prices: [],
            credit: VirtualMoney(amount: .max, currency: "gems"))
        let broken = Product(
            productId: ProductID("broken"), name: "Broken", kind: .bundle, prices: [],
            parts: [Product.Part(productId: ProductID("none"))])
        #expect(throws: StoreError.unknownProduct(ProductID("none"))) { try parts(broken.productId, 1, of: [broken]) }
        #expect(throws: StoreError.unknownProduct(ProductID("none"))) { try parts(ProductID("none"), 1) }
        #expect(throws: StoreError.notSold(ProductID("gems"), reason: "more than can be counted")) {
            try parts(huge.productId, 2, of: [huge])
        }
    }
}
