import Accounts
import AsyncHTTPClient
import Foundation
import GameModel
import NIOCore
import NIOFoundationCompat
import NIOHTTP1

/// The processes of an API benchmark: a bare "hello", and the whole backend without rankers and instances.
struct BenchedAPI: Sendable {
    static let password = "bench-and-nothing-else"

    /// A player with an access token.
    struct Player: Sendable {
        let token: String
    }

    let apiPort: Int
    let apiPid: Int32
    let helloPort: Int
    let helloPid: Int32
    let email = "bench@example.com"
    private let backend: BenchBackend
    private let hello: BenchChild

    /// Starts them and waits until they answer.
    static func start(_ executable: String, folder: String) async throws -> BenchedAPI {
        let hello = try BenchChild.start(
            executable, ["bench", "hello"], output: folder + "/hello.log")
        do {
            let numbers = try await BenchChild.wait(for: "the bare server") { () throws -> [Int]? in
                let bytes = FileManager.default.contents(atPath: folder + "/hello.log") ?? Data()
                let numbers = String(decoding: bytes, as: UTF8.self).split(whereSeparator: \.isWhitespace)
                    .compactMap { Int($0) }
                return numbers.count == 2 ? numbers : nil
            }
            let backend = try await BenchBackend.start(executable, folder: folder)
            return BenchedAPI(
                api: try backend.api(), hello: (numbers[0], Int32(numbers[1])), backend: backend, child: hello)
        } catch {
            try hello.stop()
            throw error
        }
    }

    private init(
        api: (port: Int, pid: Int32), hello: (port: Int, pid: Int32), backend: BenchBackend, child: BenchChild
    ) {
        (apiPort, apiPid) = api
        (helloPort, helloPid) = hello
        self.backend = backend
        self.hello = child
    }

    func stop() throws {
        try backend.stop()
        try hello.stop()
    }

    // MARK: What the figures need

    func registeredPlayer() async throws -> Player {
        let account = #"{"email":"\#(email)","password":"\#(Self.password)","displayName":"Bench"}"#
        _ = try await send(.POST, "/v1/accounts", body: account)
        let credentials = #"{"email":"\#(email)","password":"\#(Self.password)"}"#
        let session = try await send(.POST, "/v1/sessions", body: credentials)
        return Player(token: try Self.text("accessToken", in: session.body))
    }

    func placeOrder(_ player: Player) async throws -> String {
        let answer = try await send(
            .POST, "/v1/store/orders", token: player.token, headers: ["Idempotency-Key": "bench"],
            body: #"{"productId":"potion-healing","paymentMethod":"pm_card_visa"}"#)
        return try Self.text("orderId", in: answer.body)
    }

    func queue(_ player: Player) async throws -> String {
        let answer = try await send(
            .POST, "/v1/matchmaking/tickets", token: player.token, body: #"{"mode":"duel","region":"eu"}"#)
        return try Self.text("ticketId", in: answer.body)
    }

    func tag(_ player: Player) async throws -> String {
        try await send(.GET, "/v1/store/products", token: player.token).headers.first(name: "ETag") ?? ""
    }

    /// Access tokens of as many players, who need no accounts to buy.
    func tokens(_ count: Int) async throws -> [String] {
        let issuer = TokenIssuer(ring: try KeyRing(folder: backend.folder + "/keys"))
        var tokens: [String] = []
        for _ in 0..<count {
            tokens.append(try await issuer.access(subject: ULID().description, role: .player))
        }
        return tokens
    }

    private func send(
        _ method: HTTPMethod, _ path: String, token: String? = nil, headers: [String: String] = [:],
        body: String? = nil
    ) async throws -> (headers: HTTPHeaders, body: Data) {
        var request = HTTPClientRequest(url: "http://127.0.0.1:\(apiPort)\(path)")
        request.method = method
        if let token { request.headers.add(name: "Authorization", value: "Bearer \(token)") }
        for (name, value) in headers { request.headers.add(name: name, value: value) }
        if let body {
            request.headers.add(name: "Content-Type", value: "application/json")
            request.body = .bytes(ByteBuffer(string: body))
        }
        let answer = try await HTTPClient.shared.execute(request, timeout: .seconds(20))
        let bytes = Data(buffer: try await answer.body.collect(upTo: 1 << 20))
        guard (200..<300).contains(answer.status.code) else {
            throw BenchError(
                "\(method) \(path): \(answer.status.code) \(String(decoding: bytes.prefix(400), as: UTF8.self))")
        }
        return (answer.headers, bytes)
    }

    private static func text(_ field: String, in body: Data) throws -> String {
        guard let object = try JSONSerialization.jsonObject(with: body) as? [String: Any],
            let text = object[field] as? String
        else { throw BenchError("an answer has no \(field)") }
        return text
    }
}
