import Testing

@testable import Accounts

@Suite("What names and addresses may be")
struct AccountRulesTests {
    @Test("an address is trimmed and in lower case")
    func normalisedEmail() throws {
        #expect(try AccountRules.email("  Ada.Lovelace+game@Example.COM\n") == "ada.lovelace+game@example.com")
        #expect(try AccountRules.email("käthe@bücher.example") == "käthe@bücher.example")
    }

    @Test(
        "what can't be an address is refused",
        arguments: [
            "", "ada", "@example.com", "ada@", "ada@example", "a@b@example.com", "a b@example.com", "ada@-x.com",
            "ada@example..com", "ada@exam\u{0}ple.com", "ada\u{200B}@example.com",
            String(repeating: "a", count: 65) + "@example.com", "a@" + String(repeating: "b.", count: 130) + "com",
        ])
    func badEmail(text: String) {
        let error = #expect(throws: AccountsError.self) { try AccountRules.email(text) }
        guard case .invalidField("email", _) = error else {
            Issue.record("unexpected \(String(describing: error))")
            return
        }
    }

    @Test("a password has 8 to 256 bytes")
    func passwords() throws {
        #expect(throws: AccountsError.self) { try AccountRules.password("1234567") }
        #expect(try AccountRules.password("12345678").count == 8)
        #expect(try AccountRules.password(String(repeating: "x", count: 256)).count == 256)
        #expect(throws: AccountsError.self) { try AccountRules.password(String(repeating: "x", count: 257)) }
        #expect(try AccountRules.password("pa\u{0073}\u{0323}swort") == AccountRules.password("pa\u{1E63}swort"))
    }

    @Test("a display name has 1 to 32 visible characters")
    func displayNames() throws {
        #expect(try AccountRules.displayName("  Ada L.  ") == "Ada L.")
        #expect(try AccountRules.displayName("👩‍👩‍👧 家族") == "👩‍👩‍👧 家族")
        for bad in ["", "   ", String(repeating: "x", count: 33), "a\u{0}b", "a\nb", "a\u{202E}b", "a\u{2028}b"] {
            #expect(throws: AccountsError.self, "\(bad.debugDescription)") { try AccountRules.displayName(bad) }
        }
    }
}
