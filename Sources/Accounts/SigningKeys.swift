import Crypto
import Foundation
import JWTKit

#if canImport(Glibc)
    import Glibc
#endif

/// The Ed25519 keys that sign tokens: files `signing-<n>.pem` in one folder, readable by their owner alone.
///
/// The highest number signs; all of them are published, so that tokens of an earlier key stay valid until they expire.
/// Processes that start at once agree on the first key: it is written aside and linked into place, and a link that
/// exists is never replaced.
public struct SigningKeys: Sendable {
    struct Key: Sendable {
        /// The JWK thumbprint (RFC 7638): the same key has the same name in every process.
        let kid: String
        let privateKey: EdDSA.PrivateKey
        let publicKey: String

        init(_ privateKey: EdDSA.PrivateKey) {
            self.privateKey = privateKey
            publicKey = Base64URL.encode(privateKey.publicKey.rawRepresentation)
            let canonical = #"{"crv":"Ed25519","kty":"OKP","x":"\#(publicKey)"}"#
            kid = Base64URL.encode(SHA256.hash(data: Data(canonical.utf8)))
        }
    }

    /// Newest first; never empty.
    let keys: [Key]

    var current: Key { keys[0] }

    /// Reads the folder's keys, making the folder and a first key where there are none.
    ///
    /// Throws ``AccountsError/corrupt(_:)`` where a key can't be read or others than its owner may read it.
    public static func loadOrCreate(folder: String) throws(AccountsError) -> SigningKeys {
        do {
            try FileManager.default.createDirectory(
                atPath: folder, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
        } catch {
            throw .corrupt("can't make the key folder \(folder): \(error)")
        }
        var keys = try load(folder: folder)
        if keys.isEmpty {
            try create(number: 1, folder: folder)
            keys = try load(folder: folder)
        }
        guard !keys.isEmpty else { throw .corrupt("no signing key in \(folder)") }
        return SigningKeys(keys: keys)
    }

    /// The public halves as a JSON Web Key Set (RFC 7517, RFC 8037).
    var jwks: String {
        let entries = keys.map { key in
            #"{"kty":"OKP","crv":"Ed25519","x":"\#(key.publicKey)","use":"sig","alg":"EdDSA","kid":"\#(key.kid)"}"#
        }
        return #"{"keys":[\#(entries.joined(separator: ","))]}"#
    }

    private static func load(folder: String) throws(AccountsError) -> [Key] {
        let names: [String]
        do {
            names = try FileManager.default.contentsOfDirectory(atPath: folder)
        } catch {
            throw .corrupt("can't list the key folder \(folder): \(error)")
        }
        var found: [(number: Int, key: Key)] = []
        for name in names {
            guard name.hasPrefix("signing-"), name.hasSuffix(".pem"),
                let number = Int(name.dropFirst("signing-".count).dropLast(".pem".count))
            else { continue }
            found.append((number, try read(path: folder + "/" + name)))
        }
        return found.sorted { $0.number > $1.number }.map(\.key)
    }

    private static func read(path: String) throws(AccountsError) -> Key {
        var status = stat()
        guard stat(path, &status) == 0 else { throw .corrupt("can't read \(path): \(errorText())") }
        guard status.st_mode & 0o077 == 0 else {
            throw .corrupt("\(path) may be read by others than its owner: chmod 600 it")
        }
        do {
            let pem = try String(contentsOfFile: path, encoding: .utf8)
            return Key(try EdDSA.PrivateKey(pem: pem))
        } catch {
            throw .corrupt("\(path) is not an Ed25519 key in PEM form: \(error)")
        }
    }

    /// Writes a new key under a number, unless that number was taken meanwhile.
    private static func create(number: Int, folder: String) throws(AccountsError) {
        let pem: String
        do {
            pem = try EdDSA.PrivateKey().pemRepresentation + "\n"
        } catch {
            throw .corrupt("can't make an Ed25519 key: \(error)")
        }
        let aside = "\(folder)/.new-\(getpid())-\(UUID().uuidString)"
        let file = open(aside, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
        guard file >= 0 else { throw .corrupt("can't write a key into \(folder): \(errorText())") }
        defer { unlink(aside) }
        let bytes = Array(pem.utf8)
        let isWritten = write(file, bytes, bytes.count) == bytes.count && fsync(file) == 0
        guard close(file) == 0, isWritten else { throw .corrupt("can't write a key into \(folder): \(errorText())") }
        guard link(aside, "\(folder)/signing-\(number).pem") == 0 || errno == EEXIST else {
            throw .corrupt("can't write a key into \(folder): \(errorText())")
        }
        // The name itself has to last: a token signed now must verify after a power cut.
        let directory = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard directory >= 0 else { return }
        fsync(directory)
        close(directory)
    }

    private static func errorText() -> String { String(cString: strerror(errno)) }
}
