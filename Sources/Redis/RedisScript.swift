import Crypto
import Foundation

/// A Lua script: one transition of a state machine, run whole or not at all. It is called by the SHA-1 of its source,
/// and its source is sent only where the server does not know it.
public struct RedisScript: Sendable, Hashable {
    /// What it does, for logs and metrics.
    public let name: String
    public let source: String
    /// 40 lower-case hexadecimal digits.
    public let sha1: String

    public init(name: String, source: String) {
        self.name = name
        self.source = source
        // The name under which Redis caches a script; for naming only, not for security.
        sha1 = Insecure.SHA1.hash(data: Data(source.utf8)).map { String(format: "%02x", $0) }.joined()
    }

    /// From a resource that SwiftPM embedded.
    public init(name: String, bytes: [UInt8]) {
        self.init(name: name, source: String(decoding: bytes, as: UTF8.self))
    }

    /// Fragments joined by a newline: functions that several scripts share come first, what runs comes last.
    public init(name: String, fragments: [[UInt8]]) {
        self.init(name: name, bytes: Array(fragments.joined(separator: [UInt8(ascii: "\n")])))
    }

    /// The call by digest.
    func call(keys: [RedisKey], arguments: [RedisArgument], isSafeToRepeat: Bool) -> RedisCommand {
        command("EVALSHA", RedisArgument(sha1), keys, arguments, isSafeToRepeat)
    }

    /// The call with the source, after which the server knows the digest.
    func introduction(keys: [RedisKey], arguments: [RedisArgument], isSafeToRepeat: Bool)
        -> RedisCommand
    {
        command("EVAL", RedisArgument(source), keys, arguments, isSafeToRepeat)
    }

    private func command(
        _ verb: RedisArgument, _ body: RedisArgument, _ keys: [RedisKey], _ arguments: [RedisArgument],
        _ isSafeToRepeat: Bool
    ) -> RedisCommand {
        var all: [RedisArgument] = []
        all.reserveCapacity(3 + keys.count + arguments.count)
        all.append(verb)
        all.append(body)
        all.append(RedisArgument(keys.count))
        for key in keys { all.append(RedisArgument(key)) }
        all.append(contentsOf: arguments)
        return RedisCommand(all, isSafeToRepeat: isSafeToRepeat)
    }
}
