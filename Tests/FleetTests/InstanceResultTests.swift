import Foundation
import GameModel
import Synchronization
import TestSupport
import Testing

@testable import InstanceWorker
@testable import MusterInstance

@Suite("Instance: a result is not lost")
struct InstanceResultTests {
    private let one = PlayerID("one")
    private let two = PlayerID("two")

    @Test("while the API is out the result is tried again and the match keeps its slot; then it is posted once")
    func outage() async throws {
        try await withAPIAndInstance({ $0.play.joinWait = .milliseconds(20) }) { [self] api, instance in
            api.seen.withLock { $0.resultStatus = 503 }
            let match = api.addMatch([one, two])
            _ = try await play(instance.port, token: try await api.token(one, match, instance: instance.id))
            try await eventually("it was tried several times") { api.seen.withLock { $0.resultAttempts >= 3 } }
            try await eventually("a heartbeat still names the match") {
                api.seen.withLock { $0.beats.last?.matches == [match] }
            }
            api.seen.withLock { $0.resultStatus = nil }
            try await eventually("the result is posted and the slot free") {
                api.seen.withLock { $0.results[match] != nil && $0.beats.last?.matches == [] }
            }
            #expect(api.seen.withLock { $0.results[match]?.count } == 1)
        }
    }

    @Test(
        "players are told that it is finished when the result is stored: by the API, or on disk where that is out"
    )
    func storedBeforeTold() async throws {
        let (one, two) = (one, two)
        for isOut in [false, true] {
            try await withAPIAndInstance({ $0.play.joinWait = .milliseconds(20) }) { api, instance in
                if isOut { api.seen.withLock { $0.resultStatus = 503 } }
                let match = api.addMatch([one, two])
                let file = "\(instance.configuration.dataFolder)/results/\(instance.id)/\(match).json"
                let token = try await api.token(one, match, instance: instance.id)
                try await withGameClient(instance.port) { client in
                    try await client.join(token)
                    while let frame = try await client.next(), frame.type != "finished" {
                        #expect(frame.type != "error")
                    }
                    #expect(api.seen.withLock { $0.results[match]?.count } == (isOut ? nil : 1))
                    #expect(FileManager.default.fileExists(atPath: file) == isOut)
                }
                api.seen.withLock { $0.resultStatus = nil }
            }
        }
    }

    @Test("a result that the API refuses for good frees the slot and is kept for a person to see")
    func refused() async throws {
        try await withAPIAndInstance({ $0.play.joinWait = .milliseconds(20) }) { [self] api, instance in
            api.seen.withLock { $0.resultStatus = 409 }
            let match = api.addMatch([one, two])
            let frames = try await play(
                instance.port, token: try await api.token(one, match, instance: instance.id))
            #expect(frames.last?.code == "abandoned", "nobody is told of a result that does not count")
            let kept = "\(instance.configuration.dataFolder)/results/\(instance.id)/\(match).rejected"
            try await eventually("it is set aside") { FileManager.default.fileExists(atPath: kept) }
            let (attempts, beats) = api.seen.withLock { ($0.resultAttempts, $0.beats.count) }
            try await eventually("it lives on, without the match") {
                api.seen.withLock { $0.beats.count >= beats + 2 && $0.beats.last?.matches == [] }
            }
            #expect(api.seen.withLock { $0.resultAttempts } == attempts, "it is not tried again")
        }
    }

    @Test("a result that the API did not take before the instance ended is posted by the next one")
    func spool() async throws {
        let folder = try TemporaryFolder()
        defer { folder.remove() }
        let (one, two) = (one, two)
        try await withFakeAPI { api, url in
            var configuration = InstanceConfiguration.quick(api: url, data: folder.path)
            configuration.play.joinWait = .milliseconds(20)
            configuration.stopGrace = .milliseconds(50)
            api.seen.withLock { $0.resultStatus = 503 }
            let match = api.addMatch([one, two])
            try await withInstance(configuration) { instance in
                let token = try await api.token(one, match, instance: instance.id)
                #expect(try await play(instance.port, token: token).last?.type == "finished")
                try await eventually("it was tried") { api.seen.withLock { $0.resultAttempts >= 1 } }
            }
            #expect(api.seen.withLock { $0.results.isEmpty })
            api.seen.withLock { $0.resultStatus = nil }

            let next = InstanceConfiguration.quick(api: url, data: folder.path)
            try await withInstance(next) { _ in
                try await eventually("the next instance posts it") {
                    api.seen.withLock { $0.results[match]?.count == 1 }
                }
            }
            let left = try FileManager.default.subpathsOfDirectory(atPath: "\(folder.path)/results")
            #expect(left.filter { $0.hasSuffix(".json") }.isEmpty)
        }
    }
}
