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
        switch address {
        case .v4(let v4): self.init(v4.address.sin_addr)
        case .v6(let v6): self.init(v6.address.sin6_addr)
        case .unixDomainSocket: return nil
        }
    }

    /// Reads `192.0.2.1` or `2001:db8::1`; `nil` for any other text.
    public init?(_ text: String) {
        var (v4, v6) = (in_addr(), in6_addr())
        if inet_pton(AF_INET, text, &v4) == 1 {
            self.init(v4)
        } else if inet_pton(AF_INET6, text, &v6) == 1 {
            self.init(v6)
        } else {
            return nil
        }
    }

    private init(_ address: in_addr) {
        self.init(high: 0, low: Self.mapped | UInt64(UInt32(bigEndian: address.s_addr)))
    }

    private init(_ address: in6_addr) {
        let (high, low) = withUnsafeBytes(of: address) { bytes in
            (bytes.loadUnaligned(as: UInt64.self), bytes.loadUnaligned(fromByteOffset: 8, as: UInt64.self))
        }
        self.init(high: UInt64(bigEndian: high), low: UInt64(bigEndian: low))
    }

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
        var address = in6_addr()
        withUnsafeMutableBytes(of: &address) { bytes in
            bytes.storeBytes(of: high.bigEndian, as: UInt64.self)
            bytes.storeBytes(of: low.bigEndian, toByteOffset: 8, as: UInt64.self)
        }
        var text = [CChar](repeating: 0, count: Int(INET6_ADDRSTRLEN))
        inet_ntop(AF_INET6, &address, &text, socklen_t(text.count))
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
