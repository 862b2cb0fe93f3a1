/// Why a command has no reply. Each case says whether the command can have run, as that decides what the caller may do.
public enum RedisError: Error, Sendable, Hashable, CustomStringConvertible {
    /// No connection within the time-out, or a limit of this client was reached. The command was never sent: retrying
    /// is safe.
    case unavailable(String)
    /// The connection was cut while the reply was awaited.
    case connectionLost(mayHaveRun: Bool)
    /// No reply within the time-out. Where `mayHaveRun` is false, the command was never sent.
    case timedOut(mayHaveRun: Bool)
    /// The calling task was cancelled. A command that had been sent may have run.
    case cancelled
    /// An error reply of the server: `WRONGTYPE …`, `OOM …`.
    case server(String)
    /// The server sent bytes that are not RESP, or a reply larger than the limits. The command may have run.
    case protocolViolation(String)
    /// The reply is of another type than the caller wanted. The command ran.
    case unexpectedReply(String)
    /// A setting or a command that can't work, refused before anything is sent.
    case invalidConfiguration(String)

    /// The first word of a server's error reply: `WRONGTYPE`, `NOSCRIPT`, `OOM`; or `nil`.
    public var serverCode: Substring? {
        guard case .server(let text) = self else { return nil }
        return text.prefix { $0 != " " }
    }

    /// Whether Redis itself is out of reach or not able to serve now: answer 503 and try later.
    public var isOutage: Bool {
        switch self {
        case .unavailable, .connectionLost, .timedOut: true
        case .server: Self.outageCodes.contains(serverCode ?? "")
        case .cancelled, .protocolViolation, .unexpectedReply, .invalidConfiguration: false
        }
    }

    private static let outageCodes: Set<Substring> = [
        "LOADING", "CLUSTERDOWN", "READONLY", "MASTERDOWN", "TRYAGAIN", "OOM",
    ]

    public var description: String {
        switch self {
        case .unavailable(let reason): "Redis is unavailable: \(reason)"
        case .connectionLost(let mayHaveRun): "connection to Redis lost, \(Self.words(mayHaveRun))"
        case .timedOut(let mayHaveRun):
            "no reply from Redis within the time-out, \(Self.words(mayHaveRun))"
        case .cancelled: "the Redis command was cancelled"
        case .server(let text) where text.hasPrefix("OOM "):
            "Redis is out of memory and refused the write; raise its maxmemory, or let what is stored be worked off or "
                + "removed. It said: \(text)"
        case .server(let text): "Redis answered with an error: \(text)"
        case .protocolViolation(let reason): "Redis sent what is not RESP: \(reason)"
        case .unexpectedReply(let reason): "unexpected reply from Redis: \(reason)"
        case .invalidConfiguration(let reason): "invalid Redis configuration: \(reason)"
        }
    }

    private static func words(_ mayHaveRun: Bool) -> String {
        mayHaveRun ? "the command may have run" : "the command was not sent"
    }
}
