import Foundation
import GameModel
import Testing

@testable import API

@Suite("What the console makes of texts, and of forms")
struct ConsoleMarkupTests {
    @Test("no template has an unescaped value, a script or a style of its own")
    func templates() throws {
        #expect(ConsoleTemplates.sources.count >= 9)
        for (name, source) in ConsoleTemplates.sources {
            let text = String(decoding: source, as: UTF8.self)
            for refused in ["{{{", "{{&", "<script", "style=", "javascript:", "onclick"] {
                #expect(!text.contains(refused), "\(name) has \(refused)")
            }
        }
    }

    @Test("every quote and bracket is escaped, also one that carries an accent and so is another character to Swift")
    func escaping() {
        let markup = MarkupText()
        #expect(markup.escapeText("<a href=\"x\">'&'") == "&lt;a href=&quot;x&quot;&gt;&#39;&amp;&#39;")
        #expect(markup.escapeText("\"\u{301} onfocus=1") == "&quot;\u{301} onfocus=1")
        #expect(markup.escapeText("<\u{338}b") == "&lt;\u{338}b")
        #expect(markup.escapeText("Zoë 👩‍👩‍👧 \u{0}") == "Zoë 👩‍👩‍👧 \u{FFFD}")
    }

    @Test("hostile texts stay texts wherever a page shows them")
    func hostilePage() {
        let hostile = "\"\u{301}><script>alert(1)</script><b onmouseover='x'>&amp;"
        var page = ConsolePage(title: hostile, lead: hostile, notice: hostile)
        page.trail = [ConsoleLink(text: hostile, href: hostile)]
        var form = ConsoleForm(action: hostile, submit: hostile, cancel: ConsoleLink(text: hostile, href: hostile))
        form.fields = [
            .text("a", hostile, hostile, hint: hostile), .area("b", hostile, hostile, hint: hostile),
            .select("c", hostile, hostile, [(hostile, hostile)]), .checkbox("d", hostile, true),
            .hidden("e", hostile),
        ]
        form.add(["a": hostile, "": hostile])
        var cell = ConsoleCell(hostile, href: hostile, note: hostile, tone: .good)
        cell.details = [ConsoleDetail(name: hostile, text: hostile)]
        cell.lines = [hostile]
        cell.picture = ConsolePicture(url: hostile, alt: hostile)
        page.blocks = [
            .formBlock("form", heading: hostile, form),
            .tableBlock("table", caption: hostile, columns: ["x"], rows: [[cell]], empty: ""),
            .factsBlock("facts", [ConsoleFact(hostile, cell)]), .linesBlock("lines", heading: hostile, [hostile]),
        ]
        let visitor = ConsoleVisitor(name: hostile, role: hostile, nav: [ConsoleLink(text: hostile, href: hostile)])
        let html = ConsoleTemplates().html(page, for: visitor, csrf: hostile)
        #expect(html.contains("&lt;script&gt;"))
        #expect(!html.contains("<script"))
        // Every scalar of the texts that could end an attribute or an element is gone from them.
        let (quote, element) = ("\"\u{301}", "<b onmouseover")
        #expect(!html.unicodeScalars.elementsContain(quote))
        #expect(!html.unicodeScalars.elementsContain(element))
    }

    @Test("a form's fields are read as browsers write them")
    func urlEncoded() throws {
        let body = try FormBody(
            Array("name=Zo%C3%AB+B&note=a%26b%3D%25&empty=&flag".utf8),
            contentType: "application/x-www-form-urlencoded; charset=utf-8")
        #expect(body["name"] == "Zoë B")
        #expect(body["note"] == "a&b=%")
        #expect(body["empty"] == "" && body["flag"] == "" && body.has("flag") && !body.has("other"))
        let many = (0...FormBody.fieldsMax).map { "f\($0)=1" }.joined(separator: "&")
        #expect(throws: Problem.self) {
            try FormBody(Array(many.utf8), contentType: "application/x-www-form-urlencoded")
        }
    }

    @Test("a file in a form comes through byte by byte, whatever bytes it has")
    func multipart() throws {
        let content: [UInt8] = Array("\r\n--x\r\n\0\u{FF}--".utf8) + [0xFF, 0x00, 0x0D, 0x0A]
        let head =
            "--bound\r\nContent-Disposition: form-data; name=\"csrf\"\r\n\r\nsecret\r\n--bound\r\n"
            + "Content-Disposition: form-data; name=\"file\"; filename=\"a.png\"\r\nContent-Type: image/png\r\n\r\n"
        let bytes = Array(head.utf8) + content + Array("\r\n--bound--\r\n".utf8)
        let body = try FormBody(bytes, contentType: "multipart/form-data; boundary=bound")
        #expect(body["csrf"] == "secret")
        #expect(body.file?.content == content)
        #expect(body.file?.name == "a.png")
        for broken in [bytes.dropLast(12), bytes.dropFirst(3), bytes.prefix(20)] {
            #expect(throws: Problem.self) {
                try FormBody(Array(broken), contentType: "multipart/form-data; boundary=bound")
            }
        }
    }

    @Test("only pages of the console are gone on to")
    func next() {
        for path in ["/console", "/console/orders?state=review&before=01A", "/console/products/skin-a"] {
            #expect(ConsoleNext(path)?.path == path)
        }
        for text in [
            "", "/", "//evil.example", "/console//evil.example", "https://evil.example/console/", "/consoleevil",
            "/console/\\evil", "/console/a b", "/console/a\r\nSet-Cookie: x", "javascript:alert(1)",
        ] {
            #expect(ConsoleNext(text) == nil, "\(text)")
        }
    }

    @Test("moments go through a form to the minute, and one that was not touched stays what it was")
    func moments() {
        let instant = Instant(milliseconds: 1_795_716_540_123)
        #expect(ConsoleWords.instant("2026-11-26T18:09") == Instant(milliseconds: 1_795_716_540_000))
        #expect(ConsoleWords.instant("2026-11-26T18:09:05")?.milliseconds == 1_795_716_545_000)
        #expect(ConsoleWords.instant("tomorrow") == nil)
        #expect(ConsoleWords.instant("2026-13-40T99:99") == nil)
        var reader = FieldReader(FormBody(["from": ConsoleWords.input(instant)]))
        #expect(reader.moment("from", kept: instant) == instant)
        #expect(reader.moment("from", kept: nil) == Instant(milliseconds: 1_795_716_540_000))
    }
}

extension String.UnicodeScalarView {
    fileprivate func elementsContain(_ text: String) -> Bool {
        Array(self).firstRange(of: Array(text.unicodeScalars)) != nil
    }
}
