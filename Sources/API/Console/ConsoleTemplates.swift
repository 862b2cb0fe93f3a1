import Foundation
import Mustache

/// Makes HTML of the console's pages with the templates that are embedded at build.
///
/// Promises: every value is escaped. No template has an unescaped tag (a test holds it), and the escaping is
/// ``MarkupText``'s, by Unicode scalars.
struct ConsoleTemplates: Sendable {
    private let library: MustacheLibrary
    /// The style sheet as it is sent.
    let style = String(decoding: PackageResources.console_css, as: UTF8.self)
    /// Where it is found: another address for another content, so that it may be kept for good.
    let stylePath: String

    /// The templates by name.
    static let sources: [String: [UInt8]] = [
        "layout": PackageResources.layout_mustache, "block": PackageResources.block_mustache,
        "actions": PackageResources.actions_mustache, "facts": PackageResources.facts_mustache,
        "table": PackageResources.table_mustache, "cell": PackageResources.cell_mustache,
        "form": PackageResources.form_mustache, "field": PackageResources.field_mustache,
        "described": PackageResources.described_mustache,
    ]

    init() {
        MustacheContentTypes.register(MarkupText(), named: MarkupText.name)
        var library = MustacheLibrary()
        for (name, source) in Self.sources {
            // The library escapes each partial by its own rule again, unless it says for itself by which.
            let text = "{{% CONTENT_TYPE: \(MarkupText.name) }}" + String(decoding: source, as: UTF8.self)
            do {
                try library.register(text, named: name)
            } catch {
                preconditionFailure("the template \(name) was built in and is none: \(error)")
            }
        }
        self.library = library
        stylePath = "/console/console.css?v=\(String(Self.checksum(style), radix: 16))"
    }

    /// FNV-1a: tells one edition of the style sheet from another, and protects nothing.
    private static func checksum(_ text: String) -> UInt64 {
        text.utf8.reduce(0xCBF2_9CE4_8422_2325) { ($0 ^ UInt64($1)) &* 0x100_0000_01B3 }
    }

    func html(_ page: ConsolePage, for visitor: ConsoleVisitor?, csrf: String) -> String {
        let frame = ConsoleFrame(page: page, visitor: visitor, csrf: csrf, stylesheet: stylePath)
        return library.render(frame, withTemplate: "layout") ?? ""
    }
}

/// What the layout reads.
private struct ConsoleFrame {
    var page: ConsolePage
    var visitor: ConsoleVisitor?
    var csrf: String
    var stylesheet: String
}

/// Who is logged in, as the header shows it.
struct ConsoleVisitor: Sendable {
    var name: String
    var role: String
    var nav: [ConsoleLink]
}

/// Escapes text for HTML, in elements and in quoted attributes.
///
/// By scalars: the library's own way goes by characters, and to Swift a quote with a combining accent is another
/// character than a quote, while to a browser it ends the attribute.
struct MarkupText: MustacheContentType {
    static let name = "MARKUP"

    func escapeText(_ text: String) -> String {
        var escaped = ""
        escaped.reserveCapacity(text.utf8.count)
        for scalar in text.unicodeScalars {
            switch scalar {
            case "<": escaped += "&lt;"
            case ">": escaped += "&gt;"
            case "&": escaped += "&amp;"
            case "\"": escaped += "&quot;"
            case "'": escaped += "&#39;"
            // Nothing that a form could have sent, and nothing that HTML may have.
            case "\u{0}": escaped += "\u{FFFD}"
            default: escaped.unicodeScalars.append(scalar)
            }
        }
        return escaped
    }
}
