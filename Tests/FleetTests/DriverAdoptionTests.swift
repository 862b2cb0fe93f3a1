import Foundation
import GameModel
import Glibc
import TestSupport
import Testing

@testable import Fleet

@Suite("Adoption: instances outlive their allocator, and the next one on the host takes them over")
struct DriverAdoptionTests {
    private let script = "trap 'echo asked; exit 3' TERM; echo ready; while :; do sleep 0.01; done"

    @Test("what an allocator left running is adopted once, asked to end, and its end noticed")
    func adopts() async throws {
        let host = try DriverHost()
        defer { host.remove() }
        let first = host.driver(script)
        let order = host.order(build: "7")
        try await first.start(order)
        let log = host.log(of: order.instance)
        try await eventually("it is ready") { host.text(log) == "ready\n" }
        let pid = try #require(await first.processIdentifier(of: order.instance))
        let note = try #require(try host.notes.note(of: order.instance))
        #expect(note.pid == pid && note.slots == 7 && note.region == eu && note.build == "7" && note.log == log)

        let (second, third) = (host.driver(script), host.driver(script))
        #expect(await second.adopt(eu).isEmpty, "its allocator lives")
        await first.release()
        #expect(await second.adopt(Region("us")).isEmpty, "of its own regions only")
        #expect(await second.adopt(eu) == [order.instance])
        #expect(await second.adopt(eu).isEmpty, "adopted once")
        #expect(await third.adopt(eu).isEmpty, "another has it")
        #expect(await second.running() == [order.instance])
        #expect(await second.processIdentifier(of: order.instance) == pid)
        #expect(await second.collectExits().isEmpty)

        await second.stop(order.instance)
        try await eventually("its end is noticed") {
            await second.collectExits() == [InstanceExit(instance: order.instance, how: "gone")]
        }
        #expect(host.text(log) == "ready\nasked\n")
        #expect(await second.running().isEmpty)
        #expect(host.notes.instances().isEmpty)
    }

    @Test("one that ended while nobody looked is reported and struck off, and a stranger with its number left alone")
    func stale() async throws {
        let host = try DriverHost()
        defer { host.remove() }
        let stranger = host.driver("exec sleep 60")
        let order = host.order()
        try await stranger.start(order)
        let pid = try #require(await stranger.processIdentifier(of: order.instance))
        var note = try #require(try host.notes.note(of: order.instance))
        let (recycled, rebooted) = (host.order().instance, host.order().instance)
        note.instance = recycled
        note.startTicks = note.startTicks.map { $0 - 100 }
        try host.notes.write(note)
        note.instance = rebooted
        note.startTicks = note.startTicks.map { $0 + 100 }
        note.boot = "another"
        try host.notes.write(note)

        let next = host.driver(script)
        #expect(await next.adopt(eu).isEmpty)
        #expect(await next.collectExits().map(\.instance).sorted() == [recycled, rebooted].sorted())
        #expect(await next.collectExits().isEmpty)
        #expect(host.notes.instances() == [order.instance])
        #expect(try #require(ProcessHandle(pid: pid)).hasEnded == false)
        await stranger.kill(order.instance)
        try await eventually("ended") { await stranger.running().isEmpty }
    }

    @Test(
        "an allocator killed between the start of an instance and its note: the instance is found by what it was told")
    func unnoted() async throws {
        let host = try DriverHost()
        defer { host.remove() }
        let first = host.driver(script)
        let order = host.order()
        try await first.start(order)
        let pid = try #require(await first.processIdentifier(of: order.instance))
        try await eventually("it is ready") { host.text(host.log(of: order.instance)) == "ready\n" }
        var note = try #require(try host.notes.note(of: order.instance))
        (note.pid, note.startTicks) = (nil, nil)
        try host.notes.write(note)
        // Noted, and never started.
        note.instance = host.order().instance
        try host.notes.write(note)
        await first.release()

        let next = host.driver(script)
        #expect(await next.adopt(eu) == [order.instance])
        #expect(await next.processIdentifier(of: order.instance) == pid)
        #expect(try host.notes.note(of: order.instance)?.pid == pid)
        #expect(await next.collectExits().map(\.instance) == [note.instance])
        await next.kill(order.instance)
        try await eventually("ended") {
            _ = await next.collectExits()
            return await next.running().isEmpty
        }
    }

    @Test("a note that is no note is passed over, told of, and hinders none of the others")
    func garbage() async throws {
        let host = try DriverHost()
        defer { host.remove() }
        let first = host.driver(script)
        let order = host.order()
        try await first.start(order)
        await first.release()
        let bad = host.order().instance
        try Data("{".utf8).write(to: URL(filePath: "\(host.notes.path)/\(bad).json"))
        try Data("{".utf8).write(to: URL(filePath: "\(host.notes.path)/..json"))
        let next = host.driver(script)
        #expect(await next.adopt(eu) == [order.instance])
        await next.kill(order.instance)
        try await eventually("ended") {
            _ = await next.collectExits()
            return await next.running().isEmpty
        }
    }
}
