import CIsal
import DumpFormats
import TestSupport
import Testing

/// A base backup as pg_basebackup streams it, with its manifest at the end.
private struct BaseBackup {
    var files: [(path: String, bytes: [UInt8])]
    var lines: [String] = []
    var sum: String?

    init(_ random: inout SeededRandom) {
        files = [("backup_label", Array("START WAL LOCATION: 0/3000028 (file 1)\n".utf8))]
        for (number, size) in [0, 1, 8192, 50_000, 300_001].enumerated() {
            files.append(("base/5/\(number + 1)_fsm", random.bytes(size)))
        }
        files.append(("global/pg_control", random.bytes(8192)))
        lines = files.map { path, bytes in
            let checksum = bytes.withUnsafeBytes { repo_crc32c($0.baseAddress, bytes.count) }
            let digits = String(checksum.byteSwapped, radix: 16)
            let padded = String(repeating: "0", count: 8 - digits.count) + digits
            return "{ \"Path\": \"\(path)\", \"Size\": \(bytes.count), "
                + "\"Last-Modified\": \"2026-11-28 04:31:09 GMT\", "
                + "\"Checksum-Algorithm\": \"CRC32C\", \"Checksum\": \"\(padded)\" },"
        }
    }

    var manifest: [UInt8] {
        let body =
            "{ \"PostgreSQL-Backup-Manifest-Version\": 2,\n\"System-Identifier\": 771307515582,\n"
            + "\"Files\": [\n" + lines.joined(separator: "\n") + "\n],\n\"WAL-Ranges\": [\n],\n"
        let hash = FoldingHash()
        Array(body.utf8).withUnsafeBytes { hash.update($0) }
        let digits = hash.finish().map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
        return Array((body + "\"Manifest-Checksum\": \"\(sum ?? digits)\"}\n").utf8)
    }

    var tar: [UInt8] { tar(behind: 0) }

    /// - Parameter behind: how many files come behind the manifest.
    func tar(behind: Int) -> [UInt8] {
        var parts = files.map { TestArchive.Part($0.path, $0.bytes) }
        parts.insert(TestArchive.Part("backup_manifest", manifest), at: parts.count - behind)
        return TestArchive.tar(parts)
    }
}

/// Stands for SHA-256: what it is made of is no business of this room.
private final class FoldingHash: PassingHash {
    private var state = [UInt8](repeating: 1, count: 32)
    private var count = 0

    func update(_ bytes: UnsafeRawBufferPointer) {
        for byte in bytes {
            state[count % 32] = state[count % 32] &* 31 &+ byte
            count += 1
        }
    }

    func finish() -> [UInt8] { state }
}

private func report(_ bytes: [UInt8], _ random: inout SeededRandom) -> StreamReport {
    var reader = DumpReader(
        expecting: nil, decompressors: { _ in nil }, hash: { FoldingHash() })
    var rest = bytes[...]
    while !rest.isEmpty {
        let part = Array(rest.prefix(random.number(1...40_000)))
        part.withUnsafeBytes { reader.read($0) }
        rest = rest.dropFirst(part.count)
    }
    return reader.finish()
}

private func refusal(_ report: StreamReport) -> String? {
    judge(report, exit: .status(0), acceptedStatuses: []).refusal?.message
}

@Test func `a base backup that is what its manifest says is accepted, and counted`() throws {
    var random = SeededRandom(seed: announcedSeed())
    let backup = BaseBackup(&random)
    let found = report(backup.tar, &random)
    #expect(refusal(found) == nil)
    #expect(found.facts.contains(Fact(name: "files checked", value: "7")))
    #expect(found.facts.contains(Fact(name: "system identifier", value: "771307515582")))
}

@Test func `one byte that changed on the way is found, and its file named`() throws {
    var random = SeededRandom(seed: announcedSeed())
    let backup = BaseBackup(&random)
    for number in [3, 4, 5, 6] {
        var changed = backup
        let at = random.number(0...(changed.files[number].bytes.count - 1))
        changed.files[number].bytes[at] ^= UInt8(1 << random.number(0...7))
        let message = refusal(report(changed.tar, &random)) ?? ""
        #expect(message.contains("\(changed.files[number].path) has another checksum"))
    }
}

@Test func `files that are missing, longer, or listed otherwise are found`() throws {
    var random = SeededRandom(seed: announcedSeed())
    let backup = BaseBackup(&random)
    var missing = backup
    missing.files.remove(at: 3)
    #expect(
        refusal(report(missing.tar, &random))?.contains(
            "base/5/3_fsm, which backup_manifest lists, is not there") == true)
    var longer = backup
    longer.files[4].bytes.append(0)
    #expect(refusal(report(longer.tar, &random))?.contains("has 50001 bytes, and 50000") == true)
    var line = backup
    line.lines[2] = line.lines[2].replacing("8192", with: "8192 ")
    line.sum = String(repeating: "0", count: 64)
    #expect(
        refusal(report(line.tar, &random))?.contains(
            "backup_manifest is not what its own checksum says") == true)
}

@Test func `what pg_basebackup changes itself is passed over, and files behind the manifest are no fault`()
    throws
{
    var random = SeededRandom(seed: announcedSeed())
    var backup = BaseBackup(&random)
    backup.lines.insert(
        backup.lines[1].replacing("base/5/1_fsm", with: "postgresql.auto.conf"), at: 1)
    backup.files.append(("standby.signal", []))
    #expect(refusal(report(backup.tar, &random)) == nil)
    let early = report(backup.tar(behind: 4), &random)
    #expect(refusal(early) == nil)
    #expect(early.facts.contains(Fact(name: "files checked", value: "4")))
    #expect(early.facts.contains(Fact(name: "files not checked", value: "3")))
}

@Test func `what is not understood is not checked, and counted`() throws {
    var random = SeededRandom(seed: announcedSeed())
    var backup = BaseBackup(&random)
    backup.lines[3] = backup.lines[3].replacing("CRC32C", with: "SHA512")
    // A name in hexadecimal digits is understood.
    let name = Array(backup.files[4].path.utf8).map { String($0, radix: 16) }.joined()
    backup.lines[4] = backup.lines[4].replacing(
        "\"Path\": \"\(backup.files[4].path)\"", with: "\"Encoded-Path\": \"\(name)\"")
    let found = report(backup.tar, &random)
    #expect(refusal(found) == nil)
    #expect(found.facts.contains(Fact(name: "files checked", value: "6")))
    #expect(found.facts.contains(Fact(name: "files not checked", value: "1")))
}

@Test func `a manifest of any bytes crashes nothing`() throws {
    var random = SeededRandom(seed: announcedSeed())
    let backup = BaseBackup(&random)
    let tar = backup.tar
    let start = tar.count - 4096
    for _ in 0..<2000 {
        var bytes = tar
        for _ in 0..<random.number(1...20) {
            bytes[random.number(start...(tar.count - 1))] = UInt8(random.number(0...255))
        }
        _ = report(bytes, &random)
    }
}
