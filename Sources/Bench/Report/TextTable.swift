/// Columns of text: the first and the last to the left, all others to the right.
struct TextTable {
    var head: [String]
    var rows: [[String]]

    var text: String {
        let widths = self.head.indices.map { column in
            ([self.head] + self.rows).map { $0[column].count }.max() ?? 0
        }
        let rule = widths.map { String(repeating: "-", count: $0) }
        return ([self.head, rule] + self.rows).map { Self.line($0, widths) }.joined(separator: "\n")
    }

    private static func line(_ cells: [String], _ widths: [Int]) -> String {
        let padded = zip(cells, widths).enumerated().map { column, cell in
            let space = String(repeating: " ", count: cell.1 - cell.0.count)
            if column == cells.count - 1 { return cell.0 }
            return column == 0 ? cell.0 + space : space + cell.0
        }
        return padded.joined(separator: "  ")
    }
}
