import CIsal
import WireFormat

/// Takes SHA-256 of bytes in passing. Made by the caller, so that this room links no library.
package protocol PassingHash: AnyObject {
    func update(_ bytes: UnsafeRawBufferPointer)
    /// The 32 bytes; it is used up.
    func finish() -> [UInt8]
}

/// Makes one; nil where nobody can.
package typealias PassingHashFactory = @Sendable () -> (any PassingHash)?

/// What a member of a base backup was when it passed.
struct PassedFile: Equatable {
    let byteCount: UInt64
    /// CRC-32C.
    let checksum: UInt32
}

/// Holds the files of a base backup of PostgreSQL against its `backup_manifest`, which comes behind them
/// in the same stream: every file that it lists must have passed, as long as it says and with the
/// checksum that it says. (PostgreSQL's documentation, "Backup Manifest Format".)
///
/// Reads it line by line, as PostgreSQL writes it; what is not understood is not checked, and counted.
struct BackupManifest {
    private var line: [UInt8] = []
    private var isOverlong = false
    /// Until the line that holds it: the checksum is of everything before.
    private var hash: (any PassingHash)?
    private var claimed: [UInt8]?
    private var isHashed: Bool

    private(set) var checked = 0
    /// Of another algorithm than CRC-32C, or not understood.
    private(set) var unchecked = 0
    /// Files that are listed and have not passed.
    private var missing: Set<[UInt8]> = []
    private var firstFault: String?
    /// The first thing that is not as it should be.
    var fault: String? {
        firstFault
            ?? missing.min { $0.lexicographicallyPrecedes($1) }.map {
                "\(String(decoding: $0, as: UTF8.self).prefix(200)), which backup_manifest lists,"
                    + " is not there"
            }
    }
    private(set) var systemIdentifier: String?

    private static let lineBytesMax = 64 << 10
    private static let missingMax = 100_000
    /// What pg_basebackup itself changes or adds behind the server's back (`-R`): as pg_verifybackup,
    /// we say nothing of it.
    private static let passedOver: Set<String> = [
        "postgresql.auto.conf", "standby.signal", "recovery.signal", "backup_manifest",
    ]

    init(hash: (any PassingHash)?) {
        self.hash = hash
        isHashed = hash != nil
    }

    /// Takes the next bytes of the manifest.
    /// - Parameter files: those that passed.
    mutating func read(_ bytes: UnsafeRawBufferPointer, _ files: [[UInt8]: PassedFile]) {
        var rest = bytes
        while let end = rest.firstIndex(of: Ascii.newline) {
            take(rest.part(0, end + 1), files)
            endLine(files)
            rest = rest.part(from: end + 1)
        }
        take(rest, files)
    }

    private mutating func take(_ part: UnsafeRawBufferPointer, _ files: [[UInt8]: PassedFile]) {
        if line.count + part.count > Self.lineBytesMax {
            isOverlong = true
            isHashed = false
        } else {
            line.append(contentsOf: part)
        }
    }

    private mutating func endLine(_ files: [[UInt8]: PassedFile]) {
        defer {
            line.removeAll(keepingCapacity: true)
            isOverlong = false
        }
        if isOverlong {
            unchecked += 1
            return
        }
        let text = FlatJSON(line)
        if let checksum = text["Manifest-Checksum"] {
            claimed = Array(checksum.utf8)
            return
        }
        line.withUnsafeBytes { hash?.update($0) }
        if let identifier = text["System-Identifier"] { systemIdentifier = identifier }
        guard let path = text.path else { return }
        check(path, text, files[path])
    }

    private mutating func check(_ path: [UInt8], _ text: FlatJSON, _ passed: PassedFile?) {
        let name = String(decoding: path, as: UTF8.self).prefix(200)
        guard !Self.passedOver.contains(String(name)), !name.hasPrefix("pg_wal/") else { return }
        guard let passed else {
            if missing.count < Self.missingMax { missing.insert(path) }
            return
        }
        guard let size = text["Size"].flatMap({ UInt64($0) }) else {
            unchecked += 1
            return
        }
        guard size == passed.byteCount else {
            return fail("\(name) has \(passed.byteCount) bytes, and \(size) in backup_manifest")
        }
        guard text["Checksum-Algorithm"] == "CRC32C",
            let checksum = text["Checksum"].flatMap({ UInt32($0, radix: 16) })
        else {
            unchecked += 1
            return
        }
        // The bytes stand as they lie in memory there: the least first.
        guard checksum.byteSwapped == passed.checksum else {
            return fail("\(name) has another checksum than backup_manifest says")
        }
        checked += 1
    }

    private mutating func fail(_ text: String) { firstFault = firstFault ?? text }

    /// A member that comes behind the manifest: in an archive that another program made of a data
    /// directory it may stand anywhere.
    mutating func came(_ path: [UInt8]) {
        if missing.remove(path) != nil { unchecked += 1 }
    }

    /// The manifest ended.
    mutating func end(_ files: [[UInt8]: PassedFile]) {
        if !line.isEmpty { endLine(files) }
        guard let hash, isHashed else { return }
        let found = hexadecimal(hash.finish())
        guard let claimed else { return fail("backup_manifest has no checksum of its own") }
        if String(decoding: claimed, as: UTF8.self).lowercased() != found {
            fail("backup_manifest is not what its own checksum says")
        }
    }
}

extension FlatJSON {
    /// Of a file; a name that is no UTF-8 is written in hexadecimal digits.
    var path: [UInt8]? {
        if let path = self["Path"] { return Array(path.utf8) }
        guard let digits = self["Encoded-Path"].map({ Array($0.utf8) }),
            digits.count.isMultiple(of: 2)
        else { return nil }
        var path: [UInt8] = []
        for start in stride(from: 0, to: digits.count, by: 2) {
            let pair = String(decoding: digits[start..<(start + 2)], as: UTF8.self)
            guard let byte = UInt8(pair, radix: 16) else { return nil }
            path.append(byte)
        }
        return path
    }
}

/// CRC-32C of bytes that arrive in parts.
struct PassingChecksum {
    private var state: UInt32 = 0xFFFF_FFFF
    private static let partBytesMax = 1 << 30

    mutating func update(_ bytes: UnsafeRawBufferPointer) {
        var rest = bytes
        while !rest.isEmpty {
            let part = rest.part(0, Self.partBytesMax)
            state = repo_crc32c_more(state, part.baseAddress, part.count)
            rest = rest.part(from: part.count)
        }
    }

    var value: UInt32 { ~state }
}
