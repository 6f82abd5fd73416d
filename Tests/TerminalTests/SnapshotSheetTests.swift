import Glibc
import Snapshots
import Testing
import WireFormat

@testable import Terminal

private func id(_ byte: UInt8) -> ObjectID { ObjectID([UInt8](repeating: byte, count: 16)) }

private func head(_ change: (inout Head) -> Void = { _ in }) -> Head {
    var head = Head(
        series: "shop", kind: .full, time: 1_795_234_589_000, started: 1_795_234_589_000,
        ended: 1_795_234_590_300,
        completeness: .complete, evidence: .trailer, writer: id(9), sequence: 1)
    head.bytesRead = 700_100_000
    head.bytesNew = 3_000_000
    head.bytesStored = 2_800_000
    head.parent = id(0x91)
    head.format = "mysqldump"
    head.tool = "mariadb-dump 10.11.19-MariaDB"
    head.position = .init(file: "mariadb-bin.000003", offset: 389, gtid: "0-1-5")
    head.host = "db1"
    change(&head)
    return head
}

private func manifest(_ head: Head) -> Manifest {
    Manifest(head: head, streams: [])
}

private func summary(_ head: Head, _ way: EndPhrase.Way, exitStatus: Int64? = nil) -> AddSummary {
    var manifest = manifest(head)
    if let exitStatus { manifest.producer = .init(program: "mariadb-dump", exitStatus: exitStatus) }
    return AddSummary(
        snapshot: Snapshot(domain: .shared, id: id(0x3f), head: head), manifest: manifest, way: way,
        chunks: 20,
        chunksNew: 2, deltas: (0, 0, 0), files: nil, seconds: 1.3, reservations: [])
}

@Suite(.serialized) struct InUTC {
    init() {
        setenv("TZ", "UTC", 1)
        tzset()
    }

    @Test func `add ends with three lines`() {
        #expect(
            summary(head(), .pipe).lines == [
                "saved 3f3f3f3f  shop  full  2026-11-21 04:16",
                "mariadb-dump 10.11.19, end seen, exit status unknown (pipe); mariadb-bin.000003:389",
                "700.1 MB read, 2.8 MB stored (0.4 %), 1.3 s; parent 91919191",
            ])
    }

    @Test func `a list shows end, size and what was stored`() {
        let shrunk = Snapshot(
            domain: .shared, id: id(0x3f), head: head { $0.flags.insert(.shrunk) })
        let cut = Snapshot(
            domain: .shared, id: id(0x40),
            head: head {
                $0.completeness = .incomplete
                $0.tags = ["a"]
            })
        #expect(
            ListCommand.table([shrunk, cut]).lines == [
                "id        time              series  kind  end          size   stored  tags",
                "3f3f3f3f  2026-11-21 04:16  shop    full  shrunk  667.7 MiB  2.7 MiB",
                "40404040  2026-11-21 04:16  shop    full  cut     667.7 MiB  2.7 MiB  a",
            ])
    }

    @Test func `groups have a column where there are any`() {
        let grouped = head { $0.group = "nightly" }
        let snapshots = [head(), grouped].map {
            Snapshot(domain: .shared, id: id(0x3f), head: $0)
        }
        #expect(
            ListCommand.table(snapshots).lines == [
                "id        time              series  kind  end        size   stored  group",
                "3f3f3f3f  2026-11-21 04:16  shop    full  seen  667.7 MiB  2.7 MiB",
                "3f3f3f3f  2026-11-21 04:16  shop    full  seen  667.7 MiB  2.7 MiB  nightly",
            ])
        #expect(summary(grouped, .pipe).lines[0].hasSuffix("2026-11-21 04:16  group nightly"))
        #expect(snapshots[1].json().line.contains(#""group":"nightly""#))
        #expect(snapshots[0].json().line.contains(#""group":null"#))
        let sheet = SnapshotSheet(
            snapshot: snapshots[1], manifest: manifest(grouped),
            together: [Snapshot(domain: .shared, id: id(0x40), head: head())])
        #expect(sheet.lines.contains { $0.hasPrefix("group") && $0.hasSuffix("  nightly") })
        #expect(sheet.lines.contains("together with  40404040  shop  2026-11-21 04:16"))
        #expect(sheet.json.line.contains(#""together_with":[{"snapshot":"40404040"#))
    }
}

@Test func `how sure it is that a stream is whole`() {
    func phrase(
        _ completeness: Head.Completeness, _ evidence: Head.Evidence, _ way: EndPhrase.Way,
        exitStatus: Int64? = nil
    ) -> String {
        summary(
            head {
                $0.completeness = completeness
                $0.evidence = evidence
            }, way, exitStatus: exitStatus
        ).lines[1]
            .split(separator: ", ", maxSplits: 1)[1].split(separator: ";").first.map { String($0) }
            ?? ""
    }
    #expect(phrase(.complete, .trailer, .pipe) == "end seen, exit status unknown (pipe)")
    #expect(phrase(.complete, .trailer, .file) == "end seen")
    #expect(phrase(.complete, .both, .command, exitStatus: 0) == "end seen, exit status 0")
    #expect(
        phrase(.complete, .both, .command, exitStatus: 2) == "end seen, exit status 2 (accepted)")
    #expect(
        phrase(.complete, .exitStatus, .command, exitStatus: 0)
            == "without an end mark, exit status 0")
    #expect(phrase(.unknown, .none, .pipe) == "without an end mark, exit status unknown (pipe)")
    #expect(phrase(.incomplete, .none, .pipe) == "cut off, and saved all the same")
}

@Test func `the summary for scripts has the fields they rely on`() {
    let line = summary(
        head {
            $0.completeness = .unknown
            $0.parent = nil
        }, .pipe
    ).json.line
    for field in [
        #""type":"summary""#, #""snapshot":"3f3f3f3f3f3f3f3f3f3f3f3f3f3f3f3f""#,
        #""series":"shop""#, #""kind":"full""#,
        #""parent":null"#, #""format":"mysqldump""#, #""complete":null"#,
        #""bytes_read":700100000"#,
        #""bytes_new":3000000"#, #""bytes_stored":2800000"#, #""chunks":20"#, #""chunks_new":2"#,
        #""frames_delta":0"#,
        #""seconds":1.3"#, #""position":{"file":"mariadb-bin.000003","offset":389,"gtid":"0-1-5"}"#,
    ] {
        #expect(line.contains(field), "\(field)")
    }
}

@Test func `a snapshot as JSON has the fields that scripts rely on`() {
    let line = Snapshot(domain: .shared, id: id(0x3f), head: head()).json().line
    for field in [
        #""type":"snapshot""#, #""time":"2026-11-21T04:16:29Z""#, #""host":"db1""#,
        #""complete":true"#,
        #""evidence":"trailer""#, #""bytes":700100000"#, #""bytes_stored":2800000"#, #""tags":[]"#,
        #""held":[]"#,
    ] {
        #expect(line.contains(field), "\(field)")
    }
}

@Test func `show prints the command that goes on from the position`() {
    let sheet = SnapshotSheet(
        snapshot: Snapshot(domain: .shared, id: id(0x3f), head: head()), manifest: manifest(head()))
    #expect(
        sheet.lines.contains {
            $0.hasSuffix("  mysqlbinlog --start-position=389 mariadb-bin.000003")
        })
    #expect(sheet.json.line.contains(#""evidence":"trailer""#))
    #expect(!sheet.lines.contains { $0.hasPrefix("base") }, "what is not known is left out")
}

@Test func `what a dump says of itself cannot steer the terminal`() {
    var manifest = manifest(head { $0.host = "a\u{1b}]0;x\u{7}" })
    manifest.facts = .init(notes: ["one\u{1b}[2J"])
    manifest.producer = .init(program: "p", standardError: bytes("first\u{1b}[1m\nsecond"))
    let sheet = SnapshotSheet(
        snapshot: Snapshot(domain: .shared, id: id(0x3f), head: manifest.head), manifest: manifest)
    #expect(sheet.lines.allSatisfy { line in !line.unicodeScalars.contains { $0.value < 0x20 } })
    #expect(sheet.lines.contains { $0.hasSuffix("  second") })
}

@Test func `a table of a dump has a line for each of its ranges`() {
    let table = ShowCommand.table([
        TableEntry(space: "shop", name: "orders", ranges: [10..<20, 30..<40]),
        TableEntry(space: "", name: "t", ranges: []),
    ])
    #expect(
        table.lines == [
            "table        offset  bytes", "shop.orders      10     10",
            "shop.orders      30     10", "t",
        ])
}
