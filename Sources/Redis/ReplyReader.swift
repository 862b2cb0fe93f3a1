import CHiredis

/// Turns the bytes of one connection into replies, by hiredis' reader. Garbage, nesting beyond hiredis' seven levels
/// and replies beyond the limits are a `protocolViolation`, after which the reader must not be used again.
final class ReplyReader {
    /// The bytes that a line (status, error, number, length) may have.
    static let lineBytesMax = 64 * 1024

    private let reader: UnsafeMutablePointer<redisReader>
    private let builder: ReplyBuilder
    private let bytesMax: Int
    private var bytesOfReply = 0

    init(bytesMax: Int, elementsMax: Int) {
        guard let reader = redisReaderCreateWithFunctions(ReplyBuilder.functions) else {
            preconditionFailure("no memory for a hiredis reader")
        }
        self.reader = reader
        self.bytesMax = bytesMax
        builder = ReplyBuilder(elementsMax: elementsMax)
        reader.pointee.privdata = Unmanaged.passUnretained(builder).toOpaque()
    }

    deinit { redisReaderFree(reader) }

    /// Takes bytes from the wire; answers whether there was memory for them.
    func feed(_ bytes: UnsafeRawBufferPointer) -> Bool {
        bytesOfReply += bytes.count
        return redisReaderFeed(
            reader, bytes.baseAddress?.assumingMemoryBound(to: CChar.self), bytes.count) == REDIS_OK
    }

    /// The next whole reply, or `nil` until more bytes are fed.
    func next() throws(RedisError) -> RESPValue? {
        var object: UnsafeMutableRawPointer?
        guard redisReaderGetReply(reader, &object) == REDIS_OK else {
            throw .protocolViolation(builder.violation ?? reason)
        }
        if object != nil {
            bytesOfReply = reader.pointee.len - reader.pointee.pos
            return builder.takeReply()
        }
        guard bytesOfReply <= bytesMax else {
            throw .protocolViolation("a reply of more than replyBytesMax = \(bytesMax) bytes")
        }
        guard musterReaderLineExceeds(reader, Self.lineBytesMax) == 0 else {
            throw .protocolViolation("a line of more than \(Self.lineBytesMax) bytes")
        }
        return nil
    }

    private var reason: String {
        withUnsafeBytes(of: &reader.pointee.errstr) {
            String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self)
        }
    }
}

/// Builds replies while hiredis parses them: hiredis calls back for each element in the order of the wire, depth
/// first, so that a stack of unfinished arrays is all that is needed and no C objects are made.
private final class ReplyBuilder {
    private struct UnfinishedArray {
        var elements: [RESPValue]
        let count: Int
    }

    private(set) var violation: String?
    private let elementsMax: Int
    private var elementCount = 0
    private var unfinished: [UnfinishedArray] = []
    private var reply: RESPValue?

    init(elementsMax: Int) { self.elementsMax = elementsMax }

    func takeReply() -> RESPValue? {
        defer {
            reply = nil
            elementCount = 0
        }
        return reply
    }

    func beginArray(_ count: Int) -> Bool {
        elementCount += count
        guard elementCount <= elementsMax else {
            violation = "a reply of more than replyElementsMax = \(elementsMax) elements"
            return false
        }
        guard count > 0 else {
            add(.array([]))
            return true
        }
        var elements: [RESPValue] = []
        // What the server announces is not believed: memory is taken as elements come.
        elements.reserveCapacity(min(count, 1024))
        unfinished.append(UnfinishedArray(elements: elements, count: count))
        return true
    }

    func add(_ value: RESPValue) {
        var value = value
        while let depth = unfinished.indices.last {
            unfinished[depth].elements.append(value)
            guard unfinished[depth].elements.count == unfinished[depth].count else { return }
            value = .array(unfinished.removeLast().elements)
        }
        reply = value
    }

    /// What hiredis calls. The objects it passes around are not used: each call answers only that it went well.
    // Proof: a static is initialised once, before its first use, under the runtime's lock; the memory is never freed,
    // and nobody writes it after: hiredis reads its pointers only.
    nonisolated(unsafe) static let functions: UnsafeMutablePointer<redisReplyObjectFunctions> = {
        let functions = UnsafeMutablePointer<redisReplyObjectFunctions>.allocate(capacity: 1)
        functions.initialize(
            to: redisReplyObjectFunctions(
                createString: { task, start, length in
                    guard let builder = builder(of: task), let task else { return nil }
                    let bytes = UnsafeRawBufferPointer(start: start, count: length)
                    switch task.pointee.type {
                    case REDIS_REPLY_STATUS: builder.add(.status(String(decoding: bytes, as: UTF8.self)))
                    case REDIS_REPLY_ERROR: builder.add(.error(String(decoding: bytes, as: UTF8.self)))
                    default: builder.add(.bytes(Array(bytes)))
                    }
                    return done
                },
                createArray: { task, count in
                    guard let builder = builder(of: task), builder.beginArray(Int(count)) else { return nil }
                    return done
                },
                createInteger: { task, number in
                    guard let builder = builder(of: task) else { return nil }
                    builder.add(.integer(Int64(number)))
                    return done
                },
                createNil: { task in
                    guard let builder = builder(of: task) else { return nil }
                    builder.add(.null)
                    return done
                },
                freeObject: { _ in }))
        return functions
    }()

    private static var done: UnsafeMutableRawPointer? { UnsafeMutableRawPointer(bitPattern: 1) }

    private static func builder(of task: UnsafePointer<redisReadTask>?) -> ReplyBuilder? {
        task?.pointee.privdata.map { Unmanaged<ReplyBuilder>.fromOpaque($0).takeUnretainedValue() }
    }
}
