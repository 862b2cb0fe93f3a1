/// The rows of a CSV file (RFC 4180: commas, quotes doubled within quotes, LF or CRLF), each with the line it begins
/// on.
struct CSVRows {
    struct Row: Hashable {
        var line: Int
        var cells: [String]
    }

    var rows: [Row] = []
    /// The line of a quote that is never closed.
    var openQuote: Int?

    init(_ text: String) {
        var line = 1
        var row = Row(line: 1, cells: [])
        var cell: [UInt8] = []
        var quotedSince: Int?
        var wasQuoted = false
        func closeCell() {
            row.cells.append(String(decoding: cell, as: UTF8.self))
            cell.removeAll(keepingCapacity: true)
            wasQuoted = false
        }
        func closeRow() {
            closeCell()
            // An empty line is no row.
            if row.cells != [""] { rows.append(row) }
            row = Row(line: line, cells: [])
        }
        var bytes = Array(text.utf8)
        if bytes.starts(with: [0xEF, 0xBB, 0xBF]) { bytes.removeFirst(3) }
        var place = 0
        while place < bytes.count {
            let byte = bytes[place]
            place += 1
            if byte == UInt8(ascii: "\n") { line += 1 }
            if quotedSince != nil {
                if byte != UInt8(ascii: "\"") {
                    cell.append(byte)
                } else if place < bytes.count, bytes[place] == UInt8(ascii: "\"") {
                    cell.append(byte)
                    place += 1
                } else {
                    quotedSince = nil
                }
                continue
            }
            switch byte {
            case UInt8(ascii: "\"") where cell.isEmpty && !wasQuoted: (quotedSince, wasQuoted) = (line, true)
            case UInt8(ascii: ","): closeCell()
            case UInt8(ascii: "\n"): closeRow()
            case UInt8(ascii: "\r"): break
            default: cell.append(byte)
            }
        }
        if !cell.isEmpty || !row.cells.isEmpty { closeRow() }
        openQuote = quotedSince
    }
}
