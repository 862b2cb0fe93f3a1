import AsyncHTTPClient
import Foundation
import Logging
import NIOCore
import NIOFoundationCompat
import NIOHTTP1
import ServiceLifecycle

/// Tells the sidecar that Agones puts beside a game server how this one is, and learns from it where players reach it.
///
/// Its REST API is at `localhost:$AGONES_SDK_HTTP_PORT` (Agones, "REST Game Server Client API"). Ready is said once,
/// when the fleet knows this instance; that it is well, each two seconds; that its work is done, when everything else
/// has ended: then Agones puts a new server in its place.
struct AgonesSidecar: Service {
    /// Where players reach this game server.
    struct Place: Equatable, Sendable {
        var host: String
        var port: Int
    }

    let port: Int
    /// The name of the port that players are told; `nil`: the first.
    let portName: String?
    let http: HTTPClient
    /// Whether the fleet knows this instance.
    let isReady: @Sendable () -> Bool
    let logger: Logger
    var interval: Duration = .seconds(2)

    private static let answerBytesMax = 1 << 20
    private static let timeout: TimeAmount = .seconds(5)
    /// How long the sidecar may take to come up, and the cluster to give the server its address.
    private static let patience: Duration = .seconds(120)

    // MARK: At the start

    /// Asks until the game server has its address: the sidecar may come up after this process.
    func place() async throws -> Place {
        let deadline = ContinuousClock.now + Self.patience
        while true {
            do {
                let answer = try await call(.GET, "/gameserver")
                if let place = try Self.place(in: answer, portName: portName) { return place }
            } catch {
                guard ContinuousClock.now < deadline, !Task.isCancelled else { throw error }
                logger.info("waiting for the sidecar", metadata: ["error": "\(error)"])
            }
            guard ContinuousClock.now < deadline else {
                throw AgonesSidecarError("the game server has no address or no port '\(portName ?? "")'")
            }
            try await Task.sleep(for: .milliseconds(500))
        }
    }

    /// `nil` where the server has no address yet, or no such port.
    static func place(in answer: Data, portName: String?) throws -> Place? {
        let status = try JSONDecoder().decode(GameServer.self, from: answer).status
        guard let host = status?.address, !host.isEmpty,
            let port = status?.ports?.first(where: { portName == nil || $0.name == portName })?.port
        else { return nil }
        return Place(host: host, port: port)
    }

    private struct GameServer: Decodable {
        struct Status: Decodable {
            var address: String?
            var ports: [Port]?
            var state: String?
        }
        struct Port: Decodable {
            var name: String?
            var port: Int?
        }
        var status: Status?
    }

    // MARK: While it runs

    /// Whether the cluster has given this game server to a match. It never takes that back.
    func isAllocated() async throws -> Bool {
        let answer = try await call(.GET, "/gameserver")
        return try JSONDecoder().decode(GameServer.self, from: answer).status?.state == "Allocated"
    }

    func run() async throws {
        await cancelWhenGracefulShutdown {
            var said = false
            while !Task.isCancelled {
                await tell("/health")
                if !said, isReady() { said = await tell("/ready") }
                do { try await Task.sleep(for: interval) } catch { return }
            }
        }
        await tell("/shutdown")
    }

    /// Whether it was heard. A sidecar that is away is told at the next turn.
    @discardableResult
    private func tell(_ path: String) async -> Bool {
        do {
            _ = try await call(.POST, path)
            return true
        } catch {
            logger.warning("the sidecar did not hear", metadata: ["path": "\(path)", "error": "\(error)"])
            return false
        }
    }

    private func call(_ method: HTTPMethod, _ path: String) async throws -> Data {
        var request = HTTPClientRequest(url: "http://localhost:\(port)\(path)")
        request.method = method
        request.headers.add(name: "Content-Type", value: "application/json")
        if method == .POST { request.body = .bytes(ByteBuffer(string: "{}")) }
        let response = try await http.execute(request, timeout: Self.timeout)
        let body = try await response.body.collect(upTo: Self.answerBytesMax)
        guard response.status == .ok else { throw AgonesSidecarError("\(path): \(response.status)") }
        return Data(body.readableBytesView)
    }
}

/// The sidecar does not do what its documentation says.
struct AgonesSidecarError: Error, CustomStringConvertible {
    let description: String
    init(_ description: String) { self.description = description }
}
