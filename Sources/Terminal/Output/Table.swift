/// Rows under a heading: two spaces between columns, no boxes, numbers at the right.
struct Table {
    struct Column {
        let title: String
        let isNumber: Bool

        init(_ title: String, isNumber: Bool = false) {
            self.title = title
            self.isNumber = isNumber
        }
    }

    private let columns: [Column]
    private var rows: [[String]] = []

    init(_ columns: [Column]) { self.columns = columns }

    /// - Parameter cells: one for each column.
    mutating func add(_ cells: [String]) {
        precondition(cells.count == columns.count, "a row has a cell for each column")
        rows.append(cells.map { printable($0) })
    }

    var isEmpty: Bool { rows.isEmpty }

    /// The heading and the rows, without spaces at their ends.
    var lines: [String] {
        let all = [columns.map { $0.title }] + rows
        let widths = columns.indices.map { index in all.map { $0[index].count }.max() ?? 0 }
        return all.map { cells in
            var line = ""
            for (index, cell) in cells.enumerated() {
                if index > 0 { line += "  " }
                let space = String(repeating: " ", count: widths[index] - cell.count)
                line += columns[index].isNumber ? space + cell : cell + space
            }
            while line.last == " " { line.removeLast() }
            return line
        }
    }
}
