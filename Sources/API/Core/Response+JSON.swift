import Foundation
import HTTPTypes
import Hummingbird
import NIOCore

extension Response {
    /// A JSON reply: members in the order of their names, so that the same answer is the same bytes.
    public static func json(
        _ value: some Encodable, status: HTTPResponse.Status = .ok, headers: HTTPFields = [:],
        contentType: String = "application/json"
    ) throws -> Response {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        let data = try encoder.encode(value)
        return bytes(ByteBuffer(bytes: data), status: status, headers: headers, contentType: contentType)
    }

    /// A reply of text that is ready, like JWKS.
    public static func text(
        _ text: String, status: HTTPResponse.Status = .ok, contentType: String = "text/plain; charset=utf-8"
    ) -> Response {
        bytes(ByteBuffer(string: text), status: status, headers: [:], contentType: contentType)
    }

    /// 204, or another status without a body.
    public static func empty(_ status: HTTPResponse.Status = .noContent) -> Response {
        Response(status: status)
    }

    /// A reply whose bytes are ready.
    static func bytes(
        _ buffer: ByteBuffer, status: HTTPResponse.Status, headers: HTTPFields, contentType: String
    ) -> Response {
        var headers = headers
        headers[.contentType] = contentType
        headers[.contentLength] = String(buffer.readableBytes)
        return Response(status: status, headers: headers, body: ResponseBody(byteBuffer: buffer))
    }
}
