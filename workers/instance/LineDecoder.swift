import NIOCore

/// Cuts the stream into lines without their newline; a line longer than the limit is an error, seen before it is held
/// whole, and one that does not end in time closes the connection.
struct LineDecoder: ByteToMessageDecoder {
    typealias InboundOut = ByteBuffer

    let bytesMax: Int
    /// How long a line may take from its first byte to its newline; `nil`: as long as it likes.
    let timeMax: TimeAmount?
    /// Runs while part of a line is here.
    private var timer: Scheduled<Void>?

    init(bytesMax: Int, timeMax: TimeAmount? = nil) {
        self.bytesMax = bytesMax
        self.timeMax = timeMax
    }

    mutating func decode(context: ChannelHandlerContext, buffer: inout ByteBuffer) throws -> DecodingState {
        guard let end = buffer.readableBytesView.prefix(bytesMax + 1).firstIndex(of: UInt8(ascii: "\n")) else {
            if buffer.readableBytes > bytesMax {
                throw GameRefusal(.frameTooLarge, "a frame is at most \(bytesMax) bytes")
            }
            if buffer.readableBytes > 0 { startTimer(context.channel) }
            return .needMoreData
        }
        let length = end - buffer.readerIndex
        guard let line = buffer.readSlice(length: length) else { return .needMoreData }
        buffer.moveReaderIndex(forwardBy: 1)
        timer?.cancel()
        timer = nil
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

    func decoderRemoved(context: ChannelHandlerContext) { timer?.cancel() }

    private mutating func startTimer(_ channel: any Channel) {
        guard timer == nil, let timeMax else { return }
        timer = channel.eventLoop.scheduleTask(in: timeMax) { channel.close(promise: nil) }
    }
}
