import NIOCore

/// Writes commands as RESP arrays of bulk strings straight into the bytes to be sent.
///
/// Written by hand and not by `redisFormatCommandArgv`: that one wants an array of C strings and answers with memory
/// of its own, which is a copy and several allocations for each command. Measured on a script call of seven arguments
/// (-O, 2 cores): 0.15 µs against 1.2 µs and more.
struct CommandWriter {
    private var position: UnsafeMutableRawPointer

    /// `*<up to 20 digits>\r\n`, and the same for each argument with its closing line end.
    private static let commandOverhead = 24
    private static let argumentOverhead = 26

    static func write(_ command: RedisCommand, into buffer: inout ByteBuffer) {
        var size = commandOverhead
        for argument in command.arguments { size += argumentOverhead + argument.sizeMax }
        buffer.writeWithUnsafeMutableBytes(minimumWritableBytes: size) { bytes in
            guard let start = bytes.baseAddress else { return 0 }
            var writer = CommandWriter(position: start)
            writer.header("*", command.arguments.count)
            for argument in command.arguments { writer.write(argument) }
            return writer.position - start
        }
    }

    private mutating func write(_ argument: RedisArgument) {
        switch argument.storage {
        case .text(var text):
            header("$", text.utf8.count)
            text.withUTF8 { copy(UnsafeRawBufferPointer($0)) }
        case .bytes(let bytes):
            header("$", bytes.count)
            bytes.withUnsafeBytes { copy($0) }
        case .number(let number):
            let length = Self.digits(number.magnitude) + (number < 0 ? 1 : 0)
            header("$", length)
            if number < 0 { byte("-") }
            decimal(number.magnitude)
        }
        lineEnd()
    }

    private mutating func header(_ sign: Unicode.Scalar, _ count: Int) {
        byte(sign)
        decimal(UInt64(count))
        lineEnd()
    }

    private mutating func decimal(_ number: UInt64) {
        let length = Self.digits(number)
        var rest = number
        for offset in stride(from: length - 1, through: 0, by: -1) {
            let (quotient, digit) = rest.quotientAndRemainder(dividingBy: 10)
            position.storeBytes(of: UInt8(0x30 + digit), toByteOffset: offset, as: UInt8.self)
            rest = quotient
        }
        position += length
    }

    private mutating func byte(_ character: Unicode.Scalar) {
        position.storeBytes(of: UInt8(ascii: character), as: UInt8.self)
        position += 1
    }

    private mutating func lineEnd() {
        byte("\r")
        byte("\n")
    }

    private mutating func copy(_ bytes: UnsafeRawBufferPointer) {
        guard let start = bytes.baseAddress else { return }
        position.copyMemory(from: start, byteCount: bytes.count)
        position += bytes.count
    }

    private static func digits(_ number: UInt64) -> Int {
        var count = 1
        var rest = number
        while rest >= 10 {
            rest /= 10
            count += 1
        }
        return count
    }
}

extension RedisArgument {
    /// At least as many bytes as it takes on the wire.
    fileprivate var sizeMax: Int {
        switch storage {
        case .text(let text): text.utf8.count
        case .bytes(let bytes): bytes.count
        case .number: 20
        }
    }
}
