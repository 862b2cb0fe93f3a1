import Foundation
import Testing

@testable import Accounts

@Suite("Passwords")
struct ScryptTests {
    /// RFC 7914, section 12; the vector that needs 1 GiB is left out.
    @Test(
        "scrypt gives RFC 7914's keys",
        arguments: [
            (
                "", "", 4, 1, 1,
                "77d6576238657b203b19ca42c18a0497f16b4844e3074ae8dfdffa3fede21442"
                    + "fcd0069ded0948f8326a753a0fc81f17e8d3e0fb2e0d3628cf35e20c38d18906"
            ),
            (
                "password", "NaCl", 10, 8, 16,
                "fdbabe1c9d3472007856e7190d01e9fe7c6ad7cbc8237830e77376634b373162"
                    + "2eaf30d92e22a3886ff109279d9830dac727afb94a83ee6d8360cbdfa2cc0640"
            ),
            (
                "pleaseletmein", "SodiumChloride", 14, 8, 1,
                "7023bdcb3afd7348461c06cd81fd38ebfda8fbba904f8e3ea9b543f6545da1f2"
                    + "d5432955613f0fcf62d49705242a9af9e61e85dc0d651e40dfcf017b45575887"
            ),
        ])
    func vectors(password: String, salt: String, logN: Int, r: Int, p: Int, key: String) throws {
        let derived = try Scrypt.derive(
            password: Array(password.utf8), salt: Array(salt.utf8),
            parameters: ScryptParameters(logN: logN, r: r, p: p), bytes: 64)
        #expect(derived.map { String(format: "%02x", $0) }.joined() == key)
    }

    @Test("a stored hash carries its parameters and salt, and is read back as it was written")
    func storedForm() throws {
        let parameters = ScryptParameters(logN: 4, r: 2, p: 3)
        let hash = try PasswordHash(password: Array("correct horse".utf8), parameters: parameters)
        #expect(hash.description.hasPrefix("$scrypt$ln=4,r=2,p=3$"))
        #expect(!hash.description.contains("=" + "$"))
        #expect(try PasswordHash(hash.description) == hash)
        #expect(try hash.matches(Array("correct horse".utf8)))
        #expect(try !hash.matches(Array("correct house".utf8)))
        #expect(try PasswordHash(password: Array("correct horse".utf8), parameters: parameters) != hash)
    }

    @Test(
        "a damaged hash is refused, and so is one that would take too much memory",
        arguments: [
            "", "plain", "$scrypt$ln=4,r=2$c2FsdA$a2V5", "$bcrypt$ln=4,r=2,p=1$c2FsdA$a2V5",
            "$scrypt$ln=30,r=8,p=1$c2FsdHNhbHRzYWx0$a2V5a2V5a2V5a2V5a2V5a2V5", "$scrypt$ln=4,r=8,p=1$$",
        ])
    func damaged(text: String) {
        #expect(throws: AccountsError.self) { try PasswordHash(text) }
    }

    @Test("an unknown account is no match, whatever the password")
    func unknownAccount() async throws {
        let hasher = try PasswordHasher(parameters: ScryptParameters(logN: 4, r: 1, p: 1), threads: 1)
        let stored = try await hasher.hash(Array("correct horse".utf8))
        #expect(try await hasher.verify(Array("correct horse".utf8), against: stored))
        #expect(try await !hasher.verify(Array("correct horse".utf8), against: nil))
    }

    @Test("more log-ins than may wait are refused, and the others are served")
    func overload() async throws {
        let hasher = try PasswordHasher(
            parameters: ScryptParameters(logN: 15, r: 8, p: 1), threads: 1, waitingMax: 2)
        let outcomes = await withTaskGroup(of: AccountsError?.self) { group in
            for _ in 0..<24 {
                group.addTask {
                    do throws(AccountsError) {
                        _ = try await hasher.hash(Array("correct horse".utf8))
                        return nil
                    } catch {
                        return error
                    }
                }
            }
            return await group.reduce(into: []) { $0.append($1) }
        }
        #expect(outcomes.contains { $0 == nil })
        #expect(outcomes.contains(.overloaded))
        #expect(outcomes.allSatisfy { $0 == nil || $0 == .overloaded })
        // The places of those that were served are free again.
        _ = try await hasher.hash(Array("correct horse".utf8))
    }
}
