import Foundation
import GameModel
import Store

/// A file with one product or promotion, in the form that the catalog's file has them.
enum ItemFile {
    private static let bytesMax = 256 * 1024

    static func product(_ file: InputFile, id: ProductID) throws -> Product {
        let product = try read(file, list: "products").products.first
        guard let product, product.productId == id else {
            throw CommandFailure(
                "\(file.path) is of product \(product?.productId.rawValue ?? "nothing"), not of \(id).",
                nextStep: "Name the product that the file is of.")
        }
        return product
    }

    static func promotion(_ file: InputFile, id: String) throws -> Promotion {
        let promotion = try read(file, list: "promotions").promotions.first
        guard let promotion, promotion.promotionId == id else {
            throw CommandFailure(
                "\(file.path) is of promotion \(promotion?.promotionId ?? "nothing"), not of \(id).",
                nextStep: "Name the promotion that the file is of.")
        }
        return promotion
    }

    /// A whole catalog's file.
    static func catalog(_ file: InputFile) throws -> CatalogDocument {
        try document(try file.bytes(atMost: CatalogDocument.fileBytesMax), of: file, dropping: "")
    }

    /// Reads the item as the only one of a catalog, so that the same faults are told.
    private static func read(_ file: InputFile, list: String) throws -> CatalogDocument {
        let item = try file.bytes(atMost: bytesMax)
        do {
            _ = try JSONSerialization.jsonObject(with: Data(item), options: .fragmentsAllowed)
        } catch {
            throw CommandFailure(
                "\(file.path) is not JSON: \(error.localizedDescription)",
                nextStep: "See the form: muster store \(list) show ID --json.")
        }
        let other = list == "products" ? "promotions" : "products"
        let whole = Array(#"{"\#(other)":[],"\#(list)":["#.utf8) + item + Array("]}".utf8)
        return try document(whole, of: file, dropping: "\(list)[0].")
    }

    private static func document(_ bytes: [UInt8], of file: InputFile, dropping prefix: String) throws
        -> CatalogDocument
    {
        do {
            return try CatalogDocument(json: bytes)
        } catch StoreError.invalidField(let name, let reason) {
            let path = name.hasPrefix(prefix) ? String(name.dropFirst(prefix.count)) : name
            throw CommandFailure("\(file.path): \(path): \(reason)", nextStep: "Mend the file, and try again.")
        }
    }
}
