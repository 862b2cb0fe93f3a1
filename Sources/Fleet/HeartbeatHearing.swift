import AsyncHTTPClient
import GameModel
import NIOCore
import NIOHTTP1

/// Whether heartbeats can reach the fleet at all: they go through the API, so while no API answers, or the one that
/// does has lost Redis, everybody is silent, and nobody is dead.
public struct HeartbeatHearing: Sendable {
    private let url: String
    private let client: HTTPClient
    private let timeout: TimeAmount

    /// - Parameter apiURL: what instances are told; one that stands for all APIs, as a load balancer's does.
    public init(apiURL: String, client: HTTPClient = .shared, timeout: Duration = .seconds(1)) {
        url = apiURL + "/readyz"
        self.client = client
        self.timeout = .milliseconds(timeout.milliseconds)
    }

    /// Asks the API whether it is ready; an answer of any kind but a server's failure will do.
    public func callAsFunction() async -> Bool {
        do {
            let response = try await client.execute(HTTPClientRequest(url: url), timeout: timeout)
            for try await _ in response.body {}
            return response.status.code < 500
        } catch {
            // Whatever the reason, it does not answer.
            return false
        }
    }
}
