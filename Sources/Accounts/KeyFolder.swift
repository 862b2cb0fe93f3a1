import Foundation
import GameModel
import JWTKit

#if canImport(Glibc)
    import Glibc
#endif

/// The folder of the signing keys: files `signing-<n>.pem`, readable by their owner alone, each with the moment of its
/// making in a line before the key.
///
/// Processes that start at once agree on the first key: a key is written aside and linked into place, and a link that
/// exists is never replaced.
public struct KeyFolder: Sendable {
    /// How old a key must be before it signs: time for everyone who verifies to fetch it.
    public static let publishTime: Duration = .seconds(300)
    /// The longest life of a token that is not noted beside its key: see ``note(tokenUntil:of:)``.
    public static let plainTokenLifetimeMax: Duration = .seconds(86_400)
    /// How much longer than it should a process may sign with a key, for it has yet to read the folder.
    static let readingSlack: Duration = .seconds(60)

    public let path: String
    let publishTime: Duration
    let clock: @Sendable () -> Instant

    public init(
        path: String, publishTime: Duration = Self.publishTime, clock: @escaping @Sendable () -> Instant = { .now }
    ) {
        self.path = path
        self.publishTime = publishTime
        self.clock = clock
    }

    /// Reads the keys, making the folder and a first key where there are none.
    ///
    /// Throws ``AccountsError/corrupt(_:)`` where a key can't be read or others than its owner may read it.
    func loadOrCreate() throws(AccountsError) -> SigningKeys {
        do {
            try FileManager.default.createDirectory(
                atPath: path, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
        } catch {
            throw .corrupt("can't make the key folder \(path): \(error)")
        }
        var keys = try read()
        if keys.isEmpty {
            _ = try create(number: 1)
            keys = try read()
        }
        guard let keys = SigningKeys(keys, publishTime: publishTime) else {
            throw .corrupt("no signing key in \(path)")
        }
        return keys
    }

    /// Reads the keys; a folder without any is refused.
    func load() throws(AccountsError) -> SigningKeys {
        guard let keys = SigningKeys(try read(), publishTime: publishTime) else {
            throw .corrupt("no signing key in \(path)")
        }
        return keys
    }

    private func read() throws(AccountsError) -> [SigningKeys.Key] {
        let names: [String]
        do {
            names = try FileManager.default.contentsOfDirectory(atPath: path)
        } catch {
            throw .corrupt("can't list the key folder \(path): \(error)")
        }
        var found: [SigningKeys.Key] = []
        for name in names {
            guard name.hasPrefix("signing-"), name.hasSuffix(".pem"),
                let number = Int(name.dropFirst("signing-".count).dropLast(".pem".count))
            else { continue }
            found.append(try key(number: number))
        }
        return found
    }

    private func key(number: Int) throws(AccountsError) -> SigningKeys.Key {
        let file = keyFile(number)
        var status = stat()
        guard stat(file, &status) == 0 else { throw .corrupt("can't read \(file): \(Self.errorText())") }
        guard status.st_mode & 0o077 == 0 else {
            throw .corrupt("\(file) may be read by others than its owner: chmod 600 it")
        }
        do {
            let text = try String(contentsOfFile: file, encoding: .utf8)
            // Text before the key is explanation (RFC 7468, section 2), which not every reader of PEM skips.
            let pem = text.range(of: "-----BEGIN").map { String(text[$0.lowerBound...]) } ?? text
            let createdAt = Self.moment(after: Self.createdLabel, in: text) ?? Instant(milliseconds: 0)
            return .init(try EdDSA.PrivateKey(pem: pem), number: number, createdAt: createdAt)
        } catch {
            throw .corrupt("\(file) is not an Ed25519 key in PEM form: \(error)")
        }
    }

    /// Writes a new key under a number, unless that number was taken meanwhile: then `false`.
    ///
    /// - Parameter createdAt: when it was made; `nil`: now.
    func create(number: Int, createdAt: Instant? = nil) throws(AccountsError) -> Bool {
        let pem: String
        do {
            pem = try EdDSA.PrivateKey().pemRepresentation
        } catch {
            throw .corrupt("can't make an Ed25519 key: \(error)")
        }
        let aside = try writeAside("\(Self.createdLabel)\((createdAt ?? clock()).milliseconds)\n\(pem)\n")
        defer { unlink(aside) }
        guard link(aside, keyFile(number)) == 0 else {
            guard errno == EEXIST else { throw .corrupt("can't write a key into \(path): \(Self.errorText())") }
            return false
        }
        flush()
        return true
    }

    // MARK: Files

    /// Before the key in its file; then Unix ms.
    private static let createdLabel = "Created: "

    func keyFile(_ number: Int) -> String { "\(path)/signing-\(number).pem" }

    /// Where the end of a key's last long-lived token is noted, in Unix ms.
    func noteFile(_ number: Int) -> String { "\(path)/signing-\(number).tokens-until" }

    /// A new file that only its owner may read, under a name of its own; answers its path.
    func writeAside(_ text: String) throws(AccountsError) -> String {
        let aside = "\(path)/.new-\(getpid())-\(UUID().uuidString)"
        let file = open(aside, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
        guard file >= 0 else { throw .corrupt("can't write into \(path): \(Self.errorText())") }
        let bytes = Array(text.utf8)
        let isWritten = write(file, bytes, bytes.count) == bytes.count && fsync(file) == 0
        guard close(file) == 0, isWritten else {
            let reason = Self.errorText()
            unlink(aside)
            throw .corrupt("can't write into \(path): \(reason)")
        }
        return aside
    }

    /// Makes the names in the folder last: a token signed now must verify after a power cut.
    func flush() {
        let directory = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard directory >= 0 else { return }
        fsync(directory)
        close(directory)
    }

    static func moment(after label: String, in text: String) -> Instant? {
        text.split(separator: "\n").first { $0.hasPrefix(label) }
            .flatMap { Int64($0.dropFirst(label.count)) }.map(Instant.init(milliseconds:))
    }

    static func errorText() -> String { String(cString: strerror(errno)) }
}
