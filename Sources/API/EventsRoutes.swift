import Accounts
import GameData
import HTTPTypes
import Hummingbird

/// Takes events from instances into the event cache. The 202 says that Redis has them, not that they are stored.
struct EventsRoutes: Sendable {
    let log: EventLog

    func add(to router: some RouterMethods<APIContext>) {
        router.post("/v1/events", use: append)
    }

    @Sendable func append(_ request: Request, _ context: APIContext) async throws -> Response {
        try context.requireIdentity(role: .instance)
        let batch = try await request.decodeBody(EventBatch.self, context: context)
        let events = try GameEvent.encode(batch.events)
        try await log.append(events)
        return try .json(Accepted(accepted: events.count), status: .accepted)
    }
}

private struct EventBatch: Decodable {
    var events: [GameEvent]
}

private struct Accepted: Encodable {
    var accepted: Int
}
