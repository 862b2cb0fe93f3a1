import API
import Accounts
import Configuration
import GameModel
import Store

/// The settings of an API process. The defaults work on a laptop.
public struct APIConfiguration: Sendable, Equatable {
    public var redisURL = "redis://127.0.0.1:6379"
    /// The folder of `accounts.sqlite`, `data.sqlite` and `keys/`.
    public var dataFolder = ".muster"
    public var host = "127.0.0.1"
    /// 0 takes any that is free.
    public var port = 8080
    /// The cost of hashing a password: 2^logN × 128 × r bytes of memory, p times (RFC 7914).
    public var scryptLogN = 14
    public var scryptR = 8
    public var scryptP = 5
    /// How long an access token is good for.
    public var accessLifetime: Duration = .seconds(900)
    /// Whose webhooks are taken, and what orders may name.
    public var payments = PaymentSettings()
    /// The file of matchmaking's rules; `nil`: the built-in rules.
    public var rulesFile: String?
    /// How many requests of a player, or of a network address, are answered per minute.
    public var limits = RateLimits()
    /// Load balancers that are believed when they say whom they speak for: CIDR blocks, with commas between them.
    public var trustedProxies = "127.0.0.0/8, ::1"
    /// Accounts and guests that one network address may make in an hour; 0: as many as it likes.
    public var creationsPerHour = AccountLimits().creations

    /// Where products' pictures lie.
    public var pictures = PictureSettings()
    /// How long a request waits for Redis before it is answered 503.
    public var redisPatience = Duration.seconds(2)

    public init() {}

    /// Reads, each with the default above where it is absent:
    /// - `muster.redis.url`
    /// - `muster.data`
    /// - `muster.api.host`, `muster.api.port` (0 to 65535)
    /// - `muster.password.scrypt.log-n` (10 to 20), `.r` (1 to 32), `.p` (1 to 16)
    /// - `muster.token.access-lifetime-seconds` (10 to 86400)
    /// - `muster.payments.*`: see `PaymentSettings`
    /// - `muster.matchmaking.rules`, the path of a rules file
    /// - `muster.pictures.*`: see ``PictureSettings``
    /// - `muster.api.trusted-proxies`, CIDR blocks with commas between them; empty: none
    /// - `muster.api.limits.log-ins`, `.registrations`, `.orders`, `.quotes`, `.exports`, `.others`: per minute and
    ///   player or address (0 to 1000000; 0: no limit)
    /// - `muster.api.limits.accounts-per-hour`: per address (0 to 1000000; 0: no limit)
    public init(reader: ConfigReader) {
        self.init()
        pictures = PictureSettings(reader: reader)
        redisURL = reader.string(forKey: "muster.redis.url", default: redisURL)
        dataFolder = reader.string(forKey: "muster.data", default: dataFolder)
        host = reader.string(forKey: "muster.api.host", default: host)
        port = reader.int(forKey: "muster.api.port", default: port)
        scryptLogN = reader.int(forKey: "muster.password.scrypt.log-n", default: scryptLogN)
        scryptR = reader.int(forKey: "muster.password.scrypt.r", default: scryptR)
        scryptP = reader.int(forKey: "muster.password.scrypt.p", default: scryptP)
        accessLifetime = .seconds(reader.int(forKey: "muster.token.access-lifetime-seconds", default: 900))
        payments = PaymentSettings(
            string: { reader.string(forKey: ConfigKey($0), isSecret: $1) }, int: { reader.int(forKey: ConfigKey($0)) })
        rulesFile = reader.string(forKey: "muster.matchmaking.rules")
        trustedProxies = reader.string(forKey: "muster.api.trusted-proxies", default: trustedProxies)
        for (name, limit) in Self.limitNames {
            limits[keyPath: limit] = reader.int(
                forKey: ConfigKey("muster.api.limits.\(name)"), default: limits[keyPath: limit])
        }
        creationsPerHour = reader.int(forKey: "muster.api.limits.accounts-per-hour", default: creationsPerHour)
    }

    private static var limitNames: [(String, WritableKeyPath<RateLimits, Int>)] {
        [
            ("log-ins", \.logIns), ("registrations", \.registrations), ("orders", \.orders), ("quotes", \.quotes),
            ("exports", \.exports), ("others", \.others),
        ]
    }

    /// - Throws: ``APIConfigurationError`` naming the setting.
    public func validate() throws(APIConfigurationError) {
        try Self.check("muster.api.port", port, in: 0...65_535)
        try Self.check("muster.password.scrypt.log-n", scryptLogN, in: 10...20)
        try Self.check("muster.password.scrypt.r", scryptR, in: 1...32)
        try Self.check("muster.password.scrypt.p", scryptP, in: 1...16)
        try Self.check(
            "muster.token.access-lifetime-seconds", Int(accessLifetime.milliseconds / 1000), in: 10...86_400)
        for (name, limit) in Self.limitNames {
            try Self.check("muster.api.limits.\(name)", limits[keyPath: limit], in: 0...1_000_000)
        }
        try Self.check("muster.api.limits.accounts-per-hour", creationsPerHour, in: 0...1_000_000)
        _ = try proxies()
        do {
            try payments.validate()
        } catch {
            throw APIConfigurationError(description: error.description)
        }
        try pictures.validate()
        guard !host.isEmpty else { throw APIConfigurationError(description: "muster.api.host is empty") }
        guard !dataFolder.isEmpty else { throw APIConfigurationError(description: "muster.data is empty") }
    }

    /// The blocks of ``trustedProxies``.
    func proxies() throws(APIConfigurationError) -> TrustedProxies {
        var blocks: [AddressBlock] = []
        for text in trustedProxies.split(whereSeparator: { $0 == "," || $0 == " " }) {
            guard let block = AddressBlock(String(text)) else {
                throw APIConfigurationError(
                    description:
                        "muster.api.trusted-proxies has '\(text)', and must be of CIDR blocks like 10.0.0.0/8, fd00::/8"
                )
            }
            blocks.append(block)
        }
        return TrustedProxies(blocks: blocks)
    }

    private static func check(
        _ setting: String, _ value: Int, in range: ClosedRange<Int>
    ) throws(APIConfigurationError) {
        guard range.contains(value) else {
            throw APIConfigurationError(
                description: "\(setting) is \(value), and must be \(range.lowerBound) to \(range.upperBound)")
        }
    }
}

/// A setting that is out of its range.
public struct APIConfigurationError: Error, Sendable, Equatable, CustomStringConvertible {
    public var description: String
}
