import Foundation

/// How a cluster that keeps its game servers by Agones is asked for one.
public struct AgonesConfiguration: Equatable, Sendable {
    /// Its allocator service: `https://host[:port]`.
    public var url = ""
    /// The Kubernetes namespace of the fleet.
    public var namespace = "default"
    /// The Agones fleet whose game servers are taken; their label `muster/region` says the region.
    public var fleet = "muster"
    /// PEM files: who signed the service's certificate, and the certificate and key that the service knows us by.
    public var authorityFile = ""
    public var certificateFile = ""
    public var keyFile = ""
    /// Which of a game server's ports players are told, by its name; `nil`: the first.
    public var port: String?
    /// Whether servers are taken from the fullest nodes first, or from anywhere.
    public var scheduling = Scheduling.packed
    /// Whether the cluster may ask others for a server, by its allocation policies.
    public var multiCluster = false
    /// For one request with its answer.
    public var timeout: Duration = .seconds(5)
    /// Requests for one match in a row, the first included, while the service is contended or failing.
    public var attempts = 3

    /// As its API names them.
    public enum Scheduling: String, Sendable, Equatable {
        case packed = "Packed"
        case distributed = "Distributed"
    }

    public init() {}
}

/// Why a cluster gave no answer that a match can be placed by.
public enum AgonesError: Error, Sendable, Equatable, CustomStringConvertible {
    /// A certificate or key can't be read.
    case unreadable(file: String, reason: String)
    /// No connection, no trust, or no answer in time: nothing is known to have happened, and it may be asked again.
    case unreachable(String)
    /// It answered that it will not, or that it failed.
    case refused(status: Int, message: String)
    /// An answer that no version of its API gives.
    case badAnswer(String)
    /// A match whose name does not say its region.
    case unknownRegion(String)
    /// The cluster starts its own game servers.
    case startsNone

    public var description: String {
        switch self {
        case .unreadable(let file, let reason): "can't read \(file): \(reason)"
        case .unreachable(let reason): "can't reach the Agones allocator: \(reason)"
        case .refused(let status, let message): "the Agones allocator refused with \(status): \(message)"
        case .badAnswer(let reason): "unexpected answer of the Agones allocator: \(reason)"
        case .unknownRegion(let name): "\(name) does not begin with a pool and its region"
        case .startsNone: "the cluster's fleet autoscaler starts its game servers"
        }
    }
}
