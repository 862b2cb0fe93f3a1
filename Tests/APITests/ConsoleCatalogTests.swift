import Accounts
import Foundation
import GameModel
import NIOCore
import NIOHTTP1
import Records
import TestSupport
import Testing

@testable import API

@Suite("The console's pages for developers")
struct ConsoleCatalogTests {
    static let skin = [
        "productId": "skin-frost", "name": "Frost Knight", "kind": "skin", "description": "Cold.",
        "prices": "4.99 EUR\n500 jpy", "virtualPrices": "500 gems", "quantity": "1", "credit": "", "parts": "",
        "limitPerPlayer": "", "availableFrom": "", "availableUntil": "", "picture": "", "active": "yes",
    ]

    /// The smallest PNG: one transparent pixel.
    static let png = [UInt8](
        Data(
            base64Encoded:
                "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNkYPhfDwAChwGA60e6kgAAAABJRU5ErkJggg=="
        ) ?? Data())

    @Test("a product is made, published, seen by players, changed back and removed, all under its editor's name")
    func journey() async throws {
        try await withAPI { api in
            try await api.withStaff(.developer) { browser, developer in
                let made = try await browser.post("/console/products", Self.skin)
                #expect(made.headers["Location"] == ["/console/products/skin-frost?done=saved"])
                let shown = try await browser.get("/console/products/skin-frost?done=saved")
                #expect(shown.text.contains("Saved to the draft."))
                #expect(shown.text.contains("4.99 EUR\n500 JPY"))
                #expect(try await browser.get("/console/products").text.contains("Frost Knight"))

                let draft = try await browser.get("/console/publish")
                #expect(draft.text.contains("product skin-frost"))
                let published = try await browser.post("/console/publish", ["note": "winter <3"])
                let version = try #require(published.headers.first(name: "Location"))
                #expect(version.hasSuffix("?done=published"))
                let page = try await browser.get(version)
                #expect(page.text.contains("winter &lt;3") && page.text.contains("Grace"))
                try await eventually("players see it") {
                    try await api.client.send(.GET, "/v1/store/products", token: developer.accessToken)
                        .text.contains("Frost Knight")
                }
                #expect(try await browser.get("/console/publish").text.contains("nothing to publish"))

                #expect(try await browser.get("/console/products/skin-frost/remove").status == 200)
                let removed = try await browser.post("/console/products/skin-frost/remove")
                #expect(removed.headers["Location"] == ["/console/products?done=removed"])
                #expect(try await browser.get("/console/products/skin-frost").status == 404)
                let number = try #require(version.split(separator: "/").last?.split(separator: "?").first)
                #expect(try await browser.get("/console/versions/\(number)/revert").status == 200)
                let reverted = try await browser.post("/console/versions/\(number)/revert")
                #expect(reverted.headers["Location"] == ["/console/publish?done=draft-replaced"])
                #expect(try await browser.get("/console/products/skin-frost").status == 200)
                #expect(try await browser.get("/console/versions").text.contains("what players see"))

                let changes = try await api.changes(of: "product skin-frost")
                #expect(changes.contains { $0.action == "product.save" && $0.by == developer.playerId })
                let log = try await browser.get("/console/changes")
                #expect(log.text.contains("product skin-frost") && log.text.contains("Grace"))
            }
        }
    }

    @Test("what is wrong stands beside its field, and nothing that was written is lost")
    func problems() async throws {
        try await withAPI { api in
            try await api.withStaff(.developer) { browser, _ in
                var fields = Self.skin
                fields["name"] = ""
                fields["prices"] = "4,99 EUR"
                fields["availableFrom"] = "soon"
                fields["description"] = "</textarea><script>"
                let reply = try await browser.post("/console/products", fields)
                #expect(reply.status == 422)
                for text in [
                    "aria-describedby=\"prices-hint prices-problem\"", "aria-invalid=\"true\"",
                    "“4,99 EUR” is no price", "Enter a name.", "Enter a date and time like", "href=\"#prices\"",
                    ">4,99 EUR</textarea>", "&lt;/textarea&gt;&lt;script&gt;", "role=\"alert\"",
                ] {
                    #expect(reply.text.contains(text), "\(text)")
                }
                fields = Self.skin
                fields["prices"] = "0.01 EUR"
                let tooCheap = try await browser.post("/console/products", fields)
                #expect(tooCheap.status == 422)
                #expect(tooCheap.text.contains("id=\"prices-problem\""), "\(tooCheap.text)")

                #expect(try await browser.post("/console/products", Self.skin).status == 303)
                let again = try await browser.post("/console/products", Self.skin)
                #expect(again.status == 422)
                #expect(again.text.contains("There is a product with this id."))
            }
        }
    }

    @Test("a promotion is made, refused with words, and removed")
    func promotions() async throws {
        try await withAPI { api in
            try await api.withStaff(.developer) { browser, developer in
                _ = try await browser.post("/console/products", Self.skin)
                var fields = [
                    "promotionId": "launch", "name": "Launch week", "percentOff": "20", "amountsOff": "",
                    "code": "frost-10", "productIds": "skin-frost", "startsAt": "2026-01-01T00:00",
                    "endsAt": "2030-01-01T00:00", "limitPerPlayer": "1", "limitTotal": "", "stacking": "exclusive",
                ]
                let made = try await browser.post("/console/promotions", fields)
                #expect(made.headers["Location"] == ["/console/promotions/launch?done=saved"], "\(made.text)")
                let shown = try await browser.get("/console/promotions/launch")
                #expect(shown.text.contains("FROST-10") && shown.text.contains("2026-01-01T00:00"))
                fields["percentOff"] = "95"
                let refused = try await browser.post("/console/promotions/launch", fields)
                #expect(refused.status == 422)
                #expect(refused.text.contains("id=\"percentOff-problem\""))
                fields["percentOff"] = "30"
                #expect(try await browser.post("/console/promotions/launch", fields).status == 303)
                let list = try await browser.get("/console/promotions")
                #expect(list.text.contains("30 %") && list.text.contains("new"))
                #expect(try await browser.get("/console/promotions/launch/remove").status == 200)
                #expect(try await browser.post("/console/promotions/launch/remove").status == 303)
                #expect(try await browser.get("/console/promotions/launch").status == 404)
                #expect(
                    try await api.changes(of: "promotion launch").allSatisfy { $0.by == developer.playerId })
            }
        }
    }

    @Test("a picture is uploaded by a plain form, and what is none is refused")
    func picture() async throws {
        try await withAPI { api in
            try await api.withStaff(.developer) { browser, _ in
                _ = try await browser.post("/console/products", Self.skin)
                let path = "/console/products/skin-frost/picture"
                func upload(_ content: [UInt8]) async throws -> TestReply {
                    let csrf = await browser.csrf
                    let head =
                        "--bound\r\nContent-Disposition: form-data; name=\"csrf\"\r\n\r\n\(csrf)\r\n--bound\r\n"
                        + "Content-Disposition: form-data; name=\"file\"; filename=\"a.png\"\r\n\r\n"
                    let bytes = Array(head.utf8) + content + Array("\r\n--bound--\r\n".utf8)
                    return try await browser.send(
                        .POST, path,
                        headers: [
                            ("Content-Type", "multipart/form-data; boundary=bound"), ("Sec-Fetch-Site", "same-origin"),
                        ], body: ByteBuffer(bytes: bytes))
                }
                let refused = try await upload(Array("<svg onload=alert(1)>".utf8))
                #expect(refused.status == 422, "\(refused.text)")
                #expect(refused.text.contains("id=\"file-problem\""))
                #expect(try await upload([]).status == 422)
                let large = try await upload(Self.png + [UInt8](repeating: 0, count: 5 * 1024 * 1024))
                #expect(large.status == 422 || large.status == 413)
                let made = try await upload(Self.png)
                #expect(made.headers["Location"] == ["/console/products/skin-frost?done=picture-saved"], "\(made.text)")
                let page = try await browser.get("/console/products/skin-frost")
                let source = try #require(page.text.firstMatch(of: /<img class="large" src="([^"]+)"/))
                let picture = try await api.client.send(.GET, String(source.1))
                #expect(picture.status == 200)
                #expect([UInt8](picture.body) == Self.png)
            }
        }
    }

    @Test("a draft that can't be published says why, and offers no button")
    func invalidDraft() async throws {
        try await withAPI { api in
            try await api.withStaff(.developer) { browser, _ in
                _ = try await browser.post("/console/products", Self.skin)
                var bundle = Self.skin
                bundle["productId"] = "bundle-a"
                bundle["kind"] = "bundle"
                bundle["parts"] = "skin-frost"
                let made = try await browser.post("/console/products", bundle)
                #expect(made.status == 303, "\(made.text)")
                let removed = try await browser.post("/console/products/skin-frost/remove")
                // Either the part can't be taken out of its bundle, or the draft says that it is missing.
                if removed.status == 303 {
                    let page = try await browser.get("/console/publish")
                    #expect(page.text.contains("In the way") && page.text.contains("bundle-a"))
                    #expect(!page.text.contains("action=\"/console/publish\""))
                    #expect(try await browser.post("/console/publish", ["note": ""]).status == 422)
                } else {
                    #expect((400..<500).contains(removed.status))
                }
            }
        }
    }
}
