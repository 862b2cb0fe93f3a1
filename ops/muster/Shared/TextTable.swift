import Foundation

/// A table in plain text: a head, a rule, rows; columns as wide as their widest cell.
struct TextTable {
    private let head: [String]
    private let right: Set<Int>
    private var rows: [[String]] = []

    /// `right`: the columns whose cells stand on the right, as numbers should.
    init(_ head: [String], right: Set<Int> = []) {
        self.head = head
        self.right = right
    }

    mutating func add(_ cells: [String]) {
        rows.append(cells)
    }

    var text: String {
        let widths = head.indices.map { column in
            ([head] + rows).map { column < $0.count ? $0[column].count : 0 }.max() ?? 0
        }
        func line(_ cells: [String]) -> String {
            let padded = cells.enumerated().map { column, cell in
                let space = String(repeating: " ", count: max(0, widths[column] - cell.count))
                return right.contains(column) ? space + cell : cell + space
            }
            return padded.joined(separator: "  ").replacing(/\s+$/, with: "")
        }
        let rule = widths.map { String(repeating: "-", count: $0) }.joined(separator: "  ")
        return ([line(head), rule] + rows.map(line)).joined(separator: "\n")
    }
}
