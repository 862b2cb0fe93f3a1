import AsyncHTTPClient
import Foundation
import NIOCore
import NIOHTTP1
import Redis

/// Waits until processes answer: Redis to `PING`, the others to their `/readyz`.
enum ReadinessProbe {
    private static let pause: Duration = .milliseconds(100)

    static func waitForRedis(_ url: String, within time: Duration) async throws {
        let deadline = ContinuousClock.now + time
        try await RedisConnection.with(url: url) { redis in
            while true {
                do throws(RedisError) {
                    _ = try await redis.send(RedisCommand(["PING"], isSafeToRepeat: true), timeout: .seconds(2))
                    return
                } catch {
                    guard ContinuousClock.now > deadline || !error.isOutage else {
                        try await Task.sleep(for: pause)
                        continue
                    }
                    throw CommandFailure(
                        "Redis at \(url) does not answer: \(error)", nextStep: "Start it, or give another --redis URL.")
                }
            }
        }
    }

    /// Returns when each has answered 200 once; else throws with what the others last said.
    static func waitForAll(_ targets: [(name: String, url: String)], within time: Duration) async throws {
        let deadline = ContinuousClock.now + time
        var left = targets
        while !left.isEmpty {
            var still: [(name: String, url: String)] = []
            var said: [String] = []
            for target in left {
                let answer = await ask(target.url)
                if answer.isReady { continue }
                still.append(target)
                said.append("\(target.name): \(answer.text)")
            }
            left = still
            if left.isEmpty { return }
            guard ContinuousClock.now < deadline else {
                throw CommandFailure(
                    "Not everything is ready after \(time): \(said.joined(separator: "; "))",
                    nextStep: "The lines above say why; try again with --log-level debug.")
            }
            try await Task.sleep(for: pause)
        }
    }

    private static func ask(_ url: String) async -> (isReady: Bool, text: String) {
        do {
            let reply = try await HTTPClient.shared.execute(HTTPClientRequest(url: url), timeout: .seconds(2))
            let body = try await reply.body.collect(upTo: 16 * 1024)
            return (reply.status == .ok, String(buffer: body))
        } catch {
            return (false, "no answer (\(error))")
        }
    }
}
