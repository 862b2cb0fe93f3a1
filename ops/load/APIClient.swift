import AsyncHTTPClient
import Foundation
import GameModel
import NIOCore
import NIOFoundationCompat
import NIOHTTP1

/// The HTTP side of a simulated player: JSON in, JSON out, each refusal with its problem code.
///
/// An outage (no connection, 429, 502 to 504) is waited out with a jittered backoff, as a real game client would, and
/// counted.
struct APIClient: Sendable {
    let http: HTTPClient
    let baseURL: String
    let recorder: StepRecorder

    struct Refusal: Error, CustomStringConvertible {
        let status: Int
        let code: String
        let detail: String?
        let ticketId: String?
        /// Until when the player may not queue, in Unix ms.
        var coolingDownUntil: Int64?
        /// Whether the same call may do a little later; a cooldown takes its time.
        var isOutage: Bool { [429, 502, 503, 504].contains(status) && coolingDownUntil == nil }
        var description: String { "\(status) \(code)" + (detail.map { ": \($0)" } ?? "") }
    }

    struct GaveUp: Error, CustomStringConvertible {
        let description: String
    }

    private struct ProblemBody: Decodable {
        let code: String?
        let detail: String?
        let ticketId: String?
        let coolingDownUntil: Int64?
    }

    struct Nothing: Decodable {}

    /// One call, repeated through outages; an answer outside 2xx is thrown as a `Refusal`.
    func call<Answer: Decodable>(
        _ step: Step, _ method: HTTPMethod, _ path: String, token: String? = nil,
        body: (any Encodable & Sendable)? = nil,
        headers: [(String, String)] = [], patience: Duration = .seconds(60), timeout: Duration = .seconds(40)
    ) async throws -> Answer {
        let deadline = ContinuousClock.now + patience
        var pause = Duration.milliseconds(200)
        while true {
            let reason: String
            do {
                return try await once(method, path, token: token, body: body, headers: headers, timeout: timeout)
            } catch let refusal as Refusal where refusal.isOutage {
                reason = refusal.description
            } catch let refusal as Refusal {
                throw refusal
            } catch is CancellationError {
                throw CancellationError()
            } catch let error as DecodingError {
                throw GaveUp(description: "unexpected answer: \(error)")
            } catch {
                reason = "no answer: \(String(describing: type(of: error)))"
            }
            recorder.failed(step, reason: reason)
            guard ContinuousClock.now < deadline else { throw GaveUp(description: reason) }
            try await Task.sleep(for: pause * Double.random(in: 0.5...1.5))
            pause = min(pause * 2, .seconds(3))
        }
    }

    private func once<Answer: Decodable>(
        _ method: HTTPMethod, _ path: String, token: String?, body: (any Encodable & Sendable)?,
        headers: [(String, String)], timeout: Duration
    ) async throws -> Answer {
        var request = HTTPClientRequest(url: baseURL + path)
        request.method = method
        for (name, value) in headers { request.headers.add(name: name, value: value) }
        if let token { request.headers.add(name: "Authorization", value: "Bearer \(token)") }
        if let body {
            request.headers.add(name: "Content-Type", value: "application/json")
            request.body = .bytes(ByteBuffer(data: try JSONEncoder().encode(body)))
        }
        let response = try await http.execute(request, timeout: .milliseconds(timeout.milliseconds))
        let answer = try await response.body.collect(upTo: 1 << 20)
        guard (200..<300).contains(Int(response.status.code)) else {
            let problem = decodedProblem(answer)
            throw Refusal(
                status: Int(response.status.code), code: problem?.code ?? response.status.reasonPhrase,
                detail: problem?.detail, ticketId: problem?.ticketId,
                coolingDownUntil: problem?.coolingDownUntil)
        }
        if Answer.self == Nothing.self, let nothing = Nothing() as? Answer { return nothing }
        return try JSONDecoder().decode(Answer.self, from: answer)
    }

    private func decodedProblem(_ body: ByteBuffer) -> ProblemBody? {
        do {
            return try JSONDecoder().decode(ProblemBody.self, from: body)
        } catch {
            return nil  // A refusal by something that is not our API, such as a proxy: the status alone has to do.
        }
    }
}
