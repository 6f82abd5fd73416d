import DumpFormats
import Testing

/// Archives of every version that the walker knows, written here after pg_backup_archiver.c: only
/// PostgreSQL 15 and 18 are at hand to record from.
@Suite("custom archives of all versions")
struct CustomArchiveTests {
    private struct Archive {
        var bytes: [UInt8] = []
        let minor: UInt8
        let intBytes: Int

        mutating func int(_ value: Int) {
            bytes.append(value < 0 ? 1 : 0)
            for index in 0..<intBytes { bytes.append(UInt8(abs(value) >> (8 * index) & 0xFF)) }
        }

        mutating func string(_ text: String?) {
            int(text?.utf8.count ?? -1)
            bytes += Array((text ?? "").utf8)
        }

        /// - Parameter tables: pairs of a name and the rows to be written.
        init(minor: UInt8, intBytes: Int = 4, tables: [(String, [String])]) {
            self.minor = minor
            self.intBytes = intBytes
            bytes = Array("PGDMP".utf8) + [1, minor, 0, UInt8(intBytes), 8, 1]
            if minor >= 15 { bytes.append(0) } else { int(0) }
            for value in [1, 2, 3, 4, 5, 126, 0] { int(value) }
            for text in ["shop", "16.1", "16.1"] { string(text) }
            int(tables.count + 1)
            entry(9_999, "customers", "TABLE", hasData: false)
            for (index, table) in tables.enumerated() {
                entry(index + 1, table.0, "TABLE DATA", hasData: true)
            }
            for (index, table) in tables.enumerated() {
                bytes.append(1)
                int(index + 1)
                for row in table.1 { string(row) }
                int(0)
            }
        }

        private mutating func entry(_ id: Int, _ tag: String, _ kind: String, hasData: Bool) {
            int(id)
            int(hasData ? 1 : 0)
            string("1259")
            string("16385")
            string(tag)
            string(kind)
            int(2)
            string(String(repeating: "CREATE TABLE x;", count: 200))
            string(nil)
            string("COPY x FROM stdin;\n")
            string("public")
            string("")
            if minor >= 14 { string("heap") }
            if minor >= 16 { int(114) }
            string("postgres")
            string("false")
            for dependency in ["5", "17"] { string(dependency) }
            string(nil)
            bytes += [hasData ? 1 : 3] + [UInt8](repeating: 0, count: 8)
        }
    }

    private let rows = [("customers", ["1\tone\n", "2\ttwo\n"]), ("empty", []), ("last", ["x\n"])]

    @Test("each version is followed to its end", arguments: [UInt8(12), 13, 14, 15, 16])
    func versions(_ minor: UInt8) {
        for intBytes in [4, 8] {
            let bytes = Archive(minor: minor, intBytes: intBytes, tables: rows).bytes
            let report = report(bytes)
            #expect(report.end == .seen)
            #expect(report.notes.isEmpty)
            #expect(report.tables.map(\.name) == ["customers", "empty", "last"])
            #expect(report.serverVersion == "16.1")
            for cut in 5..<bytes.count {
                #expect(
                    DumpFormatsTests.report(bytes, upTo: cut).inPipe.refusal != nil,
                    "\(minor), cut at \(cut)")
            }
        }
    }

    @Test("an archive without data ends with its table of contents")
    func noData() {
        #expect(report(Archive(minor: 15, tables: []).bytes).end == .seen)
    }

    @Test("the end of a version that is not known is not looked for")
    func unknownVersion() {
        for minor in [UInt8(11), 17] {
            let report = report(Archive(minor: minor, tables: rows).bytes)
            #expect(report.inPipe == Judgement.accepted(nil, .none))
            #expect(report.notes.count == 1)
        }
    }

    @Test("the message names the table that was cut off")
    func message() throws {
        let bytes = Archive(minor: 16, tables: rows).bytes
        let cut = bytes.end(of: "2\ttwo\n") - 2
        let message = try #require(report(bytes, upTo: cut).inPipe.refusal?.message)
        #expect(message.hasPrefix("pg_custom stream ended after "))
        #expect(
            message.hasSuffix(
                " inside table shop.public.customers; the data of 2 more entries is missing:"
                    + " nothing saved"))
    }
}
