import Foundation
import Logging
import ServiceLifecycle
import Synchronization
import TestSupport
import Testing
import UnixSignals

@testable import Telemetry

/// What services did, in order.
private final class Diary: Sendable {
    private let kept = Mutex<[String]>([])

    var entries: [String] { kept.withLock { $0 } }

    func note(_ entry: String) { kept.withLock { $0.append(entry) } }
}

private struct Patient: Service {
    let name: String
    let diary: Diary

    func run() async throws {
        diary.note("\(name) runs")
        try await gracefulShutdown()
        diary.note("\(name) stopped")
    }
}

/// Ignores the wish to stop; ends when it is cancelled.
private struct Stubborn: Service {
    let diary: Diary

    func run() async throws {
        diary.note("stubborn runs")
        await untilCancelled()
        diary.note("stubborn cancelled")
        throw CancellationError()
    }
}

private struct Failing: Service {
    struct Failure: Error {}

    func run() async throws { throw Failure() }
}

private struct Brief: Service {
    func run() async throws {}
}

private struct Told: SelfStoppingService {
    let isTold: @Sendable () -> Bool

    func run() async throws {
        while !isTold() { await Task.yield() }
    }
}

@Suite("Process host", .serialized)
struct ProcessHostTests {
    private let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }

    @Test("a signal stops the services gracefully, the last one first")
    func graceful() async throws {
        let diary = Diary()
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { [logger] in
                try await ProcessHost.run(
                    services: [Patient(name: "a", diary: diary), Patient(name: "b", diary: diary)], logger: logger,
                    signals: [.sigusr1])
            }
            try await eventually("both run") { diary.entries.count == 2 }
            kill(getpid(), SIGUSR1)
            try await group.waitForAll()
        }
        #expect(diary.entries.suffix(2) == ["b stopped", "a stopped"])
    }

    @Test("a second signal cancels what does not stop")
    func secondSignal() async throws {
        let diary = Diary()
        await #expect(throws: CancellationError.self) {
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask { [logger] in
                    try await ProcessHost.run(
                        services: [Stubborn(diary: diary), Patient(name: "a", diary: diary)], logger: logger,
                        signals: [.sigusr1])
                }
                try await eventually("both run") { diary.entries.count == 2 }
                kill(getpid(), SIGUSR1)
                try await eventually("the first signal arrived") { diary.entries.contains("a stopped") }
                kill(getpid(), SIGUSR1)
                try await group.waitForAll()
            }
        }
        #expect(diary.entries.last == "stubborn cancelled")
    }

    @Test("what does not stop in time is cancelled")
    func bounded() async throws {
        let diary = Diary()
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { [logger] in
                do {
                    try await ProcessHost.run(
                        services: [Stubborn(diary: diary)], logger: logger, signals: [.sigusr1],
                        gracefulShutdownMax: .milliseconds(20))
                } catch is CancellationError {
                    diary.note("ended")
                }
            }
            try await eventually("it runs") { !diary.entries.isEmpty }
            kill(getpid(), SIGUSR1)
            try await group.waitForAll()
        }
        #expect(diary.entries.contains("stubborn cancelled"))
    }

    @Test("a service that fails ends the process with its error")
    func failure() async {
        await #expect(throws: Failing.Failure.self) {
            try await ProcessHost.run(
                services: [Patient(name: "a", diary: Diary()), Failing()], logger: logger, signals: [.sigusr1])
        }
    }

    @Test("a service that may be told to stop ends the process gracefully; the return of another is a failure")
    func selfStopping() async throws {
        let diary = Diary()
        try await ProcessHost.run(
            services: [Patient(name: "a", diary: diary), Told { !diary.entries.isEmpty }], logger: logger, signals: [])
        #expect(diary.entries == ["a runs", "a stopped"])
        await #expect(throws: ServiceGroupError.self) {
            try await ProcessHost.run(
                services: [Patient(name: "a", diary: Diary()), Brief()], logger: logger, signals: [])
        }
    }
}
