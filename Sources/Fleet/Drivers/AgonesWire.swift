/// The requests and answers of Agones' allocator service, as far as they are used here.
///
/// Source: `allocation.swagger.json` of Agones (`pkg/allocation/go`), whose names these are. Errors are those of
/// grpc-gateway: `{"code": …, "message": …}`.
enum AgonesWire {
    static let path = "/gameserverallocation"

    struct Request: Encodable, Sendable, Equatable {
        var namespace: String
        var multiClusterSetting: MultiCluster?
        /// Tried in order.
        var gameServerSelectors: [Selector]
        var scheduling: String
        /// Put on the game server that is taken.
        var metadata: Metadata
    }

    struct MultiCluster: Encodable, Sendable, Equatable {
        var enabled: Bool
    }

    struct Selector: Encodable, Sendable, Equatable {
        var matchLabels: [String: String]
        var gameServerState: String
    }

    struct Metadata: Codable, Sendable, Equatable {
        var labels: [String: String]?
        var annotations: [String: String]?
    }

    struct Answer: Decodable, Sendable, Equatable {
        var gameServerName: String?
        var ports: [Port]?
        var address: String?
        var nodeName: String?
        var source: String?
        var metadata: Metadata?
    }

    struct Port: Decodable, Sendable, Equatable {
        var name: String?
        var port: Int?
    }

    struct Failure: Decodable, Sendable {
        var code: Int?
        var message: String?
    }
}

/// The labels by which Muster and the cluster's manifests (`ops/deploy/agones`) understand each other.
enum AgonesLabels {
    static let fleet = "agones.dev/fleet"
    static let region = "muster/region"
    static let match = "muster/match"
}
