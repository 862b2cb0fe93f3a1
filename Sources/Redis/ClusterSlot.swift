/// The 16,384 slots into which a cluster's keys are hashed, by CRC16 (XMODEM) of the key, or of its hash tag: what is
/// between its first `{` and the next `}`, unless that is empty. Redis Cluster specification, "Key distribution model".
enum ClusterSlot {
    static let count = 16_384

    static func slot(of key: RedisArgument) -> Int {
        switch key.storage {
        case .text(var text): text.withUTF8 { slot(of: UnsafeRawBufferPointer($0)) }
        case .bytes(let bytes): bytes.withUnsafeBytes { slot(of: $0) }
        case .number(let number): slot(of: RedisArgument(String(number)))
        }
    }

    private static func slot(of key: UnsafeRawBufferPointer) -> Int {
        var part = key[...]
        if let open = key.firstIndex(of: UInt8(ascii: "{")) {
            let rest = key[(open + 1)...]
            if let close = rest.firstIndex(of: UInt8(ascii: "}")), close > rest.startIndex {
                part = rest[..<close]
            }
        }
        var crc: UInt16 = 0
        for byte in part { crc = crc << 8 ^ table[Int(UInt8(truncatingIfNeeded: crc >> 8) ^ byte)] }
        return Int(crc) % count
    }

    /// Of the polynomial 0x1021.
    private static let table: [UInt16] = (0..<256).map { index in
        (0..<8).reduce(UInt16(index) << 8) { crc, _ in crc & 0x8000 == 0 ? crc << 1 : crc << 1 ^ 0x1021 }
    }
}
