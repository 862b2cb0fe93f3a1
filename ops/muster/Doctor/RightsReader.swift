import Jobs
import Redis

/// Finds out whether the connected user may do what a queue does, without doing it.
///
/// `ACL DRYRUN` answers for each command and key. Where it is refused itself, as users who are no administrators find,
/// a script that does not exist is called and an empty list read.
struct RightsReader: Sendable {
    let redis: RedisClient

    /// A queue that nobody has, so that nothing is taken from one that somebody has.
    private var key: RedisArgument { RedisArgument(JobKeys(QueueName("muster-doctor")).forEnqueue[0]) }

    func read() async throws -> ServerReading.Rights {
        var rights = ServerReading.Rights()
        rights.user = try await redis.ask(["ACL", "WHOAMI"]).value?.string
        let commands = try await trials()
        guard let user = rights.user, !commands.isEmpty else {
            return try await probed(rights, "no ACL on this server")
        }
        let replies = try await redis.pipeline(
            commands.map { RedisCommand(["ACL", "DRYRUN", RedisArgument(user)] + $0.arguments) })
        for (command, reply) in zip(commands, replies) {
            switch reply {
            case .error(let text): return try await probed(rights, text)
            case _ where reply.string == "OK": break
            default: rights.refused[command.name] = reply.string ?? "refused"
            }
            rights.tried.append(command.name)
        }
        return rights
    }

    /// Each command with as many arguments as it takes at least, all of them a queue's key.
    private func trials() async throws -> [(name: String, arguments: [RedisArgument])] {
        let names = JobScripts.commands
        guard
            let specifications = try await redis.ask(
                RedisCommand(["COMMAND", "INFO"] + names.map { RedisArgument($0) })
            ).value?.array, specifications.count == names.count
        else { return [] }
        return zip(names, specifications).compactMap { name, specification in
            if name.hasPrefix("EVAL") { return (name, [RedisArgument(name), "0", 1, key]) }
            guard let arity = specification.array?.dropFirst().first?.int else { return nil }
            return (name, [RedisArgument(name)] + Array(repeating: key, count: abs(arity) - 1))
        }
    }

    private func probed(_ rights: ServerReading.Rights, _ reason: String) async throws -> ServerReading.Rights {
        var rights = rights
        rights.untried = reason
        rights.tried = ["EVALSHA", "BLPOP"]
        rights.refused = [:]
        let nobody = String(repeating: "0", count: 40)
        if case .refused(let text) = try await redis.ask(["EVALSHA", RedisArgument(nobody), 1, key]),
            !text.hasPrefix("NOSCRIPT")
        {
            rights.refused["EVALSHA"] = text
        }
        do {
            _ = try await redis.sendBlocking(["BLPOP", key, "0.01"], timeout: .seconds(2))
        } catch RedisError.server(let text) where !text.hasPrefix("WRONGTYPE") {
            rights.refused["BLPOP"] = text
        } catch RedisError.server {
            // The key is of another kind than a list, and may be read.
        }
        return rights
    }
}
