import GameModel
import Records
import TestSupport

@testable import Store

/// Files that begin as pictures do.
enum PictureSamples {
    /// A PNG of one transparent pixel.
    static let pixel: [UInt8] = [
        0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A, 0x00, 0x00, 0x00, 0x0D, 0x49, 0x48, 0x44, 0x52, 0x00, 0x00,
        0x00, 0x01, 0x00, 0x00, 0x00, 0x01, 0x08, 0x06, 0x00, 0x00, 0x00, 0x1F, 0x15, 0xC4, 0x89, 0x00, 0x00, 0x00,
        0x0D, 0x49, 0x44, 0x41, 0x54, 0x78, 0x9C, 0x63, 0x00, 0x01, 0x00, 0x00, 0x05, 0x00, 0x01, 0x0D, 0x0A, 0x2D,
        0xB4, 0x00, 0x00, 0x00, 0x00, 0x49, 0x45, 0x4E, 0x44, 0xAE, 0x42, 0x60, 0x82,
    ]

    static func png(bytes: Int, filler: UInt8 = 0) -> [UInt8] {
        pixel + [UInt8](repeating: filler, count: max(0, bytes - pixel.count))
    }

    static func jpeg(bytes: Int) -> [UInt8] {
        [0xFF, 0xD8, 0xFF, 0xE0] + [UInt8](repeating: 7, count: max(0, bytes - 4))
    }

    static func webp(bytes: Int) -> [UInt8] {
        Array("RIFF".utf8) + [1, 2, 3, 4] + Array("WEBP".utf8) + [UInt8](repeating: 9, count: max(0, bytes - 12))
    }

    /// Runs the body with a file of records for pictures.
    static func withRepository<T>(_ body: (StoreRepository) async throws -> T) async throws -> T {
        try await withRecords(schemas: [StoreSchema.schema, Outbox.schema, ChangeLog.schema]) { database in
            try await body(StoreRepository(database: database))
        }
    }
}
