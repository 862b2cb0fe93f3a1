import Accounts
import HTTPTypes
import Hummingbird
import NIOCore

/// Which peers are believed when they say, by `X-Forwarded-For`, whom they speak for: our own load balancers.
public struct TrustedProxies: Sendable, Hashable {
    /// More entries of a forwarded header are not looked at: nobody has so many proxies.
    static let hopsMax = 16

    /// Load balancers on this machine.
    public static let loopback = TrustedProxies(
        blocks: [AddressBlock("127.0.0.0/8"), AddressBlock("::1")].compactMap(\.self))

    let blocks: [AddressBlock]

    public init(blocks: [AddressBlock]) { self.blocks = blocks }

    func contains(_ address: IPAddress) -> Bool { blocks.contains { $0.contains(address) } }

    /// The address that a request came from: the peer's own, or, where the peer is trusted, the last one in its
    /// `X-Forwarded-For` that is not. What stands before that one was written by the client, and could be anything.
    func client(peer: IPAddress, forwarded: [String]) -> IPAddress {
        guard contains(peer), !forwarded.isEmpty else { return peer }
        var client = peer
        let hops = forwarded.flatMap { $0.split(separator: ",", omittingEmptySubsequences: false) }
        for hop in hops.suffix(Self.hopsMax).reversed() {
            guard let address = Self.address(hop) else { return client }
            client = address
            guard contains(address) else { return client }
        }
        return client
    }

    /// An entry of the header: an address, possibly with a port: `192.0.2.1:443`, `[2001:db8::1]:443`.
    private static func address(_ entry: Substring) -> IPAddress? {
        var text = entry.filter { $0 != " " && $0 != "\t" }[...]
        if text.first == "[", let end = text.firstIndex(of: "]") {
            text = text[text.index(after: text.startIndex)..<end]
        } else if text.filter({ $0 == ":" }).count == 1, let colon = text.firstIndex(of: ":") {
            text = text[..<colon]
        }
        return IPAddress(String(text))
    }
}

extension APIContext {
    /// Where the request came from; `nil` where that is a Unix socket, or this machine itself: a load balancer here
    /// that forwards no address, or a program of the operator's. What is counted by address isn't counted for those.
    func clientAddress(_ request: Request) -> IPAddress? {
        guard let peer = peer.flatMap({ IPAddress($0) }) else { return nil }
        let client = proxies.client(peer: peer, forwarded: request.headers[values: .forwardedFor])
        return client.isLoopback ? nil : client
    }

    /// Where the request came from, for the accounts.
    func client(_ request: Request) -> ClientDetails {
        ClientDetails(
            address: clientAddress(request).map(\.description) ?? "", agent: request.headers[.userAgent])
    }
}

extension HTTPField.Name {
    static let forwardedFor = HTTPField.Name("X-Forwarded-For") ?? .via
}
