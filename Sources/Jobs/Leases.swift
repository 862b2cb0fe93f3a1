import GameModel
import Redis

/// One job that this process may run until its lease runs out.
struct Lease: Sendable {
    let id: JobID
    let token: UInt64
    let attempt: Int
    /// `nil` where it is of a form that this version can't read.
    let envelope: Envelope?

    /// When the lease began, by the clock of Redis: what its token says.
    var leasedAt: Instant { Instant(milliseconds: Int64(token / 1000)) }
    /// Whether its end must be told by the script that looks after unique keys, limits, results and callbacks.
    var hasExtras: Bool { envelope?.hasExtras ?? false }
}

/// A job that a reserve buried: its worker vanished too often, or it was not started in time.
struct Burial: Sendable {
    let lease: Lease
    let reason: ReasonCode
}

/// What one reserve brought.
struct Reservation: Sendable {
    var leases: [Lease] = []
    var buried: [Burial] = []
    var hasMore = false
    /// The time until the next job falls due, a lease runs out, or a rate allows more; `nil` where none does.
    var nextDue: Duration?
}

/// How an attempt is to end in Redis.
package struct Settlement: Sendable {
    package enum Verb: Sendable, Hashable {
        case complete
        case retry(after: Duration, error: String)
        case bury(Bury)
        /// Handed back unattempted: to the front at once, or later.
        case release(after: Duration)
    }

    let id: JobID
    let token: UInt64
    let verb: Verb
    /// As its lease says.
    var hasExtras = false
    /// What the handler left for those who ask for the result.
    var result: [UInt8] = []
}

enum SettleReply: Sendable {
    case done
    /// The lease is not this attempt's any more.
    case refused
    /// Redis knows no attempt of the job: ended before, cancelled, or forgotten.
    case unknown
}

/// The worker's side of the queue: the scripts that move leases, with typed arguments and replies.
extension JobQueue {
    /// How many expired leases and due jobs one reserve moves at most.
    static let sweepMax = 200
    /// Bytes of an error text that are kept.
    static let errorBytesMax = 500

    /// - Parameter worker: its id, 1 to 26 visible ASCII characters.
    func reserve(limit: Int, lease: Duration, worker: String) async throws(JobError) -> Reservation {
        let reply = try await run(
            JobScripts.reserve, keys: keys.all,
            [
                RedisArgument(min(limit, JobScripts.batchMax)), RedisArgument(lease.milliseconds),
                RedisArgument(Self.sweepMax), RedisArgument(worker),
            ])
        guard let parts = reply.array, parts.count == 5, let token = parts[0].string.flatMap({ UInt64($0) }),
            let more = parts[1].int, let next = parts[2].int,
            let leases = Self.leases(parts[3], token), let buried = Self.burials(parts[4], token)
        else { throw .unexpectedReply("reserve answered \(reply)") }
        return Reservation(
            leases: leases, buried: buried, hasMore: more == 1, nextDue: next < 0 ? nil : .milliseconds(next))
    }

    /// Ends attempts; the replies are in the order given. May be repeated: what was ended before answers `.unknown` or
    /// `.refused`.
    func settle(_ settlements: [Settlement]) async throws(JobError) -> [SettleReply] {
        var replies = [SettleReply](repeating: .unknown, count: settlements.count)
        var complete = Batch(), finish = Batch(), fail = Batch(), release = Batch()
        for (place, settlement) in settlements.enumerated() {
            let fence = [RedisArgument(settlement.id.rawValue), RedisArgument(String(settlement.token))]
            switch settlement.verb {
            case .complete where settlement.hasExtras: finish.add(place, fence + [RedisArgument(settlement.result)])
            case .complete: complete.add(place, fence)
            case .retry(let delay, let error):
                fail.add(place, fence + ["retry", RedisArgument(delay.milliseconds), Self.errorText(error)])
            case .bury(let bury):
                fail.add(place, fence + ["bury", RedisArgument(bury.reason.rawValue), Self.errorText(bury.message)])
            case .release(let delay): release.add(place, fence + [RedisArgument(delay.milliseconds)])
            }
        }
        for (script, keys, batch) in [
            (JobScripts.complete, keys.forComplete, complete), (JobScripts.finish, keys.all, finish),
            (JobScripts.fail, keys.all, fail), (JobScripts.release, keys.all, release),
        ] where !batch.places.isEmpty {
            let reply = try await run(script, keys: keys, batch.arguments, isSafeToRepeat: true)
            guard let flags = reply.array, flags.count == batch.places.count else {
                throw .unexpectedReply("\(script.name) answered \(reply)")
            }
            for (place, flag) in zip(batch.places, flags) {
                replies[place] = flag.int == 1 ? .done : flag.int == 0 ? .refused : .unknown
            }
        }
        return replies
    }

    /// Extends leases; returns those that are lost.
    func renew(_ held: [(id: JobID, token: UInt64)], lease: Duration) async throws(JobError) -> [JobID] {
        var lost: [JobID] = []
        for start in stride(from: 0, to: held.count, by: JobScripts.batchMax) {
            var arguments: [RedisArgument] = [RedisArgument(lease.milliseconds)]
            for (id, token) in held[start..<min(start + JobScripts.batchMax, held.count)] {
                arguments.append(RedisArgument(id.rawValue))
                arguments.append(RedisArgument(String(token)))
            }
            let reply = try await run(JobScripts.renew, keys: keys.forRenew, arguments, isSafeToRepeat: true)
            guard let ids = reply.array else { throw .unexpectedReply("renew answered \(reply)") }
            lost += ids.compactMap(\.string).map { JobID($0) }
        }
        return lost
    }

    private struct Batch {
        var places: [Int] = []
        var arguments: [RedisArgument] = []

        mutating func add(_ place: Int, _ more: [RedisArgument]) {
            places.append(place)
            arguments += more
        }
    }

    private static func errorText(_ text: String) -> RedisArgument {
        RedisArgument(Array(text.utf8.prefix(errorBytesMax)))
    }

    private static func leases(_ value: RESPValue, _ token: UInt64) -> [Lease]? {
        guard let flat = value.array, flat.count.isMultiple(of: 3) else { return nil }
        var leases: [Lease] = []
        leases.reserveCapacity(flat.count / 3)
        for index in stride(from: 0, to: flat.count, by: 3) {
            guard let lease = lease(flat[index..<(index + 3)], token) else { return nil }
            leases.append(lease)
        }
        return leases
    }

    private static func burials(_ value: RESPValue, _ token: UInt64) -> [Burial]? {
        guard let flat = value.array, flat.count.isMultiple(of: 4) else { return nil }
        var burials: [Burial] = []
        for index in stride(from: 0, to: flat.count, by: 4) {
            guard let lease = lease(flat[index..<(index + 3)], token),
                let reason = flat[index + 3].string.flatMap({ ReasonCode(rawValue: $0) })
            else { return nil }
            burials.append(Burial(lease: lease, reason: reason))
        }
        return burials
    }

    private static func lease(_ parts: ArraySlice<RESPValue>, _ token: UInt64) -> Lease? {
        let begin = parts.startIndex
        guard let id = parts[begin].string, let attempt = parts[begin + 1].int else { return nil }
        let envelope = parts[begin + 2].bytes.flatMap { Envelope($0) }
        return Lease(id: JobID(id), token: token, attempt: attempt, envelope: envelope)
    }
}
