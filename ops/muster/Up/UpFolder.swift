import Accounts
import Foundation

/// The data folder of `muster up`: made on first use, with the tokens and secrets that its processes share.
struct UpFolder: Sendable {
    let path: String
    /// What instances show to the API. Held in memory for the children's environment; also in `instanceTokenFile`.
    let instanceToken: String
    /// Secret keys and webhook secrets of the sandbox, as environment variables.
    let paymentSecrets: [String: String]

    /// What PayPal's side of the sandbox knows us by; its secret is the sandbox's secret key.
    static let payPalClientId = "muster"

    var redisFolder: String { "\(path)/redis" }
    var instanceTokenFile: String { "\(path)/keys/instance.token" }
    var developerTokenFile: String { "\(path)/keys/developer.token" }
    var paymentsKeyFile: String { "\(path)/keys/payments.key" }

    /// How long the tokens of a run are good for; each start makes new ones.
    private static let tokenLifetime: Duration = .seconds(30 * 86_400)

    /// Makes the folder and what is in it, readable by its owner only.
    static func prepare(_ folder: String) async throws -> UpFolder {
        let path = URL(fileURLWithPath: folder).standardizedFileURL.path
        do {
            for part in ["", "/keys", "/redis"] {
                try FileManager.default.createDirectory(
                    atPath: path + part, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
            }
        } catch {
            throw CommandFailure(
                "The data folder \(path) can't be made: \(error.localizedDescription)",
                nextStep: "Use a folder that you may write to: muster up --data FOLDER.")
        }
        let tokens = TokenIssuer(ring: try KeyRing(folder: "\(path)/keys"))
        let instance = try await tokens.service(subject: "fleet", role: .instance, lifetime: tokenLifetime)
        let developer = try await tokens.access(subject: "local", role: .developer, lifetime: tokenLifetime)
        let secretKey = "sk_test_\(random())"
        let made = UpFolder(
            path: path, instanceToken: instance,
            paymentSecrets: [
                "MUSTER_PAYMENTS_SECRET_KEY": secretKey, "MUSTER_PAYMENTS_WEBHOOK_SECRET": "whsec_\(random())",
                "MUSTER_PAYMENTS_PAYPAL_CLIENT_ID": payPalClientId, "MUSTER_PAYMENTS_PAYPAL_CLIENT_SECRET": secretKey,
                "MUSTER_PAYMENTS_PAYPAL_WEBHOOK_ID": "WH-MUSTER",
            ])
        try PrivateFile.write(secretKey, to: made.paymentsKeyFile)
        try PrivateFile.write(instance, to: made.instanceTokenFile)
        try PrivateFile.write(developer, to: made.developerTokenFile)
        return made
    }

    /// Secrets are made anew for each run: only its own processes need to know them.
    private static func random() -> String {
        (0..<4).map { _ in String(UInt64.random(in: .min ... .max), radix: 36) }.joined()
    }
}

/// Files that only their owner may read.
enum PrivateFile {
    /// Replaces the file in one step; it is never readable by others, not even for a moment.
    static func write(_ text: String, to path: String) throws {
        let temporary = "\(path).\(getpid()).new"
        let handle = open(temporary, O_CREAT | O_WRONLY | O_TRUNC | O_CLOEXEC, 0o600)
        guard handle >= 0 else { throw POSIXError(POSIXErrorCode(rawValue: errno) ?? .EIO) }
        let file = FileHandle(fileDescriptor: handle, closeOnDealloc: true)
        try file.write(contentsOf: Data((text + "\n").utf8))
        try file.close()
        guard rename(temporary, path) == 0 else { throw POSIXError(POSIXErrorCode(rawValue: errno) ?? .EIO) }
    }
}
