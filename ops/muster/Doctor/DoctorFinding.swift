/// One thing that the doctor looked at, and what is to be done about it.
struct DoctorFinding: Codable, Sendable, Equatable {
    enum Level: String, Codable, Sendable, Comparable {
        case ok, warning, problem

        private var rank: Int {
            switch self {
            case .ok: 0
            case .warning: 1
            case .problem: 2
            }
        }

        static func < (left: Self, right: Self) -> Bool { left.rank < right.rank }
    }

    var level: Level
    /// What it is about in one word, like `memory`.
    var area: String
    /// What was found.
    var what: String
    /// Why it matters; `nil` where all is well and there is nothing to explain.
    var why: String?
    /// What to do; `nil` where nothing is.
    var remedy: String?
    /// The server it is about; `nil` for the queues.
    var server: String?

    static func ok(_ area: String, _ what: String) -> DoctorFinding {
        DoctorFinding(level: .ok, area: area, what: what)
    }

    static func warning(_ area: String, _ what: String, why: String, remedy: String) -> DoctorFinding {
        DoctorFinding(level: .warning, area: area, what: what, why: why, remedy: remedy)
    }

    static func problem(_ area: String, _ what: String, why: String, remedy: String) -> DoctorFinding {
        DoctorFinding(level: .problem, area: area, what: what, why: why, remedy: remedy)
    }
}
