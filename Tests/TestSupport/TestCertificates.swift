import Foundation

/// An authority and the certificates that it signed, as PEM files in a folder of their own.
public struct TestCertificates: Sendable {
    private let folder: TemporaryFolder

    /// The authority's own certificate.
    public var authority: String { folder.file("ca.pem") }
    public var serverCertificate: String { folder.file("server.pem") }
    public var serverKey: String { folder.file("server.key") }
    public var clientCertificate: String { folder.file("client.pem") }
    public var clientKey: String { folder.file("client.key") }

    /// - Parameter serverNames: what the server's certificate names, as `DNS:localhost` or `IP:127.0.0.1`.
    public init(serverNames: [String] = ["DNS:localhost", "IP:127.0.0.1"]) throws {
        folder = try TemporaryFolder()
        let settings = "[req]\ndistinguished_name=name\n[name]\n"
        try Data(settings.utf8).write(to: URL(filePath: folder.file("openssl.cnf")))
        try make("ca", ["-subj", "/CN=Test authority", "-addext", "basicConstraints=critical,CA:TRUE"])
        let signed = ["-CA", authority, "-CAkey", folder.file("ca.key")]
        let names = "subjectAltName=" + serverNames.joined(separator: ",")
        try make("server", ["-subj", "/CN=Test server", "-addext", names] + signed)
        try make("client", ["-subj", "/CN=Test client", "-addext", "subjectAltName=DNS:client"] + signed)
    }

    /// Removes the files.
    public func remove() { folder.remove() }

    private func make(_ name: String, _ arguments: [String]) throws {
        let process = Process()
        process.executableURL = URL(filePath: "/usr/bin/openssl")
        process.arguments =
            [
                "req", "-x509", "-config", folder.file("openssl.cnf"), "-days", "2", "-nodes", "-newkey", "ec",
                "-pkeyopt", "ec_paramgen_curve:prime256v1", "-keyout", folder.file(name + ".key"), "-out",
                folder.file(name + ".pem"),
            ] + arguments
        process.standardError = FileHandle(forWritingAtPath: "/dev/null")
        process.standardInput = FileHandle(forReadingAtPath: "/dev/null")
        try process.run()
        process.waitUntilExit()
        guard process.terminationStatus == 0 else {
            throw TestSupportError("openssl could not make the certificate \(name)")
        }
    }
}
