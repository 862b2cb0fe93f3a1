/// What was read of one Redis server; the checks judge it.
struct ServerReading: Sendable {
    /// As the operator named it, or as the cluster does.
    var address: String
    /// Whether the commands of this build are sent as a cluster wants them.
    var isForCluster = false
    /// The fields of `INFO`; empty where it was refused.
    var info: [String: String] = [:]
    /// Settings by name; `nil` where `CONFIG GET` was refused.
    var config: [String: String]?
    /// Round trips of own PINGs, in µs.
    var pings: [Int] = []
    var clock: Clock?
    /// `nil` where `LATENCY LATEST` was refused.
    var spikes: [Spike]?
    /// `nil` where `SLOWLOG` was refused.
    var slowlog: Slowlog?
    var scripts = Scripts()
    var rights = Rights()
    /// The fields of `CLUSTER INFO`, of a node of a cluster.
    var cluster: [String: String] = [:]

    /// The server's clock less this machine's.
    struct Clock: Sendable {
        var offsetMs: Double
        /// Half the round trip: the true difference lies so much to either side at most.
        var uncertaintyMs: Double
    }

    /// A moment at which the server was slow, by its own latency monitor.
    struct Spike: Sendable {
        var event: String
        var secondsAgo: Int
        var latestMs: Int
        var highestMs: Int
    }

    struct Slowlog: Sendable {
        /// How many slow commands the log has.
        var count: Int
        /// The slowest of its last ten.
        var worst: (command: String, microseconds: Int, secondsAgo: Int)?
    }

    struct Scripts: Sendable {
        var total = 0
        /// Those that the server knew before.
        var known = 0
        /// By name: what the server says against it.
        var failures: [String: String] = [:]
        /// Why they could not be tried.
        var refusal: String?
    }

    /// What the connected user may do.
    struct Rights: Sendable {
        var user: String?
        var tried: [String] = []
        /// By command: what the server says.
        var refused: [String: String] = [:]
        /// Why not all that a queue needs was tried.
        var untried: String?
    }
}

/// What was read of one queue.
struct QueueReading: Sendable {
    var name: String
    var enqueued = 0
    var waiting = 0
    /// Due later, or in a worker's hands.
    var laterOrLeased = 0
    var dead = 0
    var oldestWaitingMs: Int?
    /// Jobs that were buried while the doctor looked.
    var buriedMeanwhile = 0
    /// Workers that take jobs.
    var running = 0
    /// Workers that live and take none: told to be quiet, or stopping.
    var resting = 0
    /// Workers that fell silent in the last minutes.
    var silent = 0
    /// Why it could not be read.
    var failure: String?
}
