import Foundation
import GameModel

/// A unit of work: its stored properties are the payload (JSON in Redis), its `kind` names the handler.
///
/// A job may run more than once (a worker can die after the effect and before the completion), so an effect that must
/// happen once is recorded together with the job's id: see `Inbox` of Records.
public protocol Job: Codable, Sendable {
    /// A stable name, such as `store.verify-payment`; 1 to 200 visible ASCII characters but `=`. Renaming it orphans
    /// waiting jobs.
    static var kind: String { get }
    /// How jobs of this kind are run, unless `enqueue` says otherwise.
    static var options: JobOptions { get }
    /// The version of the payload's form, 1 or more; raised with a change that older workers can't read. A worker hands
    /// a job of a newer version back, unattempted, for a worker that knows it.
    static var payloadVersion: Int { get }
    /// Makes of a payload of an older version one of the next (`version + 1`); called until it is of this version. Only
    /// needed by kinds whose version was raised while jobs could wait.
    /// - Throws: where it can't be; the job is buried as `undecodable`.
    static func upcast(_ payload: [UInt8], from version: Int) throws -> [UInt8]
}

extension Job {
    public static var options: JobOptions { JobOptions() }
    public static var payloadVersion: Int { 1 }

    public static func upcast(_ payload: [UInt8], from version: Int) throws -> [UInt8] {
        throw Bury("no upcaster of \(kind) takes version \(version)", reason: .undecodable)
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
    public let payloadVersion: Int
    public let options: JobOptions
    public let due: Due
    /// Headers of the trace that the job belongs to (W3C `traceparent` and others), as the process's instrument wrote
    /// them; by name.
    public let trace: [String: String]

    public init(
        id: JobID, kind: String, payload: [UInt8], payloadVersion: Int = 1, options: JobOptions = JobOptions(),
        due: Due = .now, trace: [String: String] = TraceHeaders.current()
    ) {
        self.id = id
        self.kind = kind
        self.payload = payload
        self.payloadVersion = payloadVersion
        self.options = options
        self.due = due
        self.trace = trace
    }

    /// Encodes a job as JSON, keys sorted.
    /// - Parameter options: those of the kind, unless given.
    public init<J: Job>(_ job: J, id: JobID, options: JobOptions? = nil, due: Due = .now) throws(JobError) {
        let payload: [UInt8]
        do {
            payload = [UInt8](try JobJSON.encoder.encode(job))
        } catch {
            throw .unencodable(kind: J.kind, reason: "\(error)")
        }
        self.init(
            id: id, kind: J.kind, payload: payload, payloadVersion: J.payloadVersion, options: options ?? J.options,
            due: due)
    }

    /// What precedes the payload in a specification: `priority maxAttempts kind …` and a line feed.
    public var header: String { header(callback: nil) }

    /// What the enqueue script stores after the version and the time: the header and the payload.
    public var specification: [UInt8] { Array(header.utf8) + payload }

    /// What the enqueue script takes as `when`; the star says that it must read the header's words.
    public var when: String { options.hasExtras ? due.text + "*" : due.text }

    /// - Parameter callback: `p=` or `P=` and the id of the job that waits for this one.
    package func header(callback: String?) -> String {
        var line = "\(options.priority) \(options.maxAttempts) \(kind)\(options.words)"
        if payloadVersion != 1 { line += " v=\(payloadVersion)" }
        if let callback { line += " \(callback)" }
        if !trace.isEmpty { line += TraceHeaders.words(trace) }
        return line + "\n"
    }

    /// Refuses what the scripts could not carry.
    package func validate() throws(JobError) {
        guard payload.count <= Self.payloadBytesMax else {
            throw .payloadTooLarge(kind: kind, bytes: payload.count, bytesMax: Self.payloadBytesMax)
        }
        guard JobID(rawValue: id.rawValue) != nil else {
            throw .invalid("a job id has 1 to 200 visible ASCII characters, unlike \"\(id.rawValue)\"")
        }
        // With an equals sign it would read as one of the words after it.
        guard JobID(rawValue: kind) != nil, !kind.contains("=") else {
            throw .invalid("a kind has 1 to 200 visible ASCII characters, none of them \"=\", unlike \"\(kind)\"")
        }
        guard payloadVersion >= 1 else { throw .invalid("a payload version is 1 or more, not \(payloadVersion)") }
        try options.validate()
    }
}
