import NIOCore

/// Cuts the stream into lines without their newline; a line longer than the limit is an error, seen before it is held
/// whole.
struct LineDecoder: ByteToMessageDecoder {
    typealias InboundOut = ByteBuffer

    let bytesMax: Int

    mutating func decode(context: ChannelHandlerContext, buffer: inout ByteBuffer) throws -> DecodingState {
        guard let end = buffer.readableBytesView.prefix(bytesMax + 1).firstIndex(of: UInt8(ascii: "\n")) else {
            if buffer.readableBytes > bytesMax {
                throw GameRefusal(.frameTooLarge, "a frame is at most \(bytesMax) bytes")
            }
            return .needMoreData
        }
        let length = end - buffer.readerIndex
        guard let line = buffer.readSlice(length: length) else { return .needMoreData }
        buffer.moveReaderIndex(forwardBy: 1)
        context.fireChannelRead(wrapInboundOut(line))
        return .continue
    }

    // A line that the peer did not end before it closed is no frame.
    mutating func decodeLast(
        context: ChannelHandlerContext, buffer: inout ByteBuffer, seenEOF: Bool
    ) throws -> DecodingState {
        while try decode(context: context, buffer: &buffer) == .continue {}
        buffer.clear()
        return .needMoreData
    }
}
