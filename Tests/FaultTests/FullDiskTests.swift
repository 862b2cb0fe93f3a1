import Foundation
import GameModel
import Records
import Store
import TestSupport
import Testing

/// The disk of the records is full: nothing is half done, and what was accepted stays.
@Suite("Orders on a full disk")
struct FullDiskTests {
    @Test(
        "an order that has no room is refused and leaves nothing; with room again the next is accepted, books whole",
        .enabled(if: mayMount, "the small disk needs the right to mount"))
    func full() async throws {
        try await withSmallDisk(kilobytes: 2_048) { folder in
            let database = try RecordsDatabase.open(
                path: folder + "/accounts.sqlite", durability: .full,
                schemas: [StoreSchema.schema, Outbox.schema, ChangeLog.schema], logger: testLogger)
            let repository = StoreRepository(database: database)
            let store = StoreService(repository: repository)
            let ballast = folder + "/ballast"
            try Data(repeating: 1, count: 400 << 10).write(to: URL(filePath: ballast))
            var accepted: [OrderID] = []
            var refused = 0
            for number in 0..<5_000 where refused < 3 {
                do {
                    accepted.append(try await Self.place(number, in: store))
                } catch StoreError.unavailable {
                    refused += 1
                }
            }
            #expect(refused == 3 && !accepted.isEmpty, "\(accepted.count) accepted, \(refused) refused")
            try FileManager.default.removeItem(atPath: ballast)
            accepted.append(try await Self.place(6_000, in: store))
            for order in accepted { #expect(try await store.orders.order(order).state == .pending) }
            let all = try await database.read { try Outbox.openCount(in: $0) }
            #expect(all == accepted.count, "each accepted order is owed its verification, and no other")
            for finding in try await StoreAudit(repository: repository, providers: []).run() {
                #expect(finding.holds, "\(finding)")
            }
            try database.close()
        }
    }

    /// Whether this process has CAP_SYS_ADMIN (capability 21).
    static let mayMount: Bool = {
        let status = FileManager.default.contents(atPath: "/proc/self/status") ?? Data()
        let line = String(decoding: status, as: UTF8.self).split(separator: "\n").first { $0.hasPrefix("CapEff:") }
        let mask = line.flatMap { UInt64($0.dropFirst(7).trimmingCharacters(in: .whitespaces), radix: 16) } ?? 0
        return mask & (1 << 21) != 0
    }()

    private static func place(_ number: Int, in store: StoreService) async throws -> OrderID {
        try await store.orders.place(
            Wish(productId: ProductID("potion-healing")), player: PlayerID(ULID().description),
            payment: .provider(nil, method: "pm_card_visa"), expected: nil, idempotencyKey: "order-\(number)"
        ).order.orderId
    }

    /// A file system in memory of a fixed size, mounted for the body; needs the right to mount, which CI has.
    private func withSmallDisk(kilobytes: Int, _ body: (String) async throws -> Void) async throws {
        let folder = try TemporaryFolder()
        defer { folder.remove() }
        let mounted = try await ForeignProgram.run(
            "/bin/mount", ["-t", "tmpfs", "-o", "size=\(kilobytes)k", "tmpfs", folder.path])
        try #require(mounted.status == 0, "mount: \(mounted.errors)")
        let outcome: Result<Void, any Error>
        do {
            outcome = .success(try await body(folder.path))
        } catch {
            outcome = .failure(error)
        }
        let unmounted = try await ForeignProgram.run("/bin/umount", ["--lazy", folder.path])
        #expect(unmounted.status == 0, "umount: \(unmounted.errors)")
        try outcome.get()
    }
}
