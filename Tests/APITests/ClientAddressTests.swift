import NIOCore
import Testing

@testable import API

@Suite("Where a request comes from")
struct ClientAddressTests {
    @Test(
        "an address is read, and written in its shortest form",
        arguments: [
            ("192.0.2.7", "192.0.2.7"), ("2001:DB8:0:0::1", "2001:db8::1"), ("::1", "::1"),
            ("::ffff:192.0.2.7", "192.0.2.7"), ("0.0.0.0", "0.0.0.0"), ("255.255.255.255", "255.255.255.255"),
        ])
    func reading(text: String, shortest: String) {
        #expect(IPAddress(text)?.description == shortest)
    }

    @Test(
        "what is no address is not read",
        arguments: ["", "1.2.3", "1.2.3.4.5", "256.0.0.1", "localhost", "1.2.3.4/8", "::g", "fe80::1%eth0", " 1.2.3.4"])
    func refusing(text: String) {
        #expect(IPAddress(text) == nil)
    }

    @Test(
        "a block has the addresses that begin with it, and no other",
        arguments: [
            ("10.0.0.0/8", "10.255.0.1", true), ("10.0.0.0/8", "11.0.0.1", false),
            ("10.1.2.3/8", "10.200.0.1", true), ("192.0.2.4/30", "192.0.2.7", true),
            ("192.0.2.4/30", "192.0.2.8", false), ("192.0.2.4", "192.0.2.4", true), ("192.0.2.4", "192.0.2.5", false),
            ("0.0.0.0/0", "203.0.113.1", true), ("0.0.0.0/0", "2001:db8::1", false), ("::/0", "2001:db8::1", true),
            ("2001:db8::/33", "2001:db8:7fff::1", true), ("2001:db8::/33", "2001:db8:8000::1", false),
            ("fd00::/72", "fd00:0:0:0:100::1", false), ("fd00::/72", "fd00:0:0:0:ff::1", true),
        ])
    func blocks(block: String, address: String, isIn: Bool) throws {
        let (block, address) = (try #require(AddressBlock(block)), try #require(IPAddress(address)))
        #expect(block.contains(address) == isIn)
    }

    @Test(
        "what is no block is not read",
        arguments: ["", "/8", "10.0.0.0/", "10.0.0.0/33", "10.0.0.0/-1", "10.0.0.0/8/8", "::/129"])
    func noBlocks(text: String) {
        #expect(AddressBlock(text) == nil)
    }

    @Test(
        "this machine is known by its addresses",
        arguments: [("127.0.0.1", true), ("127.9.9.9", true), ("::1", true), ("128.0.0.1", false), ("::2", false)])
    func loopback(text: String, isLoopback: Bool) {
        #expect(IPAddress(text)?.isLoopback == isLoopback)
    }

    @Test("customers of a network have one IPv4 address, or 64 bits of IPv6")
    func networks() {
        #expect(IPAddress("192.0.2.7")?.network == IPAddress("192.0.2.7"))
        #expect(IPAddress("2001:db8:1:2:3:4:5:6")?.network == IPAddress("2001:db8:1:2::"))
    }

    @Test("a socket's address is the same as the one in words", arguments: ["192.0.2.7", "2001:db8::1", "127.0.0.1"])
    func sockets(text: String) throws {
        #expect(IPAddress(try SocketAddress(ipAddress: text, port: 80)) == IPAddress(text))
        #expect(IPAddress(try SocketAddress(unixDomainSocketPath: "/tmp/x")) == nil)
    }

    /// Peer, X-Forwarded-For, and who is taken for the client; 10.0.0.0/8 is trusted.
    @Test(
        "a forwarded address is believed from a trusted peer, and only the last one that is not trusted itself",
        arguments: [
            ("203.0.113.1", ["198.51.100.9"], "203.0.113.1"),
            ("10.0.0.1", [], "10.0.0.1"),
            ("10.0.0.1", ["198.51.100.9"], "198.51.100.9"),
            ("10.0.0.1", ["1.1.1.1, 198.51.100.9"], "198.51.100.9"),
            ("10.0.0.1", ["1.1.1.1", "198.51.100.9, 10.0.0.2"], "198.51.100.9"),
            ("10.0.0.1", ["10.0.0.3,10.0.0.2"], "10.0.0.3"),
            ("10.0.0.1", ["1.1.1.1, nonsense, 10.0.0.2"], "10.0.0.2"),
            ("10.0.0.1", ["nonsense"], "10.0.0.1"),
            ("10.0.0.1", [""], "10.0.0.1"),
            ("10.0.0.1", ["198.51.100.9:4711"], "198.51.100.9"),
            ("10.0.0.1", ["[2001:db8::9]:4711"], "2001:db8::9"),
            ("10.0.0.1", ["2001:db8::9"], "2001:db8::9"),
        ] as [(String, [String], String)])
    func forwarded(peer: String, forwarded: [String], client: String) throws {
        let proxies = TrustedProxies(blocks: [try #require(AddressBlock("10.0.0.0/8"))])
        let address = try #require(IPAddress(peer))
        #expect(proxies.client(peer: address, forwarded: forwarded).description == client)
    }
}
