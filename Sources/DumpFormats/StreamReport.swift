/// What a stream told of itself while it passed.
package struct StreamReport: Sendable, Equatable {
    package var format: StreamFormat
    /// What is inside a compressed stream, where it could be looked into.
    package var innerFormat: StreamFormat?
    package var byteCount: UInt64 = 0
    /// How many bytes the compressed stream held, where it could be looked into.
    package var innerByteCount: UInt64?
    package var end: StreamEnd = .notPromised
    /// The program that wrote it, as it calls itself: `mariadb-dump`, `pg_dump`, `mariabackup`.
    package var tool: String?
    package var toolVersion: String?
    package var serverVersion: String?
    /// Where the binary log of the dumped server goes on from.
    package var position: BinlogPosition?
    /// Where the binary log of the server that the dumped one replicates goes on from
    /// (`--dump-slave`).
    package var sourcePosition: BinlogPosition?
    package var gtid: String?
    /// In the order of their appearance.
    package var databases: [String] = []
    /// In the order of their appearance. In a compressed stream the ranges count decompressed
    /// bytes.
    package var tables: [TableRanges] = []
    /// What an archive holds, in the order of their appearance.
    package var members: [ArchiveMember] = []
    /// Other things worth keeping, such as `host`, `to_lsn`, `archive version`.
    package var facts: [Fact] = []
    /// To be shown to the person at the terminal.
    package var warnings: [String] = []
    /// To be kept with the snapshot.
    package var notes: [String] = []
    /// Bytes that differ in every dump of the same data: dates, random keys.
    package var volatileRanges: [Range<UInt64>] = []

    /// The ending of a restored file's name, without a dot: `sql`, `sql.gz`.
    package var fileExtension: String {
        guard let innerFormat, innerFormat != .raw else { return format.fileExtension }
        return innerFormat.fileExtension + "." + format.fileExtension
    }

    package init(format: StreamFormat) { self.format = format }
}

/// Whether the end that a stream's header promised came.
package enum StreamEnd: Sendable, Equatable {
    case seen
    /// - Parameters:
    ///   - at: the byte where it was given up.
    ///   - inside: what was being written there: `table shop.orders`, or nothing.
    ///   - wanted: what did not come: `the line '-- Dump completed'`.
    case missing(at: UInt64, inside: String, wanted: String)
    /// It ends as it should, but what it says of itself is not so.
    case contradicted(by: String)
    /// Nothing in the stream says where it ends.
    case notPromised
}

package struct BinlogPosition: Sendable, Equatable {
    package var file: String
    package var offset: UInt64

    package init(file: String, offset: UInt64) {
        self.file = file
        self.offset = offset
    }
}

/// Where the definition and the rows of one table stand in the stream.
package struct TableRanges: Sendable, Equatable {
    package var database: String?
    package var schema: String?
    package var name: String
    /// Ascending, not overlapping, not touching.
    package var ranges: [Range<UInt64>]

    package init(database: String?, schema: String?, name: String, ranges: [Range<UInt64>]) {
        self.database = database
        self.schema = schema
        self.name = name
        self.ranges = ranges
    }

    /// `shop.orders`, `shop.public.orders`: what is known, joined by dots.
    package var qualifiedName: String {
        [database, schema, name].compactMap(\.self).joined(separator: ".")
    }
    package var byteCount: UInt64 { ranges.reduce(0) { $0 + ($1.upperBound - $1.lowerBound) } }
}

package struct Fact: Sendable, Equatable {
    package var name: String
    package var value: String

    package init(name: String, value: String) {
        self.name = name
        self.value = value
    }
}
