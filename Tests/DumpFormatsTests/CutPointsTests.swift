import DumpFormats
import Testing

/// A stream cut anywhere before the last byte of its end mark is refused; whole it is accepted.
@Suite("streams that were cut off are refused")
struct CutPointsTests {
    struct Subject: CustomTestStringConvertible, Sendable {
        let name: String
        /// The end mark; the whole stream where it is nil.
        var mark: String?
        /// So many bytes are too few to tell the format by.
        var tooShort = 1
        /// Other lengths at which the stream looks like a whole one of a kind that promises no end.
        var lookalikes: [Int] = []
        var testDescription: String { name }
    }

    /// The sandbox line alone is all that `--compact` writes of an empty database.
    private static let sandbox = [41, 42]

    static let subjects: [Subject] =
        [
            "my-single", "my-databases", "my-all-schemas", "my-skip-dump-date", "my-skip-opt",
            "my-complete-insert",
            "my-gtid", "my-dump-slave", "my-no-charset",
        ].map { Subject(name: $0, lookalikes: sandbox) }
        + ["my-skip-comments", "my-skip-comments-databases"].map {
            Subject(name: $0, mark: "SET SQL_NOTES=@OLD_SQL_NOTES */;\n", lookalikes: sandbox)
        }
        + [Subject(name: "my-sandbox-removed"), Subject(name: "my-xml", lookalikes: xmlLine)]
        + [
            "pg15-plain", "pg15-inserts", "pg15-create", "pg15-rows-per-insert", "pg15-verbose",
            "pg15-no-dollar", "pg15-schema-only", "pg18-plain", "pg18-statistics",
        ].map { Subject(name: $0, mark: restrictEnd) }
        + [Subject(name: "pg15-no-restrict", mark: "-- PostgreSQL database dump complete\n")]
        + ["pg15-dumpall", "pg15-globals", "pg18-dumpall"].map {
            Subject(name: $0, mark: "-- PostgreSQL database cluster dump complete\n")
        }
        + [
            "pg15-custom-z0", "pg15-custom-pipe", "pg15-custom-schema", "pg18-custom-z0",
            "pg18-custom-pipe", "pg18-custom-statistics",
        ].map { Subject(name: $0) }
        + [
            "tar-gnu", "tar-gnu-sparse", "tar-pax", "tar-pax-sparse", "tar-ustar", "tar-v7",
            "pg15-tar", "pg15-basebackup",
        ].map { Subject(name: $0, mark: tarEnd, tooShort: 107) }
        + [
            "xb-full", "xb-incremental", "xb-compressed", "sqlite-good", "my-gzip", "pg15-gzip",
            "sqlite-gzip", "tar-gzip", "my-zstd", "my-xz", "my-lz4", "my-bzip2",
        ].map { Subject(name: $0) }

    /// `<?xml version="1.0"?>` may begin anything.
    private static let xmlLine = Array(2...32)
    private static let restrictEnd = "unrestrict"
    private static let tarEnd = "zeros"

    /// The offset after the end mark.
    private func end(_ subject: Subject, _ bytes: [UInt8]) -> Int {
        switch subject.mark {
        case nil: return bytes.count
        case Self.restrictEnd?:
            let mark = bytes.end(of: "\n\\unrestrict ")
            return mark + 64
        case Self.tarEnd?:
            // the padding to a whole record is no part of the mark
            let zeros = bytes.reversed().prefix { $0 == 0 }.count
            return (bytes.count - zeros + 511) / 512 * 512 + 1_024
        case let mark?: return bytes.end(of: mark)
        }
    }

    @Test("500 cut points before the end of the end mark are refused", arguments: subjects)
    func cutPoints(_ subject: Subject) throws {
        let bytes = try Recorded(subject.name).bytes
        let end = end(subject, bytes)
        var random = Seeded(UInt64(bytes.count))
        var cuts = Set((1...16).map { end - $0 } + [2, 3, 4, 8, 20])
        while cuts.count < min(500, end - 1) {
            cuts.insert(Int.random(in: 1..<end, using: &random))
        }
        for cut in cuts.sorted()
        where cut > subject.tooShort && !subject.lookalikes.contains(cut) {
            let judgement = report(bytes, upTo: cut).inPipe
            #expect(judgement.refusal != nil, "\(subject.name) cut at \(cut) of \(end)")
            if judgement.refusal == nil { return }
        }
        #expect(report(bytes, upTo: end).inPipe.refusal == nil)
        #expect(report(bytes).inPipe.refusal == nil)
    }

    @Test("every cut of the last 2 KiB and of the first is refused")
    func edges() throws {
        for name in [
            "my-databases", "pg15-custom-z0", "pg18-custom-z0", "sqlite-good", "xb-incremental",
        ] {
            let bytes = try Recorded(name).bytes
            let skipped = name == "my-databases" ? Self.sandbox : []
            let cuts =
                Array(2...min(2_048, bytes.count - 1)) + Array(bytes.count - 2_048..<bytes.count)
            for cut in cuts where !skipped.contains(cut) {
                #expect(report(bytes, upTo: cut).inPipe.refusal != nil, "\(name) cut at \(cut)")
            }
        }
    }

    @Test("a dump made with --compact is refused where it ends within a statement")
    func compact() throws {
        let bytes = try Recorded("my-compact").bytes
        let rows = bytes.end(of: "INSERT INTO `orders` VALUES\n")
        #expect(report(bytes, upTo: rows).inPipe.refusal != nil)
        #expect(report(bytes, upTo: rows + 30).inPipe.refusal != nil)
        #expect(report(bytes, upTo: bytes.end(of: "DELIMITER ;;\n")).inPipe.refusal != nil)
    }
}
