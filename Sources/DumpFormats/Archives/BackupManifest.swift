import CIsal

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
    /// The first thing that is not as it should be.
    private(set) var fault: String?
    private(set) var systemIdentifier: String?

    private static let lineBytesMax = 64 << 10

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
        let text = JSONLine(line)
        if let checksum = text["Manifest-Checksum"] {
            claimed = Array(checksum.utf8)
            return
        }
        line.withUnsafeBytes { hash?.update($0) }
        if let identifier = text["System-Identifier"] { systemIdentifier = identifier }
        guard let path = text.path else { return }
        check(path, text, files[path])
    }

    private mutating func check(_ path: [UInt8], _ text: JSONLine, _ passed: PassedFile?) {
        let name = String(decoding: path, as: UTF8.self).prefix(200)
        guard let passed else { return fail("\(name), which backup_manifest lists, is not there") }
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

    private mutating func fail(_ text: String) { fault = fault ?? text }

    /// The manifest ended.
    mutating func end(_ files: [[UInt8]: PassedFile]) {
        if !line.isEmpty { endLine(files) }
        guard let hash, isHashed else { return }
        let found = hash.finish().map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
        guard let claimed else { return fail("backup_manifest has no checksum of its own") }
        if String(decoding: claimed, as: UTF8.self).lowercased() != found {
            fail("backup_manifest is not what its own checksum says")
        }
    }
}

/// The names and values on one line of a manifest: texts and numbers, nothing nested.
private struct JSONLine {
    private var values: [String: String] = [:]

    subscript(name: String) -> String? { values[name] }

    init(_ bytes: [UInt8]) {
        var at = 0
        var name: String?
        while at < bytes.count {
            if bytes[at] == UInt8(ascii: "\"") {
                let word = Self.text(bytes, &at)
                if let known = name {
                    values[known] = word
                    name = nil
                } else if Self.isName(bytes, at) {
                    name = word
                }
            } else if let known = name, Self.isNumber(bytes[at]) {
                let start = at
                while at < bytes.count, Self.isNumber(bytes[at]) { at += 1 }
                values[known] = String(decoding: bytes[start..<at], as: UTF8.self)
                name = nil
            } else {
                at += 1
            }
        }
    }

    private static func isNumber(_ byte: UInt8) -> Bool {
        (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) || byte == UInt8(ascii: "-")
    }

    private static func isName(_ bytes: [UInt8], _ at: Int) -> Bool {
        bytes[at...].first { $0 != UInt8(ascii: " ") } == UInt8(ascii: ":")
    }

    /// The text in quotes that begins here.
    private static func text(_ bytes: [UInt8], _ at: inout Int) -> String {
        var word: [UInt8] = []
        at += 1
        while at < bytes.count, bytes[at] != UInt8(ascii: "\"") {
            if bytes[at] == UInt8(ascii: "\\"), at + 1 < bytes.count {
                at += 1
                switch bytes[at] {
                case UInt8(ascii: "n"): word.append(10)
                case UInt8(ascii: "t"): word.append(9)
                case UInt8(ascii: "u"):
                    let digits = bytes[min(at + 1, bytes.count)..<min(at + 5, bytes.count)]
                    let number = UInt32(String(decoding: digits, as: UTF8.self), radix: 16)
                    let scalar = number.flatMap { Unicode.Scalar($0) } ?? "\u{FFFD}"
                    word += Array(String(Character(scalar)).utf8)
                    at = min(at + 4, bytes.count - 1)
                default: word.append(bytes[at])
                }
            } else {
                word.append(bytes[at])
            }
            at += 1
        }
        at = min(at + 1, bytes.count)
        return String(decoding: word, as: UTF8.self)
    }

    /// Of a file; a name that is no UTF-8 is written in hexadecimal digits.
    var path: [UInt8]? {
        if let path = values["Path"] { return Array(path.utf8) }
        guard let digits = values["Encoded-Path"].map({ Array($0.utf8) }),
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
