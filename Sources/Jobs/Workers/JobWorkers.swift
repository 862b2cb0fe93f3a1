import Foundation
import GameModel
import Redis

/// The workers of one queue, in whichever processes they run: who lives, and what they are told.
///
/// A worker says each second that it lives and reads its order then, so an order is obeyed within a second or two
/// where Redis and the worker answer.
public struct JobWorkers: Sendable {
    private let queue: JobQueue
    private let keys: WorkerKeys

    /// A worker that was not heard of for so long counts as silent: killed, paused or cut off.
    public static let silentAfter = Duration.seconds(5)
    /// A silent worker stays on the list for so long.
    public static let rememberedFor = Duration.seconds(300)

    public init(queue: JobQueue) {
        self.queue = queue
        keys = WorkerKeys(queue.name)
    }

    /// The workers that live, the eldest first.
    ///
    /// - Parameter includingSilent: those too that fell silent in the last five minutes; a worker that ended in order
    ///   is not among them.
    public func list(includingSilent: Bool = false) async throws(JobError) -> [WorkerEntry] {
        let keep = RedisArgument(Self.rememberedFor.milliseconds)
        let reply = try await queue.run(WorkerScripts.workers, keys: keys.all, [keep], isSafeToRepeat: true)
        guard let flat = reply.array, flat.count.isMultiple(of: 4) else {
            throw .unexpectedReply("workers answered \(reply)")
        }
        let entries = stride(from: 0, to: flat.count, by: 4).compactMap { entry(flat[$0..<$0 + 4]) }
        return entries.filter { includingSilent || $0.isLive }.sorted {
            ($0.worker.startedAt, $0.id) < ($1.worker.startedAt, $1.id)
        }
    }

    /// Tells one worker what to do.
    @discardableResult
    public func order(id: String, _ order: WorkerOrder) async throws(JobError) -> OrderReply {
        guard let reply = try await self.order(ids: [id], order).first else {
            throw .unexpectedReply("order answered nothing")
        }
        return reply
    }

    /// Tells several workers what to do; the replies come in the order of the ids.
    @discardableResult
    public func order(ids: [String], _ order: WorkerOrder) async throws(JobError) -> [OrderReply] {
        var replies: [OrderReply] = []
        for start in stride(from: 0, to: ids.count, by: JobScripts.batchMax) {
            let chunk = ids[start..<min(start + JobScripts.batchMax, ids.count)]
            let arguments = [RedisArgument(order.rawValue)] + chunk.map { RedisArgument($0) }
            let reply = try await queue.run(WorkerScripts.order, keys: keys.all, arguments, isSafeToRepeat: true)
            guard let flags = reply.array, flags.count == chunk.count else {
                throw .unexpectedReply("order answered \(reply)")
            }
            replies += flags.map { $0.int == 1 ? .told : $0.int == 2 ? .stopping : .unknown }
        }
        return replies
    }

    /// `nil` for what another version wrote in a form that is not ours.
    private func entry(_ fields: ArraySlice<RESPValue>) -> WorkerEntry? {
        let fields = Array(fields)
        guard let id = fields[0].string, let left = fields[1].int, let bytes = fields[2].bytes else { return nil }
        let worker: WorkerDescription
        do {
            worker = try JSONDecoder().decode(WorkerDescription.self, from: Data(bytes))
        } catch {
            return nil
        }
        return WorkerEntry(
            id: id, queue: queue.name, worker: worker,
            silentMs: max(0, Int(Self.silentAfter.milliseconds) - left), isLive: left >= 0,
            order: fields[3].string.flatMap { WorkerOrder(rawValue: $0) })
    }
}
