import Foundation
import GameModel

/// A unit of work: its stored properties are the payload (JSON in Redis), its `kind` names the handler.
///
/// A job may run more than once (a worker can die after the effect and before the completion), so an effect that must
/// happen once is recorded together with the job's id: see `Inbox` of Records.
public protocol Job: Codable, Sendable {
    /// A stable name, such as `store.verify-payment`; 1 to 200 visible ASCII characters. Renaming it orphans waiting
    /// jobs.
    static var kind: String { get }
    /// How jobs of this kind are run, unless `enqueue` says otherwise.
    static var options: JobOptions { get }
}

extension Job {
    public static var options: JobOptions { JobOptions() }
}

/// How a job is run. Set per kind; an enqueue may give others.
public struct JobOptions: Sendable, Hashable {
    /// Lower runs first.
    public static let priorities = 0...3

    /// How often the job may be started, 1 or more. Attempts that are handed back or snoozed don't count.
    public var maxAttempts: Int
    /// 0 to 3, lower first.
    public var priority: Int
    /// The wait between attempts.
    public var backoff: Backoff

    public init(maxAttempts: Int = 20, priority: Int = 0, backoff: Backoff = .standard) {
        self.maxAttempts = maxAttempts
        self.priority = priority
        self.backoff = backoff
    }
}

/// When a job may run first, by the clock of Redis.
public enum Due: Sendable, Hashable {
    case now
    case after(Duration)
    case at(Instant)

    /// The form that the enqueue script takes.
    var text: String {
        switch self {
        case .now: "0"
        case .after(let delay): delay <= .zero ? "0" : "+\(delay.milliseconds)"
        // 0 would mean "now", and a time before 1970 is as past as any other.
        case .at(let instant): String(max(1, instant.milliseconds))
        }
    }
}

/// A job whose payload is bytes already: what the outbox holds, and what other rooms' scripts enqueue.
public struct EncodedJob: Sendable, Hashable {
    /// The most bytes that a payload may have. A bigger thing belongs in a database, its key in the job.
    public static let payloadBytesMax = 512 * 1024

    public let id: JobID
    public let kind: String
    public let payload: [UInt8]
    public let options: JobOptions
    public let due: Due

    public init(id: JobID, kind: String, payload: [UInt8], options: JobOptions = JobOptions(), due: Due = .now) {
        self.id = id
        self.kind = kind
        self.payload = payload
        self.options = options
        self.due = due
    }

    /// Encodes a job as JSON, keys sorted.
    /// - Parameter options: those of the kind, unless given.
    public init<J: Job>(_ job: J, id: JobID, options: JobOptions? = nil, due: Due = .now) throws(JobError) {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        let payload: [UInt8]
        do {
            payload = [UInt8](try encoder.encode(job))
        } catch {
            throw .unencodable(kind: J.kind, reason: "\(error)")
        }
        self.init(id: id, kind: J.kind, payload: payload, options: options ?? J.options, due: due)
    }

    /// What precedes the payload in a specification: `priority maxAttempts kind …` and a line feed.
    public var header: String {
        let backoff = options.backoff == .standard ? "" : " b=\(options.backoff.text)"
        return "\(options.priority) \(options.maxAttempts) \(kind)\(backoff)\n"
    }

    /// What the enqueue script stores after the version and the time: the header and the payload.
    public var specification: [UInt8] { Array(header.utf8) + payload }

    /// Refuses what the scripts could not carry.
    func validate() throws(JobError) {
        guard payload.count <= Self.payloadBytesMax else {
            throw .payloadTooLarge(kind: kind, bytes: payload.count, bytesMax: Self.payloadBytesMax)
        }
        guard JobID(rawValue: id.rawValue) != nil else {
            throw .invalid("a job id has 1 to 200 visible ASCII characters, unlike \"\(id.rawValue)\"")
        }
        guard JobID(rawValue: kind) != nil else {
            throw .invalid("a kind has 1 to 200 visible ASCII characters, unlike \"\(kind)\"")
        }
        guard JobOptions.priorities.contains(options.priority) else {
            throw .invalid("a priority is 0 to 3, not \(options.priority)")
        }
        guard (1...1_000_000).contains(options.maxAttempts) else {
            throw .invalid("maxAttempts is 1 to 1000000, not \(options.maxAttempts)")
        }
    }
}
