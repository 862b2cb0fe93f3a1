import Foundation

/// TCP ports of the loopback interface.
enum FreePort {
    /// Below those that the kernel gives to whoever wants any port (Linux: from 32768), outgoing connections among
    /// them, so that none gets one of these by chance between the choice and the use.
    private static let portsToChoose = 20_000..<32_000

    /// A port that nobody listens on. Another process may still take it before it is used; the child that was meant to
    /// then fails to start and says so.
    static func any() throws -> Int {
        for _ in 0..<100 {
            let port = Int.random(in: portsToChoose)
            if isFree(port) { return port }
        }
        return try bound(to: 0)
    }

    /// Whether one could listen on the port now.
    static func isFree(_ port: Int) -> Bool {
        do {
            _ = try bound(to: port)
            return true
        } catch {
            return false
        }
    }

    /// The port that the kernel gives when one asks for this one (0: any), freed again at once.
    private static func bound(to port: Int) throws -> Int {
        let handle = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        guard handle >= 0 else { throw POSIXError(POSIXErrorCode(rawValue: errno) ?? .EIO) }
        defer { close(handle) }
        var reuse: Int32 = 1
        setsockopt(handle, SOL_SOCKET, SO_REUSEADDR, &reuse, socklen_t(MemoryLayout<Int32>.size))
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = in_port_t(port).bigEndian
        address.sin_addr.s_addr = in_addr_t(0x7F00_0001).bigEndian
        var size = socklen_t(MemoryLayout<sockaddr_in>.size)
        let result = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { address in
                bind(handle, address, size) == 0 && listen(handle, 1) == 0 && getsockname(handle, address, &size) == 0
            }
        }
        guard result else { throw POSIXError(POSIXErrorCode(rawValue: errno) ?? .EADDRINUSE) }
        return Int(in_port_t(bigEndian: address.sin_port))
    }
}
