import Foundation
import NIOCore

/// An IPv4 or IPv6 address; an IPv4 address is kept as the IPv6 address that maps it (RFC 4291, 2.5.5.2).
public struct IPAddress: Sendable, Hashable, CustomStringConvertible {
    /// The first and the last 64 bits.
    let high, low: UInt64

    private static let mapped: UInt64 = 0xFFFF_0000_0000

    private init(high: UInt64, low: UInt64) { (self.high, self.low) = (high, low) }

    /// The address of a peer; `nil` for a Unix socket.
    init?(_ address: SocketAddress) {
        guard let text = address.ipAddress else { return nil }
        self.init(text)
    }

    /// Reads `192.0.2.1` or `2001:db8::1`; `nil` for any other text.
    public init?(_ text: String) {
        // Bytes in the network's order, not C's structures: those belong to whichever module imports them first.
        var bytes = [UInt8](repeating: 0, count: 16)
        if inet_pton(AF_INET, text, &bytes) == 1 {
            self.init(high: 0, low: Self.mapped | Self.number(bytes[..<4]))
        } else if inet_pton(AF_INET6, text, &bytes) == 1 {
            self.init(high: Self.number(bytes[..<8]), low: Self.number(bytes[8...]))
        } else {
            return nil
        }
    }

    private static func number(_ bytes: ArraySlice<UInt8>) -> UInt64 { bytes.reduce(0) { $0 << 8 | UInt64($1) } }

    var isIPv4: Bool { high == 0 && low >> 32 == 0xFFFF }

    /// Whether it is this machine, by 127.0.0.0/8 or ::1.
    var isLoopback: Bool { isIPv4 ? low & 0xFF00_0000 == 0x7F00_0000 : high == 0 && low == 1 }

    /// What one customer of a network has: the address itself for IPv4, its first 64 bits for IPv6 (RFC 6177).
    var network: IPAddress { isIPv4 ? self : IPAddress(high: high, low: 0) }

    /// The address with all but its first bits set to zero.
    func prefix(_ bits: Int) -> IPAddress {
        let (first, last) = (min(bits, 64), max(bits - 64, 0))
        return IPAddress(
            high: first == 0 ? 0 : high & (.max << (64 - first)), low: last == 0 ? 0 : low & (.max << (64 - last)))
    }

    public var description: String {
        if isIPv4 { return [24, 16, 8, 0].map { String(low >> $0 & 0xFF) }.joined(separator: ".") }
        var bytes = [high, low].flatMap { half in (0..<8).map { UInt8(truncatingIfNeeded: half >> (56 - 8 * $0)) } }
        var text = [CChar](repeating: 0, count: Int(INET6_ADDRSTRLEN))
        inet_ntop(AF_INET6, &bytes, &text, socklen_t(text.count))
        return String(decoding: text.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
    }
}

/// A block of addresses in CIDR notation: `10.0.0.0/8`, `fd00::/8`, or a single address.
public struct AddressBlock: Sendable, Hashable, CustomStringConvertible {
    private let first: IPAddress
    /// Of the 128 bits, how many are the block's.
    private let bits: Int

    /// `nil` for text of another form.
    public init?(_ text: String) {
        let parts = text.split(separator: "/", omittingEmptySubsequences: false)
        guard let address = IPAddress(String(parts[0])), parts.count <= 2 else { return nil }
        let width = address.isIPv4 ? 32 : 128
        var length = width
        if parts.count == 2 {
            guard let given = Int(parts[1]), (0...width).contains(given) else { return nil }
            length = given
        }
        bits = 128 - width + length
        first = address.prefix(bits)
    }

    func contains(_ address: IPAddress) -> Bool { address.prefix(bits) == first }

    public var description: String { "\(first)/\(first.isIPv4 ? bits - 96 : bits)" }
}
