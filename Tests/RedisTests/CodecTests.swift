import GameModel
import NIOCore
import Testing

@testable import Redis

@Suite("The codec") struct CodecTests {
    @Test("commands are written as arrays of bulk strings") func writing() {
        var buffer = ByteBuffer()
        CommandWriter.write(["SET", "ключ", RedisArgument([0, 255]), -120, 0, RedisArgument(1.5)], into: &buffer)
        let expected =
            Array("*6\r\n$3\r\nSET\r\n$8\r\nключ\r\n$2\r\n".utf8) + [0, 255]
            + Array("\r\n$4\r\n-120\r\n$1\r\n0\r\n$3\r\n1.5\r\n".utf8)
        #expect(Array(buffer.readableBytesView) == expected)
    }

    @Test("numbers at the edges are written whole") func numbers() {
        for number in [Int64.min, -1, 9, 10, 99, 100, .max] {
            var buffer = ByteBuffer()
            CommandWriter.write([RedisArgument(number)], into: &buffer)
            let text = String(number)
            #expect(String(buffer: buffer) == "*1\r\n$\(text.utf8.count)\r\n\(text)\r\n")
        }
        #expect(RedisArgument(UInt64.max).text == "18446744073709551615")
        #expect(RedisArgument(Double.infinity).text == "inf")
    }

    @Test("replies cut at any byte read as the whole would") func split() throws {
        let wire = Array("*3\r\n$5\r\nhello\r\n*2\r\n:-1\r\n$-1\r\n-ERR no\r\n+OK\r\n*0\r\n*-1\r\n$0\r\n\r\n".utf8)
        let expected: [RESPValue] = [
            .array([.bytes(Array("hello".utf8)), .array([.integer(-1), .null]), .error("ERR no")]), .status("OK"),
            .array([]), .null, .bytes([]),
        ]
        for step in 1...wire.count {
            let reader = ReplyReader(bytesMax: 1_000, elementsMax: 100)
            var replies: [RESPValue] = []
            for start in stride(from: 0, to: wire.count, by: step) {
                #expect(feed(reader, wire[start..<min(start + step, wire.count)]))
                while let reply = try reader.next() { replies.append(reply) }
            }
            #expect(replies == expected)
        }
    }

    @Test("random bytes, and real replies with flipped bytes, give replies or errors and never a crash") func fuzz() {
        let seed = UInt64.random(in: 1...UInt64.max)
        var random = SplitMix64(seed: seed)
        let seeds = ["*2\r\n$3\r\nfoo\r\n:12\r\n", "*1\r\n*1\r\n*1\r\n$1\r\nx\r\n", "+OK\r\n-ERR\r\n$-1\r\n*-1\r\n"]
        for round in 0..<3_000 {
            var wire = Array(seeds[round % seeds.count].utf8)
            if round.isMultiple(of: 2) {
                for _ in 0...Int(random.next() % 4) {
                    wire[Int(random.next() % UInt64(wire.count))] = UInt8(truncatingIfNeeded: random.next())
                }
            } else {
                let alphabet = Array("*$+-:0123456789\r\nab".utf8)
                wire = (0..<Int(random.next() % 64)).map { _ in alphabet[Int(random.next() % UInt64(alphabet.count))] }
            }
            let reader = ReplyReader(bytesMax: 10_000, elementsMax: 1_000)
            #expect(feed(reader, wire[...]), "seed \(seed)")
            do throws(RedisError) {
                while try reader.next() != nil {}
            } catch {
                guard case .protocolViolation = error else {
                    Issue.record("seed \(seed), round \(round): \(error)")
                    return
                }
            }
        }
    }

    @Test("waits between connections double, stay within the limit and are never zero") func backoff() throws {
        let configuration = try RedisConfiguration(url: "redis://localhost")
        var backoff = Backoff(configuration)
        var random = SplitMix64(seed: 7)
        var whole: Int64 = 20_000_000
        for _ in 0..<100 {
            let wait = backoff.next(using: &random).nanoseconds
            #expect((whole / 2...whole).contains(wait))
            whole = min(whole * 2, 1_000_000_000)
        }
        backoff.reset()
        #expect(backoff.next(using: &random) <= .milliseconds(20))
    }

    private func feed(_ reader: ReplyReader, _ bytes: ArraySlice<UInt8>) -> Bool {
        bytes.withUnsafeBytes { reader.feed($0) }
    }
}
