import APIWorker
import Accounts
import AsyncHTTPClient
import Foundation
import GameModel
import Logging
import NIOCore
import NIOFoundationCompat
import NIOHTTP1
import Records
import Store
import TestSupport

/// Speaks to the console as a browser without JavaScript does: keeps cookies, and sends forms with what their pages
/// hide in them. It does not follow redirects, so that tests see them.
actor ConsoleBrowser {
    static let password = "correct horse battery"

    let base: String
    private let http: HTTPClient
    private(set) var cookies: [String: String] = [:]
    /// The headers of `Set-Cookie` of the last reply that had some.
    private(set) var lastCookies: [String] = []
    /// The secret of the forms of the last page.
    private(set) var csrf = ""

    init(base: String, http: HTTPClient) {
        self.base = base
        self.http = http
    }

    func get(_ path: String) async throws -> TestReply { try await send(.GET, path) }

    /// Sends a form as a browser would: with the page's secret and its own origin.
    func post(
        _ path: String, _ fields: [String: String] = [:], csrf: String? = nil,
        headers: [(String, String)] = [("Sec-Fetch-Site", "same-origin")]
    ) async throws -> TestReply {
        var fields = fields
        fields["csrf"] = csrf ?? self.csrf
        let body = fields.map { "\(Self.encoded($0))=\(Self.encoded($1))" }.joined(separator: "&")
        return try await send(
            .POST, path, headers: headers + [("Content-Type", "application/x-www-form-urlencoded")],
            body: ByteBuffer(string: body))
    }

    func send(
        _ method: HTTPMethod, _ path: String, headers: [(String, String)] = [], body: ByteBuffer? = nil
    ) async throws -> TestReply {
        var request = HTTPClientRequest(url: base + path)
        request.method = method
        for (name, value) in headers { request.headers.add(name: name, value: value) }
        let cookies = cookies.map { "\($0)=\($1)" }.joined(separator: "; ")
        if !cookies.isEmpty { request.headers.add(name: "Cookie", value: cookies) }
        if let body { request.body = .bytes(body) }
        let reply = try await http.execute(request, timeout: .seconds(90))
        let text = try await reply.body.collect(upTo: 4 * 1024 * 1024)
        remember(reply.headers["Set-Cookie"])
        let answer = TestReply(status: Int(reply.status.code), headers: reply.headers, body: Data(buffer: text))
        if let found = answer.text.firstMatch(of: /name="csrf" value="([^"]+)"/) { csrf = String(found.1) }
        return answer
    }

    private func remember(_ headers: [String]) {
        if !headers.isEmpty { lastCookies = headers }
        for header in headers {
            let pair = header.prefix { $0 != ";" }.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            guard pair.count == 2 else { continue }
            cookies[String(pair[0])] = header.contains("Max-Age=0") ? nil : String(pair[1])
        }
    }

    /// Makes the cookie another, as whoever stole or forged one would.
    func setCookie(_ name: String, _ value: String) { cookies[name] = value }

    func logIn(_ email: String, password: String = ConsoleBrowser.password, next: String = "/console") async throws
        -> TestReply
    {
        _ = try await get("/console/login")
        return try await post("/console/login", ["email": email, "password": password, "next": next])
    }

    private static func encoded(_ text: String) -> String {
        text.addingPercentEncoding(withAllowedCharacters: .alphanumerics) ?? ""
    }
}

extension WholeAPI {
    /// A browser of its own; closed with the body.
    func withBrowser<T>(_ body: (ConsoleBrowser) async throws -> T) async throws -> T {
        var configuration = HTTPClient.Configuration()
        configuration.redirectConfiguration = .disallow
        let http = HTTPClient(eventLoopGroupProvider: .singleton, configuration: configuration)
        do {
            let value = try await body(ConsoleBrowser(base: client.base, http: http))
            try await http.shutdown()
            return value
        } catch {
            try await http.shutdown()
            throw error
        }
    }

    /// Somebody of a role, logged in to the console.
    func withStaff<T>(
        _ role: Role, name: String = "Grace", _ body: (ConsoleBrowser, TestPlayer) async throws -> T
    ) async throws -> T {
        let player = try await staff(role, name: name)
        return try await withBrowser { browser in
            let reply = try await browser.logIn(player.email ?? "")
            guard reply.status == 303 else { throw TestSupportError("log in: \(reply.status) \(reply.text)") }
            // Any page of everyone's has the secret of the session's forms.
            _ = try await browser.get("/console")
            return try await body(browser, player)
        }
    }

    /// A registered account of a role.
    func staff(_ role: Role, name: String = "Grace") async throws -> TestPlayer {
        let player = try await player(name)
        try await onAccounts { _ = try await $0.setRole(role, of: PlayerID(player.playerId), by: "test") }
        return player
    }

    /// Edits accounts by the file itself, as an operator's command does.
    func onAccounts(_ body: (AccountService) async throws -> Void) async throws {
        let database = try RecordsDatabase.open(
            path: "\(folder)/accounts.sqlite", durability: .full, schemas: AccountsFile.schemas,
            logger: Logger(label: "test.accounts"))
        let passwords = try PasswordHasher(parameters: ScryptParameters(logN: 10, r: 8, p: 1))
        let accounts = AccountService(
            repository: AccountsRepository(database: database), passwords: passwords,
            tokens: TokenIssuer(ring: try KeyRing(folder: "\(folder)/keys")))
        try await body(accounts)
        try database.close()
    }

    /// An order that a player paid from the wallet, and so is paid at once.
    func paidOrder(of player: TestPlayer) async throws -> String {
        struct Reply: Decodable { var orderId: String }
        let skin = try await anyProduct("skin-frost")
        try await save(
            "pack",
            #"{"name":"Pack","kind":"currency_pack","prices":[{"minorUnits":499,"currency":"EUR"}],"#
                + #""credit":{"amount":1000,"currency":"gems"}}"#)
        try await publish()
        try await grant("pack", to: player)
        let reply = try await client.send(
            .POST, "/v1/store/orders", token: player.accessToken,
            body: #"{"productId":"\#(skin)","unit":"gems","wallet":true}"#, headers: [("Idempotency-Key", "k")])
        guard (200..<300).contains(reply.status) else { throw TestSupportError("order: \(reply.text)") }
        return try reply.decode(Reply.self).orderId
    }

    /// What the change log of accounts and the store has of a thing, newest first.
    func changes(of subject: String) async throws -> [ChangeLog.Change] {
        let database = try RecordsDatabase.open(
            path: "\(folder)/accounts.sqlite", durability: .full, schemas: AccountsFile.schemas,
            logger: Logger(label: "test.changes"))
        defer { try? database.close() }  // It was only read.
        return try await ChangeLogRepository(database: database).changes(subject: subject, limit: 20)
    }
}
