import GameModel

extension InstanceClient {
    /// What an instance is, and where its API is.
    public struct Configuration: Sendable, Equatable, CustomStringConvertible {
        /// Its name: `region.` and a ULID or other text of letters, digits, `-` and `_`. A new one at each start.
        public var instance: InstanceID
        public var region: Region
        /// The address that players are told.
        public var host = "127.0.0.1"
        /// Matches at once.
        public var slots = 50
        /// The version of the game.
        public var build = "1"
        /// Like `http://127.0.0.1:8080`, without a slash at the end.
        public var apiURL = "http://127.0.0.1:8080"
        /// The token of role `instance`.
        public var token = ""
        /// Where results wait that the API has not taken yet: one folder for all instances of the host, so that each
        /// finds what an ended one left.
        public var dataFolder = ".muster"
        /// After how many matches the instance drains, to be followed by a new one; `nil`: never.
        public var matchesMax: Int?
        /// Until the API says otherwise.
        public var heartbeatInterval: Duration = .seconds(1)
        /// How long an event waits for others to go with, at most.
        public var eventInterval: Duration = .milliseconds(250)
        /// How soon the API may be asked for its keys again, when a token names one that is not known.
        public var keysInterval: Duration = .seconds(5)
        /// How long ``InstanceClient/finish(_:_:)`` waits for the API before it leaves a result to be brought later.
        public var resultPatience: Duration = .seconds(2)

        public init(instance: InstanceID? = nil, region: Region) {
            self.region = region
            self.instance = instance ?? InstanceID("\(region).\(ULID())")
        }

        /// Without the token.
        public var description: String { "\(instance) at \(apiURL)" }
    }
}
