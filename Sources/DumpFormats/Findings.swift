/// What the walkers gather for the report, within bounds.
struct Findings {
    var tool: String?
    var toolVersion: String?
    var serverVersion: String?
    var position: BinlogPosition?
    var sourcePosition: BinlogPosition?
    var gtid: String?
    private(set) var databases: [String] = []
    private var knownDatabases: Set<String> = []
    var tables = TableBook()
    private(set) var facts: [Fact] = []
    private(set) var warnings: [String] = []
    private(set) var notes: [String] = []
    private(set) var volatileRanges: [Range<UInt64>] = []

    mutating func warn(_ text: String) {
        if warnings.count < Limits.remarksMax, !warnings.contains(text) { warnings.append(text) }
    }

    mutating func note(_ text: String) {
        if notes.count < Limits.remarksMax, !notes.contains(text) { notes.append(text) }
    }

    /// Keeps the first value of each name.
    mutating func keep(_ name: String, _ value: String) {
        guard facts.count < Limits.remarksMax, !value.isEmpty else { return }
        if !facts.contains(where: { $0.name == name }) {
            facts.append(Fact(name: name, value: value))
        }
    }

    mutating func add(database: String) {
        guard !database.isEmpty, databases.count < Limits.databasesMax else { return }
        if knownDatabases.insert(database).inserted { databases.append(database) }
    }

    mutating func addVolatile(_ range: Range<UInt64>) {
        if volatileRanges.count < Limits.volatileRangesMax, !range.isEmpty {
            volatileRanges.append(range)
        }
    }

    func fill(_ report: inout StreamReport) {
        report.tool = tool
        report.toolVersion = toolVersion
        report.serverVersion = serverVersion
        report.position = position
        report.sourcePosition = sourcePosition
        report.gtid = gtid
        report.databases = databases
        report.tables = tables.tables
        report.facts = facts
        report.warnings = warnings
        report.notes = notes
        report.volatileRanges = volatileRanges
        if tables.isOverfull {
            report.notes.append("only the first \(Limits.tablesMax) tables are listed")
        }
    }
}

/// The tables of a dump and where they stand in it.
struct TableBook {
    private struct Key: Hashable {
        var database: String?
        var schema: String?
        var name: String
    }

    private(set) var tables: [TableRanges] = []
    private(set) var isOverfull = false
    private var indexes: [Key: Int] = [:]
    private var rangeCount = 0
    private var open: (index: Int, start: UInt64)?

    /// A section of this table begins; the section before ends here.
    mutating func begin(database: String?, schema: String?, name: String, at offset: UInt64) {
        end(at: offset)
        let key = Key(database: database, schema: schema, name: name)
        if let index = indexes[key] {
            open = (index, offset)
        } else if tables.count < Limits.tablesMax {
            indexes[key] = tables.count
            open = (tables.count, offset)
            tables.append(TableRanges(database: database, schema: schema, name: name, ranges: []))
        } else {
            isOverfull = true
        }
    }

    /// The section that is open, if one is, ends here.
    mutating func end(at offset: UInt64) {
        guard let (index, start) = open else { return }
        open = nil
        guard start < offset else { return }
        if let last = tables[index].ranges.last, last.upperBound == start {
            tables[index].ranges[tables[index].ranges.count - 1] = last.lowerBound..<offset
        } else if rangeCount < Limits.rangesMax {
            tables[index].ranges.append(start..<offset)
            rangeCount += 1
        } else {
            isOverfull = true
        }
    }
}
