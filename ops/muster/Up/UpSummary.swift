/// What `muster up` says once all is ready.
enum UpSummary {
    static func lines(_ state: UpState) -> [String] {
        var roles: [(role: String, count: Int)] = []
        for member in state.processes {
            if let index = roles.firstIndex(where: { $0.role == member.role }) {
                roles[index].count += 1
            } else {
                roles.append((member.role, 1))
            }
        }
        let counts = roles.map { $0.count == 1 ? $0.role : "\($0.role) x\($0.count)" }.joined(separator: ", ")
        return [
            "ready: \(counts)",
            "  api        \(state.apiUrls.joined(separator: "  "))",
            "  console    \(state.apiUrl)/console",
            "  payments   \(state.paymentsUrl)",
            "  redis      \(state.redisUrl)",
            "  data       \(state.data)",
            "  rules      \(state.rulesFile ?? "built in; others with --rules FILE")",
            "  developer  token in \(state.developerTokenFile)",
            "  next       muster load --players 100 --seconds 20, muster depth --watch, muster audit; stop with ^C",
        ]
    }
}
