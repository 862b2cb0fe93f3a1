import GameModel

/// The balance of patches by number. A published patch never changes, so each is fetched once, however many matches ask
/// at the same time, and never again.
actor PatchCache {
    /// The most patches held: a match is pinned to its patch, and few patches are played at once.
    static let patchesMax = 16

    private let api: InstanceAPI
    private var known: [PatchVersion: MatchSheet.Balance] = [:]
    private var waiting: [PatchVersion: [CheckedContinuation<Void, Never>]] = [:]

    init(api: InstanceAPI) { self.api = api }

    /// Keeps what came with a sheet.
    func keep(_ balance: MatchSheet.Balance, of patch: PatchVersion) {
        known[patch] = balance
        let others = known.keys.filter { $0 != patch }
        if known.count > Self.patchesMax, let oldest = others.min() { known[oldest] = nil }
    }

    func balance(of patch: PatchVersion) async throws(InstanceError) -> MatchSheet.Balance {
        if let balance = known[patch] { return balance }
        if waiting[patch] != nil {
            await withCheckedContinuation { waiting[patch]?.append($0) }
            guard let balance = known[patch] else { throw .unavailable("patch \(patch) could not be fetched") }
            return balance
        }
        waiting[patch] = []
        defer {
            for continuation in waiting.removeValue(forKey: patch) ?? [] { continuation.resume() }
        }
        let balance = try await api.balance(patch)
        keep(balance, of: patch)
        return balance
    }
}
