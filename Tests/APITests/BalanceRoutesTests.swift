import APIWorker
import Accounts
import Foundation
import GameData
import GameModel
import NIOHTTP1
import TestSupport
import Testing

@testable import API

@Suite("The balance over HTTP")
struct BalanceRoutesTests {
    private struct Draft: Decodable {
        var current: Int
        var document: BalanceDocument
        var changes: [BalanceChange]
        var problems: [BalanceFault]
    }

    private struct Lines: Decodable {
        var patches: [PatchLine]
    }

    @Test("a patch is immutable with an entity tag; the current one is kept for a short time, and both answer 304")
    func caching() async throws {
        try await withAPI { api in
            let token = try await api.player().accessToken
            let patch = try await api.client.send(.GET, "/v1/data/patches/1", token: token)
            #expect(patch.headers["Cache-Control"] == ["public, max-age=31536000, immutable"])
            #expect(try patch.decode(Patch.self).document == .first)
            let tag = try #require(patch.headers["ETag"].first)
            let current = try await api.client.send(.GET, "/v1/data/patches/current", token: token)
            #expect(current.headers["Cache-Control"] == ["public, max-age=5"])
            #expect(current.headers["ETag"] == [tag])
            for path in ["1", "current"] {
                let again = try await api.client.send(
                    .GET, "/v1/data/patches/\(path)", token: token, headers: [("If-None-Match", tag)])
                #expect(again.status == 304 && again.body.isEmpty)
            }
            #expect(try await api.client.send(.GET, "/v1/data/patches/2", token: token).status == 404)
            #expect(try await api.client.send(.GET, "/v1/data/patches/1").status == 401)
        }
    }

    @Test("a draft is edited, published and rolled back; the patches tell who did it and why")
    func life() async throws {
        try await withAPI { api in
            let ada = try await api.token(.developer, subject: "ada")
            let edited = try await api.client.send(
                .PATCH, "/v1/dev/balance/draft", token: ada,
                body: #"{"set":{"characters.shade.damage":55,"weapons.axe.name":"Axe","weapons.axe.damage":9,"#
                    + #""weapons.axe.cooldownMs":500},"remove":["items.aegis"],"new":true}"#)
            #expect(edited.status == 200, "\(edited.text)")
            let draft = try edited.decode(Draft.self)
            #expect(draft.current == 1 && draft.problems.isEmpty)
            #expect(draft.changes.map(\.path) == ["characters.shade", "weapons.axe", "items.aegis"])

            let note = #"{"note":"An axe"}"#
            let published = try await api.client.send(.POST, "/v1/dev/balance/patches", token: ada, body: note)
            #expect(published.status == 201)
            #expect(published.headers["Location"] == ["/v1/data/patches/2"])
            #expect(try await api.client.send(.POST, "/v1/dev/balance/patches", token: ada, body: note).status == 200)
            let diff = try await api.client.send(.GET, "/v1/dev/balance/diff?from=2&to=1", token: ada)
            #expect(diff.text.contains("weapons.axe"))
            let back = try await api.client.send(
                .POST, "/v1/dev/balance/patches/1/rollback", token: ada, body: #"{"note":"No axe"}"#)
            #expect(back.status == 201)
            let lines = try await api.client.send(.GET, "/v1/dev/balance/patches", token: ada).decode(Lines.self)
            #expect(lines.patches.map(\.note) == ["No axe", "An axe", ""])
            #expect(lines.patches.map(\.publishedBy) == ["ada", "ada", ""])
            #expect(lines.patches[0].rolledBackTo?.number == 1)
        }
    }

    @Test("what is wrong is told with its path; a whole document is put and a draft discarded")
    func refusals() async throws {
        try await withAPI { api in
            let ada = try await api.token(.developer, subject: "ada")
            let path = "/v1/dev/balance/draft"
            for (body, status, field) in [
                (#"{"set":{"characters.shade.damage":1001}}"#, 422, "characters.shade.damage"),
                (#"{"set":{"characters.shade.dmg":1}}"#, 422, "characters.shade.dmg"),
                (#"{"set":{"characters.nobody.damage":1}}"#, 404, nil), (#"{"remove":["axe"]}"#, 422, "axe"),
                ("{", 400, nil),
            ] as [(String, Int, String?)] {
                let reply = try await api.client.send(.PATCH, path, token: ada, body: body)
                #expect(reply.status == status, "\(body)")
                if status != 400 { #expect(try reply.problem().field == field) }
            }
            let empty = #"{"characters":[],"weapons":[],"items":[],"modes":[]}"#
            let put = try await api.client.send(.PUT, path, token: ada, body: empty)
            #expect(put.status == 200)
            #expect(try await api.client.send(.PUT, path, token: ada, body: "{}").status == 422)
            let discarded = try await api.client.send(.DELETE, path, token: ada)
            #expect(try discarded.decode(Draft.self).document == .first)
            #expect(try await api.client.send(.GET, "/v1/dev/balance/diff?from=1", token: ada).status == 422)
            let player = try await api.player()
            #expect(try await api.client.send(.GET, path, token: player.accessToken).status == 403)
        }
    }
}
