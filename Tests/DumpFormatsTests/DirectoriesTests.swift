import DumpFormats
import Testing

private func directory(_ files: [String: String]) -> DumpDirectory? {
    DumpDirectory(
        names: Set(files.keys.map { String($0.prefix { $0 != "/" }) }),
        contents: { files[$0].map { Array($0.utf8) } })
}

private func refusal(_ files: [String: String]) -> String? { directory(files)?.refusal?.message }

private let mydumper = """
    Started dump at: 2026-11-28 04:31:09
    SHOW MASTER STATUS:
    \tLog: mariadb-bin.000003
    \tPos: 389
    \tGTID:0-1-6

    Finished dump at: 2026-11-28 04:31:10

    """

@Test func `mydumper's directory is finished when its metadata says so`() {
    let whole = directory(["metadata": mydumper, "shop.orders.sql": ""])
    #expect(whole?.refusal == nil)
    #expect(whole?.report.tool == "mydumper")
    #expect(whole?.report.position == BinlogPosition(file: "mariadb-bin.000003", offset: 389))
    #expect(whole?.report.gtid == "0-1-6")
    let cut = mydumper.replacing("Finished dump at", with: "")
    #expect(refusal(["metadata": cut])?.contains("no line 'Finished dump at'") == true)
    #expect(refusal(["metadata.partial": cut])?.contains("metadata.partial") == true)
    #expect(refusal(["metadata": mydumper, "metadata.partial": cut]) != nil)
}

@Test func `newer metadata of mydumper is understood, too`() {
    let text = """
        # Started dump at: 2026-11-28 04:31:09
        [config]
        quote-character = BACKTICK
        [source]
        # executed_gtid_set = "9f1c:1-77"
        # SOURCE_LOG_FILE = "binlog.000007"
        # SOURCE_LOG_POS = 1234
        [`shop`.`orders`]
        rows = 5
        # Finished dump at: 2026-11-28 04:31:10
        """
    let whole = directory(["metadata": text])
    #expect(whole?.refusal == nil)
    #expect(whole?.report.position == BinlogPosition(file: "binlog.000007", offset: 1234))
    #expect(whole?.report.gtid == "9f1c:1-77")
    #expect(refusal(["metadata": text.replacing("# Finished", with: "# F")]) != nil)
}

@Test func `MySQL Shell's directory is finished when its last file is there`() {
    let json = """
        {"dumper": "mysqlsh Ver 8.4.0", "version": "2.0.1", "schemas": ["shop"],
         "serverVersion": "8.4.2", "binlogFile": "binlog.000002", "binlogPosition": 157,
         "gtidExecuted": "9f1c:1-9", "begin": "2026-11-28 04:31:09"}
        """
    let whole = directory(["@.json": json, "@.done.json": "{}", "shop@orders@@0.tsv.zst": ""])
    #expect(whole?.refusal == nil)
    #expect(whole?.report.position == BinlogPosition(file: "binlog.000002", offset: 157))
    #expect(whole?.report.serverVersion == "8.4.2" && whole?.report.gtid == "9f1c:1-9")
    #expect(refusal(["@.json": json, "shop@orders.sql": ""])?.contains("@.done.json") == true)
    #expect(directory(["@.json": json, "@.binlog.done.json": ""])?.refusal == nil)
    #expect(
        refusal(["@.json": json, "@.done.json": "", "shop@orders@0.tsv.zst.dumping": ""])?
            .contains("still being written") == true)
}

@Test func `pg_dump's directory is finished when its table of contents is there`() {
    #expect(directory(["toc.dat": "PGDMP\u{1}", "3301.dat.gz": ""])?.refusal == nil)
    #expect(directory(["toc.dat": "PGDMP\u{1}"])?.report.tool == "pg_dump")
    #expect(refusal(["3301.dat.gz": "", "3302.dat.gz": ""])?.contains("toc.dat") == true)
    #expect(directory(["toc.dat": "something else"]) == nil)
}

@Test func `a base backup in a directory is finished when its control file is there`() {
    let label = "START WAL LOCATION: 0/3000028 (file 000000010000000000000003)\n"
    let files = ["PG_VERSION": "15\n", "backup_label": label, "global/pg_control": "x"]
    #expect(directory(files)?.refusal == nil)
    #expect(directory(files)?.report.facts.first?.value.hasPrefix("0/3000028") == true)
    #expect(
        refusal(["PG_VERSION": "15", "backup_label": label, "global/1": ""])?
            .contains("pg_control") == true)
}

@Test func `a directory of mariabackup tells what a stream of it tells`() {
    let checkpoints = "backup_type = incremental\nfrom_lsn = 100\nto_lsn = 200\nlast_lsn = 210\n"
    let info =
        "tool_name = mariabackup\ntool_version = 10.11.19\n"
        + "binlog_pos = filename 'mariadb-bin.000003', position '389', GTID of the last change '0-1-6'\n"
    let whole = directory(["xtrabackup_checkpoints": checkpoints, "xtrabackup_info": info])
    #expect(whole?.refusal == nil)
    #expect(whole?.report.facts.contains(Fact(name: "to_lsn", value: "200")) == true)
    #expect(whole?.report.position == BinlogPosition(file: "mariadb-bin.000003", offset: 389))
    #expect(whole?.report.toolVersion == "10.11.19")
    let newer = directory([
        "mariadb_backup_checkpoints": checkpoints, "mariadb_backup_info": info,
    ])
    #expect(newer?.refusal == nil && newer?.report.tool == "mariabackup")
    #expect(refusal(["xtrabackup_checkpoints": checkpoints])?.contains("xtrabackup_info") == true)
    let packed = ["xtrabackup_checkpoints": checkpoints, "xtrabackup_info.qp": "qpress10"]
    #expect(directory(packed) != nil && refusal(packed) == nil)
    #expect(
        refusal(["xtrabackup_checkpoints": "backup_type = incremental\n", "xtrabackup_info": info])?
            .contains("how far it reaches") == true)
}

@Test func `rows without their definition are no finished dump`() {
    #expect(directory(["a.sql": "", "a.txt": "", "b.sql": ""])?.refusal == nil)
    #expect(refusal(["a.sql": "", "a.txt": "", "b.txt": ""])?.contains("b.txt") == true)
}

@Test func `of other directories nothing is said`() {
    #expect(directory([:]) == nil)
    #expect(directory(["notes.txt": "", "letter.txt": ""]) == nil)
    #expect(directory(["metadata": "color: red"]) == nil)
    #expect(directory(["a.sql": "", "b.sql": ""]) == nil)
    #expect(directory(["readme.txt": "", "schema.sql": ""]) == nil)
    #expect(directory(["1.dat": "", "program": ""]) == nil)
    #expect(directory(["PG_VERSION": "15"]) == nil)
}
