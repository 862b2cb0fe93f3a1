extension RedisClient {
    /// Runs a script: by its digest, and with its source where the server does not know it (after a restart, a
    /// failover or `SCRIPT FLUSH`). A script that the server did not know has not run, so asking twice is safe.
    ///
    /// - Throws: as `send`; what the script raises comes as `server`.
    public nonisolated(nonsending) func run(
        _ script: RedisScript, keys: [RedisKey], arguments: [RedisArgument], timeout: Duration? = nil,
        isSafeToRepeat: Bool = false
    ) async throws(RedisError) -> RESPValue {
        do throws(RedisError) {
            let call = script.call(keys: keys, arguments: arguments, isSafeToRepeat: isSafeToRepeat)
            return try await send(call, timeout: timeout)
        } catch  where error.serverCode == "NOSCRIPT" {
            let call = script.introduction(
                keys: keys, arguments: arguments, isSafeToRepeat: isSafeToRepeat)
            return try await send(call, timeout: timeout)
        }
    }

    /// Runs one script many times in one write.
    ///
    /// - Returns: the replies in the order of the calls; what a call raises stays in its place as `error`.
    /// - Throws: as `pipeline`.
    public nonisolated(nonsending) func pipeline(
        _ script: RedisScript, calls: [(keys: [RedisKey], arguments: [RedisArgument])]
    ) async throws(RedisError) -> [RESPValue] {
        var replies = try await pipeline(
            calls.map { script.call(keys: $0.keys, arguments: $0.arguments, isSafeToRepeat: false) })
        // The server can forget the script again between two attempts, though not for ever.
        for _ in 0..<Self.introductionsMax {
            let unknown = replies.indices.filter { replies[$0].isUnknownScript }
            guard let first = unknown.first else { break }
            let again = unknown.map { index in
                let (keys, arguments) = calls[index]
                // The nodes of a cluster learn it each for itself.
                return index == first || cluster != nil
                    ? script.introduction(keys: keys, arguments: arguments, isSafeToRepeat: false)
                    : script.call(keys: keys, arguments: arguments, isSafeToRepeat: false)
            }
            for (index, reply) in zip(unknown, try await pipeline(again)) { replies[index] = reply }
        }
        return replies
    }

    private static let introductionsMax = 3
}

extension RESPValue {
    fileprivate var isUnknownScript: Bool {
        if case .error(let text) = self { text.hasPrefix("NOSCRIPT") } else { false }
    }
}
