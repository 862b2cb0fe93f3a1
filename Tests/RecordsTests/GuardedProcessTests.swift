import Foundation
import TestSupport
import Testing

@Suite("Guarded processes") struct GuardedProcessTests {
    @Test("a child of the tests holds none of their files, so that whoever waits for one to be closed is not kept")
    func files() async throws {
        let folder = try TemporaryFolder()
        defer { folder.remove() }
        var ends: [Int32] = [0, 0]
        // As Foundation's `Process` opens it: inherited by whatever is started meanwhile.
        try #require(socketpair(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0, &ends) == 0)
        defer { close(ends[0]) }
        let child = try await GuardedProcess.start(["/bin/sleep", "600"], log: folder.file("log"))
        defer { child.end() }
        close(ends[1])
        var waiting = pollfd(fd: ends[0], events: Int16(POLLIN), revents: 0)
        // What others start at this moment may hold it until it runs; the child would for its whole life.
        #expect(poll(&waiting, 1, 30_000) == 1, "nobody else holds the other end")
    }
}
