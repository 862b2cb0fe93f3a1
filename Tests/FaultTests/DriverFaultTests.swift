import Foundation
import TestSupport
import Testing

/// Instances are the allocator's, and outlive it.
@Suite(.serialized) struct DriverFaultTests {
    private func notes(_ up: MusterUp) throws -> Set<String> {
        let names = try FileManager.default.contentsOfDirectory(atPath: up.folder.file("instances"))
        return Set(names.filter { $0.hasSuffix(".json") && !$0.hasPrefix(".") })
    }

    @Test("kill -9 of the allocator: the next one adopts its instances, starts no second ones, and ends with them")
    func killAllocator() async throws {
        var last: [Int32] = []
        // A machine that has no time for heartbeats is no death here.
        let arguments = ["allocator.regions=eu", "allocator.silent-ms=20000", "allocator.dead-ms=60000"]
        try await withMuster(arguments.flatMap { ["--set", $0] }) { up in
            try await eventually("an instance runs") { try up.instances().count == 1 && notes(up).count == 1 }
            let (before, noted) = (try up.instances(), try notes(up))
            for round in 1...2 {
                let restarts = try up.killProcess("allocator-1")
                try await eventually("adopted, round \(round)") {
                    let member = try up.state()?.processes.first { $0.name == "allocator-1" }
                    guard let member, member.pid != nil, member.restarts > restarts else { return false }
                    return up.log(lines: .max).components(separatedBy: "instance adopted").count > round
                }
                #expect(try up.instances() == before, "the same process goes on")
                #expect(try notes(up) == noted)
            }
            // An adopted instance that ends is noticed, and another one started in its place.
            for pid in before { kill(pid, SIGKILL) }
            try await eventually("another runs in its place") {
                let now = try up.instances()
                return try now.count == 1 && now != before && notes(up).isDisjoint(with: noted)
            }
            last = try up.instances()
        }
        try #require(!last.isEmpty)
        // One that has ended keeps its id until it is reaped, which is for init to do.
        try await eventually("stopped with everything else") { last.allSatisfy { kill($0, 0) != 0 } }
    }
}
