import NIOCore
import NIOSSL
import Synchronization

/// How a connection is encrypted. The server's certificate and its name are always verified.
public struct RedisTLS: Sendable, Equatable {
    /// PEM file of the authorities that may have signed the server's certificate; `nil` trusts the system's.
    public var caFile: String?
    /// PEM file of the client's certificate, and of those between it and the authority; for a server that asks for one.
    public var certificateFile: String?
    /// PEM file of the client's private key, without passphrase.
    public var keyFile: String?
    /// The DNS name that the server's certificate must have and that is sent to the server (SNI); `nil` is the host of
    /// the address. Where that is an IP address, the certificate must name the IP address.
    public var serverName: String?

    public init(
        caFile: String? = nil, certificateFile: String? = nil, keyFile: String? = nil,
        serverName: String? = nil
    ) {
        self.caFile = caFile
        self.certificateFile = certificateFile
        self.keyFile = keyFile
        self.serverName = serverName
    }

    func validate() throws(RedisError) {
        guard (certificateFile == nil) == (keyFile == nil) else {
            throw .invalidConfiguration(
                "a client certificate and its key go together: set both or neither")
        }
        for (name, value) in [
            ("CA file", caFile), ("certificate file", certificateFile), ("key file", keyFile),
            ("server name", serverName),
        ] where value?.isEmpty == true {
            throw .invalidConfiguration("the \(name) of TLS is empty")
        }
        if let serverName, Self.isIPAddress(serverName) {
            throw .invalidConfiguration("the server name of TLS is an IP address; it must be a DNS name")
        }
    }

    /// - Throws: `invalidConfiguration`, naming the file that can't be read.
    func makeContext() throws(RedisError) -> NIOSSLContext {
        var settings = TLSConfiguration.makeClientConfiguration()
        if let caFile { settings.trustRoots = .certificates(try Self.certificates(caFile)) }
        if let certificateFile, let keyFile {
            settings.certificateChain = try Self.certificates(certificateFile).map { .certificate($0) }
            do {
                settings.privateKey = .privateKey(try NIOSSLPrivateKey(file: keyFile, format: .pem))
            } catch {
                throw .invalidConfiguration("the key file \(keyFile) can't be read as PEM: \(error)")
            }
        }
        do {
            return try NIOSSLContext(configuration: settings)
        } catch {
            throw .invalidConfiguration("TLS can't be set up: \(error)")
        }
    }

    /// The name to verify and to send; `nil` where the server is known by an IP address.
    func name(of address: RedisConfiguration.Address) -> String? {
        if let serverName { return serverName }
        guard case .tcp(let host, _) = address, !Self.isIPAddress(host) else { return nil }
        return host
    }

    private static func certificates(_ file: String) throws(RedisError) -> [NIOSSLCertificate] {
        do {
            let certificates = try NIOSSLCertificate.fromPEMFile(file)
            if !certificates.isEmpty { return certificates }
        } catch {
            throw .invalidConfiguration("the certificates in \(file) can't be read as PEM: \(error)")
        }
        throw .invalidConfiguration("there is no certificate in \(file)")
    }

    private static func isIPAddress(_ text: String) -> Bool {
        do {
            _ = try SocketAddress(ipAddress: text, port: 0)
            return true
        } catch {
            return false
        }
    }
}

/// The context that a client's connections share, as making one reads files and parses certificates. It is made anew
/// after a connection failed, so that renewed certificates are found without a restart.
final class TLSContexts: Sendable {
    private let tls: RedisTLS
    private let current = Mutex<NIOSSLContext?>(nil)

    init(_ tls: RedisTLS) { self.tls = tls }

    func context() throws(RedisError) -> NIOSSLContext {
        let known = current.withLock { $0 }
        if let known { return known }
        let made = try tls.makeContext()
        current.withLock { $0 = made }
        return made
    }

    func forget() { current.withLock { $0 = nil } }

    func handler(for address: RedisConfiguration.Address) throws -> NIOSSLClientHandler {
        try NIOSSLClientHandler(context: try context(), serverHostname: tls.name(of: address))
    }
}
