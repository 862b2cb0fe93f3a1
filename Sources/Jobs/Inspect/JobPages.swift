import Redis

/// Goes through the jobs of one state, a page at a time, in the order in which they matter: next first where they wait,
/// newest first where they have ended.
struct JobPages: Sendable {
    let reader: JobReader
    let state: JobState
    private var next: Place? = Place()

    init(_ reader: JobReader, _ state: JobState) {
        self.reader = reader
        self.state = state
    }

    private struct Place {
        /// Of available jobs: the list of a priority, or past those the jobs that wait by key.
        var part = 0
        var index = 0
        /// Where a set without scores goes on: after this member.
        var member: String?
    }

    /// The next jobs, at most so many; `nil` after the last page. A page may be empty and not the last.
    mutating func page(_ count: Int) async throws(JobError) -> [JobReader.Entry]? {
        guard let place = next else { return nil }
        let keys = reader.keys
        switch state {
        case .scheduled: return try await scored(keys.later, count, place, newestFirst: false)
        case .leased: return try await scored(keys.leased, count, place, newestFirst: false)
        case .dead: return try await scored(keys.dead, count, place, newestFirst: true)
        case .completed: return try await scored(keys.done, count, place, newestFirst: true)
        case .blocked: return try await blocked(count, place)
        case .available:
            return place.part < keys.ready.count
                ? try await listed(count, place) : try await keyed(count, place)
        }
    }

    private mutating func scored(
        _ key: RedisKey, _ count: Int, _ place: Place, newestFirst: Bool
    ) async throws(JobError) -> [JobReader.Entry] {
        let end = place.index + count - 1
        var command: [RedisArgument] = ["ZRANGE", RedisArgument(key), RedisArgument(place.index), RedisArgument(end)]
        if newestFirst { command.append("REV") }
        let entries = JobReader.entries(try await reader.read([command + ["WITHSCORES"]])[0])
        next = entries.count < count ? nil : Place(index: place.index + count)
        return entries
    }

    private mutating func listed(_ count: Int, _ place: Place) async throws(JobError) -> [JobReader.Entry] {
        let ids =
            try await reader.read([
                [
                    "LRANGE", RedisArgument(reader.keys.ready[place.part]), RedisArgument(place.index),
                    RedisArgument(place.index + count - 1),
                ]
            ])[0].array ?? []
        next = ids.count < count ? Place(part: place.part + 1) : Place(part: place.part, index: place.index + count)
        return ids.compactMap(\.string).map { JobReader.Entry(id: JobID($0)) }
    }

    /// `<key> <level><seq> <id>`: key by key.
    private mutating func keyed(_ count: Int, _ place: Place) async throws(JobError) -> [JobReader.Entry] {
        let members = try await members(of: reader.keys.groups, count, after: place.member.map { "(" + $0 })
        next = members.count < count ? nil : Place(part: place.part, member: members.last)
        return members.compactMap { member in
            member.split(separator: " ").last.map { JobReader.Entry(id: JobID(String($0))) }
        }
    }

    /// `<callback id> <job id>`: a callback has one member for each job that it waits for, so that whole blocks are
    /// jumped over.
    private mutating func blocked(_ count: Int, _ place: Place) async throws(JobError) -> [JobReader.Entry] {
        // An id has no space, and "!" is the character after it.
        let members = try await members(of: reader.keys.waits, count, after: place.member.map { "[" + $0 + "!" })
        var ids: [String] = []
        for member in members {
            let id = String(member.prefix { $0 != " " })
            if ids.last != id { ids.append(id) }
        }
        next = members.count < count ? nil : Place(member: ids.last)
        return ids.map { JobReader.Entry(id: JobID($0)) }
    }

    private func members(
        of key: RedisKey, _ count: Int, after bound: String?
    ) async throws(JobError) -> [String] {
        let reply = try await reader.read([
            [
                "ZRANGEBYLEX", RedisArgument(key), RedisArgument(bound ?? "-"), "+", "LIMIT", 0, RedisArgument(count),
            ]
        ])[0]
        return (reply.array ?? []).compactMap(\.string)
    }
}
