import ServiceLifecycle

/// The keepers of an allocator's regions as one service: told to stop, all ask their instances at the same time,
/// so that stopping takes as long as one region does, however many there are.
struct InstanceKeepers: Service {
    let keepers: [InstanceKeeper]

    /// Until graceful shutdown, which each keeper sees too and ends by itself.
    func run() async throws {
        try await withThrowingTaskGroup(of: Void.self) { group in
            for keeper in keepers { group.addTask { try await keeper.run() } }
            try await group.waitForAll()
        }
    }
}
