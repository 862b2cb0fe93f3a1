import Accounts
import Foundation
import GameModel
import NIOCore
import NIOHTTP1
import Testing

@testable import API

@Suite("Who gets into the console, and with which forms")
struct ConsoleAccessTests {
    /// A page of each role, and a form.
    static let developerPages = [
        "/console/products", "/console/products/new", "/console/promotions", "/console/promotions/new",
        "/console/publish", "/console/versions", "/console/balance",
    ]
    static let operatorPages = ["/console/orders", "/console/players"]

    @Test("without a session every page leads to the log-in, and back after it")
    func withoutSession() async throws {
        try await withAPI { api in
            let developer = try await api.staff(.developer)
            try await api.withBrowser { browser in
                for page in ["/console"] + Self.developerPages + Self.operatorPages + ["/console/changes"] {
                    let reply = try await browser.get(page)
                    #expect(reply.status == 303, "\(page)")
                    #expect(reply.headers.first(name: "Location")?.hasPrefix("/console/login?next=") == true)
                }
                let posted = try await browser.post("/console/publish", ["note": "x"], csrf: "x")
                #expect(posted.status == 303)
                #expect(posted.headers["Location"] == ["/console/login"])

                let back = try await browser.logIn(developer.email ?? "", next: "/console/products?x=1")
                #expect(back.status == 303)
                #expect(back.headers["Location"] == ["/console/products?x=1"])
                let elsewhere = try await browser.logIn(developer.email ?? "", next: "//evil.example/console/")
                #expect(elsewhere.headers["Location"] == ["/console"])
            }
        }
    }

    @Test("the session's cookie is for the console alone, out of scripts' reach, and secure behind TLS")
    func cookie() async throws {
        try await withAPI { api in
            let developer = try await api.staff(.developer)
            try await api.withBrowser { browser in
                _ = try await browser.logIn(developer.email ?? "")
                let cookie = try #require(await browser.lastCookies.first { $0.hasPrefix("muster_console=") })
                for part in ["HttpOnly", "SameSite=Strict", "Path=/console", "Max-Age=28800"] {
                    #expect(cookie.contains(part), "\(cookie)")
                }
                #expect(!cookie.contains("Secure"))
                let token = try #require(await browser.cookies["muster_console"])
                let asBearer = try await api.client.send(.GET, "/v1/accounts/me", token: token)
                #expect(asBearer.status == 401)
            }
            try await api.withBrowser { browser in
                _ = try await browser.get("/console/login")
                _ = try await browser.post(
                    "/console/login", ["email": developer.email ?? "", "password": ConsoleBrowser.password],
                    headers: [("X-Forwarded-Proto", "https"), ("Sec-Fetch-Site", "same-origin")])
                #expect(try #require(await browser.lastCookies.first).contains("Secure"))
            }
        }
    }

    @Test("an API token is no console session, and a forged cookie is none either")
    func forgedCookies() async throws {
        try await withAPI { api in
            let developer = try await api.staff(.developer)
            try await api.withBrowser { browser in
                let bearer = try await api.token(.developer, subject: developer.playerId)
                for value in [bearer, "x", "a.b.c", ""] {
                    await browser.setCookie("muster_console", value)
                    #expect(try await browser.get("/console/products").status == 303)
                }
            }
        }
    }

    @Test("players, unknown addresses and wrong passwords stay out")
    func refused() async throws {
        try await withAPI { api in
            let player = try await api.player()
            try await api.withBrowser { browser in
                let asPlayer = try await browser.logIn(player.email ?? "")
                #expect(asPlayer.status == 403)
                #expect(asPlayer.text.contains("takes the role developer or operator"))
                #expect(await browser.cookies["muster_console"] == nil)
                let wrong = try await browser.logIn(player.email ?? "", password: "not the password")
                let unknown = try await browser.logIn("nobody@example.com", password: "not the password")
                #expect(wrong.status == 403)
                #expect(unknown.status == 403)
                let words = "The e-mail address or the password is wrong."
                #expect(wrong.text.contains(words) && unknown.text.contains(words))
            }
            // The session that the player's right password opened is closed again.
            try await api.onAccounts { accounts in
                let open = try await accounts.sessions(of: PlayerID(player.playerId))
                #expect(open.count == 1)
            }
        }
    }

    @Test("a developer's pages are closed to operators and the other way round, forms too; the log is both's")
    func roles() async throws {
        try await withAPI { api in
            try await api.withStaff(.operator) { browser, _ in
                for page in Self.developerPages { #expect(try await browser.get(page).status == 403, "\(page)") }
                for page in Self.operatorPages { #expect(try await browser.get(page).status == 200, "\(page)") }
                #expect(try await browser.get("/console/changes").status == 200)
                let published = try await browser.post("/console/publish", ["note": ""])
                #expect(published.status == 403)
            }
            try await api.withStaff(.developer) { browser, player in
                for page in Self.operatorPages { #expect(try await browser.get(page).status == 403, "\(page)") }
                for page in Self.developerPages { #expect(try await browser.get(page).status == 200, "\(page)") }
                #expect(try await browser.get("/console/changes").status == 200)
                let locked = try await browser.post("/console/players/\(player.playerId)/lock", ["reason": "x"])
                #expect(locked.status == 403)
            }
        }
    }

    @Test("a form without the session's secret, or from another site, changes nothing")
    func foreignForms() async throws {
        try await withAPI { api in
            try await api.withStaff(.developer) { browser, _ in
                let fields = [
                    "productId": "skin-x", "name": "X", "kind": "skin", "prices": "4.99 EUR", "active": "yes",
                ]
                let secret = await browser.csrf
                #expect(secret.count == 22)
                for wrong in ["", "x", String(secret.dropLast()) + "_"] {
                    #expect(try await browser.post("/console/products", fields, csrf: wrong).status == 403)
                }
                let origin = browser.base
                for headers in [
                    [("Sec-Fetch-Site", "cross-site")], [("Sec-Fetch-Site", "same-site")],
                    [("Origin", "https://evil.example")], [("Origin", "null")], [("Origin", origin + ".evil.example")],
                ] {
                    let reply = try await browser.post("/console/products", fields, headers: headers)
                    #expect(reply.status == 403, "\(headers)")
                }
                #expect(try await browser.get("/console/products/skin-x").status == 404)
                let own = try await browser.post("/console/products", fields, headers: [("Origin", origin)])
                #expect(own.status == 303, "\(own.text)")
            }
            try await api.withBrowser { browser in
                _ = try await browser.get("/console/login")
                let reply = try await browser.post("/console/login", ["email": "a@example.com"], csrf: "x")
                #expect(reply.status == 403)
            }
        }
    }

    @Test("a session ends with the account's: logged out here or everywhere, locked, or of another role")
    func sessionEnds() async throws {
        try await withAPI { api in
            let developer = try await api.staff(.developer)
            let id = PlayerID(developer.playerId)
            func loggedIn(_ body: (ConsoleBrowser) async throws -> Void) async throws {
                try await api.withBrowser { browser in
                    #expect(try await browser.logIn(developer.email ?? "").status == 303)
                    #expect(try await browser.get("/console").status == 200)
                    let cookie = try #require(await browser.cookies["muster_console"])
                    try await body(browser)
                    await browser.setCookie("muster_console", cookie)
                    #expect(try await browser.get("/console").status == 303)
                }
            }
            try await loggedIn { browser in
                let reply = try await browser.post("/console/logout")
                #expect(reply.headers["Location"] == ["/console/login?done=logged-out"])
                #expect(await browser.cookies["muster_console"] == nil)
            }
            try await loggedIn { _ in try await api.onAccounts { try await $0.endAll(of: id) } }
            try await loggedIn { _ in
                try await api.onAccounts { _ = try await $0.setRole(.player, of: id, by: "test") }
            }
            try await api.onAccounts { _ = try await $0.setRole(.developer, of: id, by: "test") }
            try await loggedIn { _ in
                try await api.onAccounts { _ = try await $0.lock(id, reason: "left", by: "test") }
            }
            try await api.withBrowser { browser in
                let reply = try await browser.logIn(developer.email ?? "")
                #expect(reply.status == 403)
                #expect(reply.text.contains("This account is locked: left."))
            }
        }
    }

    @Test("pages carry no script and allow none, are kept nowhere and framed nowhere")
    func headers() async throws {
        try await withAPI { api in
            try await api.withStaff(.developer) { browser, _ in
                for path in ["/console", "/console/products", "/console/nothing", "/console/login"] {
                    let reply = try await browser.get(path)
                    let policy = try #require(reply.headers.first(name: "Content-Security-Policy"))
                    #expect(
                        policy.hasPrefix("default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'"))
                    #expect(policy.contains("frame-ancestors 'none'") && !policy.contains("unsafe"))
                    #expect(reply.headers["Cache-Control"] == ["no-store"])
                    #expect(reply.headers["X-Frame-Options"] == ["DENY"])
                    #expect(reply.headers["X-Content-Type-Options"] == ["nosniff"])
                    #expect(reply.headers["Referrer-Policy"] == ["same-origin"])
                    #expect(!reply.text.contains("<script") && !reply.text.contains("style="))
                }
                let missing = try await browser.get("/console/nothing")
                #expect(missing.status == 404)
                #expect(missing.text.contains("There is no such page"))
                let sheet = try #require(
                    try await browser.get("/console").text.firstMatch(of: /href="([^"]*css[^"]*)"/))
                let style = try await browser.get(String(sheet.1))
                #expect(style.status == 200)
                #expect(style.headers["Content-Type"] == ["text/css; charset=utf-8"])
                #expect(style.headers.first(name: "Cache-Control")?.contains("immutable") == true)
            }
        }
    }

    @Test("what no browser would send as a form is refused as such")
    func malformed() async throws {
        try await withAPI { api in
            try await api.withStaff(.developer) { browser, _ in
                for (type, body) in [
                    ("application/json", "{}"), ("text/plain", "csrf=x"),
                    ("application/x-www-form-urlencoded", "a=%ZZ"), ("application/x-www-form-urlencoded", "a=1&a=2"),
                    ("multipart/form-data", "x"), ("multipart/form-data; boundary=b", "--b\r\nx"),
                ] {
                    let reply = try await browser.send(
                        .POST, "/console/publish",
                        headers: [("Content-Type", type), ("Sec-Fetch-Site", "same-origin")],
                        body: ByteBuffer(string: body))
                    #expect(reply.status == 400, "\(type) \(body)")
                    #expect(reply.text.contains("The form could not be read"))
                }
            }
        }
    }

    @Test("guessing passwords is slowed down, and the page says for how long")
    func guessing() async throws {
        try await withAPI { api in
            let developer = try await api.staff(.developer)
            try await api.withBrowser { browser in
                var last: TestReply?
                for _ in 0..<20 where last?.status != 429 {
                    last = try await browser.logIn(developer.email ?? "", password: "not the password")
                }
                let reply = try #require(last)
                #expect(reply.status == 429)
                #expect(reply.headers.first(name: "Retry-After").flatMap { Int($0) } ?? 0 >= 1)
                #expect(reply.text.contains("Too many attempts."))
            }
        }
    }
}
