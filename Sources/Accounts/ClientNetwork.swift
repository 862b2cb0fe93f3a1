#if canImport(Glibc)
    import Glibc
#endif

/// The part of a network address that one customer of a provider has to themselves: an IPv4 address, and the first 64
/// bits of an IPv6 address, below which they may pick any.
enum ClientNetwork {
    /// The network as text; an address that is none is its own network.
    static func name(of address: String) -> String {
        if let v4 = bytes(of: address, family: AF_INET, count: 4) { return dotted(v4[...]) }
        guard let v6 = bytes(of: address, family: AF_INET6, count: 16) else { return String(address.prefix(64)) }
        // ::ffff:a.b.c.d is an IPv4 client on a socket of both families.
        if v6.prefix(10).allSatisfy({ $0 == 0 }), v6[10] == 0xFF, v6[11] == 0xFF { return dotted(v6[12...]) }
        let groups = stride(from: 0, to: 8, by: 2).map { String(Int(v6[$0]) << 8 | Int(v6[$0 + 1]), radix: 16) }
        return groups.joined(separator: ":") + "::/64"
    }

    /// Whether the address says nothing of who the client is: it is this machine's own, or not known.
    static func isLocal(_ address: String) -> Bool {
        if address.isEmpty { return true }
        if let v4 = bytes(of: address, family: AF_INET, count: 4) { return v4[0] == 127 }
        guard let v6 = bytes(of: address, family: AF_INET6, count: 16) else { return false }
        if v6.prefix(10).allSatisfy({ $0 == 0 }), v6[10] == 0xFF, v6[11] == 0xFF { return v6[12] == 127 }
        return v6.prefix(15).allSatisfy { $0 == 0 } && v6[15] == 1
    }

    private static func dotted(_ bytes: ArraySlice<UInt8>) -> String {
        bytes.map(String.init).joined(separator: ".")
    }

    private static func bytes(of address: String, family: Int32, count: Int) -> [UInt8]? {
        var bytes = [UInt8](repeating: 0, count: count)
        return inet_pton(family, address, &bytes) == 1 ? bytes : nil
    }
}
