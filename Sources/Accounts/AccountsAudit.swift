import GameModel

/// Proves from the records that no session outlives its account, and that deletion left nothing of the person.
public struct AccountsAudit: Sendable {
    private let repository: AccountsRepository

    public init(repository: AccountsRepository) { self.repository = repository }

    /// All findings. Can run beside live traffic.
    ///
    /// Throws ``AccountsError/unavailable(_:)``.
    public func run() async throws(AccountsError) -> [AuditFinding] {
        var findings: [AuditFinding] = []
        for rule in Self.rules {
            let reading = try await repository.audited(counting: rule.counting, breaking: rule.breaking)
            findings.append(
                AuditFinding(
                    rule: rule.claim, checked: reading.checked, failed: reading.broken.count,
                    examples: reading.broken))
        }
        return findings
    }

    private struct Rule {
        let claim: String
        let counting: String
        let breaking: String
    }

    private static let rules = [
        Rule(
            claim: "each session belongs to an account that is neither locked nor deleted",
            counting: "SELECT COUNT(*) FROM sessions",
            breaking: """
                SELECT s.session_id FROM sessions s LEFT JOIN accounts a ON a.player_id = s.player_id
                WHERE a.player_id IS NULL OR a.locked_reason IS NOT NULL OR a.deleted_at IS NOT NULL
                """),
        Rule(
            claim: "each session has exactly one refresh token that was not used, its last",
            counting: "SELECT COUNT(*) FROM sessions",
            breaking: """
                SELECT s.session_id FROM sessions s LEFT JOIN refresh_tokens t ON t.session_id = s.session_id
                GROUP BY s.session_id HAVING COUNT(t.token_hash) - COUNT(t.used_at) <> 1
                    OR MAX(t.generation) <> MAX(CASE WHEN t.used_at IS NULL THEN t.generation END)
                """),
        Rule(
            claim: "each refresh token belongs to a session",
            counting: "SELECT COUNT(*) FROM refresh_tokens",
            breaking: """
                SELECT 'token ' || generation || ' of ' || session_id FROM refresh_tokens
                WHERE session_id NOT IN (SELECT session_id FROM sessions)
                """),
        Rule(
            claim: "a deleted account has no e-mail address, password, device or session",
            counting: "SELECT COUNT(*) FROM accounts WHERE deleted_at IS NOT NULL",
            breaking: """
                SELECT a.player_id FROM accounts a WHERE a.deleted_at IS NOT NULL AND (a.email IS NOT NULL
                    OR a.password_hash IS NOT NULL OR a.player_id IN (SELECT player_id FROM devices)
                    OR a.player_id IN (SELECT player_id FROM sessions))
                """),
        Rule(
            claim: "each account that is not deleted can be logged in to: by a password or by a device",
            counting: "SELECT COUNT(*) FROM accounts WHERE deleted_at IS NULL",
            breaking: """
                SELECT player_id FROM accounts WHERE deleted_at IS NULL AND password_hash IS NULL
                    AND player_id NOT IN (SELECT player_id FROM devices)
                """),
        Rule(
            claim: "no account has a role of services",
            counting: "SELECT COUNT(*) FROM accounts",
            breaking: """
                SELECT player_id FROM accounts WHERE role NOT IN
                    (\(Role.ofPeople.map { "'\($0.rawValue)'" }.joined(separator: ", ")))
                """),
    ]
}
