import Foundation

/// What a page of the console shows, as values: the templates make HTML of it, and escape all of it.
///
/// Templates read these by their names, from the inside out: an optional that is `nil` is written `{{.name}}` in them,
/// so that a page's own value of that name does not stand in for it.
struct ConsolePage: Sendable {
    /// Of the document and of its first heading.
    var title: String
    /// A sentence below the heading.
    var lead: String?
    /// The way here, without this page itself.
    var trail: [ConsoleLink] = []
    /// What was just done.
    var notice: String?
    /// What one can do from here, beside the heading.
    var actions: [ConsoleLink] = []
    var blocks: [ConsoleBlock] = []
}

struct ConsoleLink: Sendable {
    var text: String
    var href: String
    /// Of the navigation: whether the page belongs there.
    var isCurrent = false
    var isPrimary = false
    var isDanger = false

    static func primary(_ text: String, _ href: String) -> ConsoleLink {
        ConsoleLink(text: text, href: href, isPrimary: true)
    }

    static func danger(_ text: String, _ href: String) -> ConsoleLink {
        ConsoleLink(text: text, href: href, isDanger: true)
    }
}

/// A part of a page: one of the four forms, below a heading of its own where it has one.
struct ConsoleBlock: Sendable {
    /// Names the part in the document: `transfers`.
    var id: String
    var heading: String?
    var text: String?
    /// Lines, each of its own.
    var lines: [String] = []
    var facts: ConsoleFacts?
    var table: ConsoleTable?
    var form: ConsoleForm?
    var picture: ConsolePicture?
    /// Cards that lead on.
    var cards: [ConsoleCard] = []
    var actions: [ConsoleLink] = []

    init(id: String, heading: String? = nil, text: String? = nil) {
        self.id = id
        self.heading = heading
        self.text = text
    }

    static func factsBlock(
        _ id: String, heading: String? = nil, _ rows: [ConsoleFact?], actions: [ConsoleLink] = []
    ) -> ConsoleBlock {
        var block = ConsoleBlock(id: id, heading: heading)
        block.facts = ConsoleFacts(rows: rows.compactMap { $0 })
        block.actions = actions
        return block
    }

    /// - Parameter empty: said instead of a table without rows.
    static func tableBlock(
        _ id: String, heading: String? = nil, caption: String, columns: [ConsoleColumn], rows: [[ConsoleCell]],
        empty: String, actions: [ConsoleLink] = []
    ) -> ConsoleBlock {
        var block = ConsoleBlock(id: id, heading: heading, text: rows.isEmpty ? empty : nil)
        if !rows.isEmpty { block.table = ConsoleTable(caption: caption, columns: columns, rows: rows) }
        block.actions = actions
        return block
    }

    static func formBlock(_ id: String, heading: String? = nil, text: String? = nil, _ form: ConsoleForm)
        -> ConsoleBlock
    {
        var block = ConsoleBlock(id: id, heading: heading, text: text)
        block.form = form
        return block
    }

    static func linesBlock(_ id: String, heading: String, _ lines: [String]) -> ConsoleBlock {
        var block = ConsoleBlock(id: id, heading: heading)
        block.lines = lines
        return block
    }
}

struct ConsoleCard: Sendable {
    var title: String
    var text: String
    var href: String
    var figure: String?
}

struct ConsolePicture: Sendable {
    var url: String
    var alt: String
}

// MARK: Facts

struct ConsoleFacts: Sendable {
    var rows: [ConsoleFact]
}

/// A name and its value.
struct ConsoleFact: Sendable {
    var name: String
    var cell: ConsoleCell

    init(_ name: String, _ cell: ConsoleCell) {
        self.name = name
        self.cell = cell
    }

    init(_ name: String, _ text: String) { self.init(name, ConsoleCell(text)) }

    /// Nothing where there is no value.
    init?(_ name: String, _ text: String?) {
        guard let text, !text.isEmpty else { return nil }
        self.init(name, ConsoleCell(text))
    }
}

// MARK: Tables

struct ConsoleTable: Sendable {
    var caption: String
    var columns: [ConsoleColumn]
    var rows: [ConsoleRow]

    init(caption: String, columns: [ConsoleColumn], rows: [[ConsoleCell]]) {
        self.caption = caption
        self.columns = columns
        // Where a row has no room to be one, each cell says itself which column it is of.
        self.rows = rows.map { cells in
            ConsoleRow(
                cells: zip(columns, cells).enumerated().map { index, pair in
                    var cell = pair.1
                    cell.column = pair.0.name
                    cell.isNumber = pair.0.isNumber
                    cell.isRowHeader = index == 0
                    return cell
                })
        }
    }
}

struct ConsoleColumn: Sendable, ExpressibleByStringLiteral {
    var name: String
    var isNumber = false

    init(stringLiteral value: String) { name = value }

    static func number(_ name: String) -> ConsoleColumn {
        var column = ConsoleColumn(stringLiteral: name)
        column.isNumber = true
        return column
    }
}

struct ConsoleRow: Sendable {
    var cells: [ConsoleCell]
}

/// A value in a table or among facts.
struct ConsoleCell: Sendable {
    /// What a word means at a glance; said in the word, too, and never by colour alone.
    enum Tone: String, Sendable { case good, warning, bad, quiet }

    var text: String
    var href: String?
    /// A second line, smaller.
    var note: String?
    /// Shown as a label of this tone.
    var tone: String?
    /// In letters of one width: ids and codes.
    var isCode = false
    var picture: ConsolePicture?
    /// More values, each on a line.
    var lines: [String] = []
    /// Long texts, each folded away behind its name.
    var details: [ConsoleDetail] = []
    /// The moment meant, as a machine reads it.
    var moment: String?
    var column = ""
    var isNumber = false
    var isRowHeader = false

    init(_ text: String, href: String? = nil, note: String? = nil, tone: Tone? = nil) {
        self.text = text
        self.href = href
        self.note = note
        self.tone = tone?.rawValue
    }

    static func code(_ text: String, href: String? = nil) -> ConsoleCell {
        var cell = ConsoleCell(text, href: href)
        cell.isCode = true
        return cell
    }
}

struct ConsoleDetail: Sendable {
    var name: String
    var text: String
}
