/// What one process under `muster up` is started with, and what it is to the others.
struct ChildSpec: Sendable {
    /// When a process is stopped, in this order: the allocators with their instances, which need the API to hand in
    /// what was played; the API, so that nothing new comes in; the other workers; the sandbox; Redis last, so that
    /// all can put their things away.
    enum Stage: Int, Sendable, CaseIterable {
        case instances, api, workers, outside, redis
    }

    /// `ranker-2`: the role and a number.
    let name: String
    let role: String
    let stage: Stage
    let executable: String
    let arguments: [String]
    /// On top of the supervisor's own environment.
    let environment: [String: String]
    /// Where readiness is asked; Redis has none.
    let healthURL: String?
}
