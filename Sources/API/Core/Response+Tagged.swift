import Foundation
import HTTPTypes
import Hummingbird
import NIOCore

extension Response {
    /// A JSON reply with an entity tag made of its bytes; 304 without a body where the client has these. The work is
    /// done either way: what is saved is the way to the client.
    static func tagged(_ value: some Encodable, for request: Request) throws -> Response {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        let data = try encoder.encode(value)
        let tag = "\"\(String(fingerprint(of: data), radix: 16))-\(data.count)\""
        // Everybody's copy is their own, and has to be asked about each time.
        let headers: HTTPFields = [.eTag: tag, .cacheControl: "private, no-cache"]
        guard !request.isKnown(tag) else { return Response(status: .notModified, headers: headers) }
        return bytes(ByteBuffer(bytes: data), status: .ok, headers: headers, contentType: "application/json")
    }

    /// FNV-1a over the bytes: nobody gains by two replies of theirs having the same.
    private static func fingerprint(of data: Data) -> UInt64 {
        var hash: UInt64 = 0xcbf2_9ce4_8422_2325
        for byte in data { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01b3 }
        return hash
    }
}
