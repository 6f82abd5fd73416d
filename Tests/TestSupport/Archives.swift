/// Archives as producers write them, for tests that choose what is in them.
package enum TestArchive {
    /// A file or a part of one.
    package struct Part: Sendable {
        package let path: String
        package let offset: Int
        package let bytes: [UInt8]

        package init(_ path: String, _ bytes: [UInt8], at offset: Int = 0) {
            self.path = path
            self.offset = offset
            self.bytes = bytes
        }
    }

    /// A tar archive of plain files (ustar), each whole.
    package static func tar(_ files: [Part]) -> [UInt8] {
        var archive: [UInt8] = []
        for file in files {
            var header = [UInt8](repeating: 0, count: 512)
            func put(_ text: String, at start: Int) {
                header.replaceSubrange(start..<(start + text.utf8.count), with: text.utf8)
            }
            func octal(_ value: Int, digits: Int) -> String {
                let text = String(value, radix: 8)
                return String(repeating: "0", count: digits - text.count) + text
            }
            put(file.path, at: 0)
            put("0000640", at: 100)
            put("0001750", at: 108)
            put("0001750", at: 116)
            put(octal(file.bytes.count, digits: 11), at: 124)
            put(octal(1_770_000_000, digits: 11), at: 136)
            put("        ", at: 148)
            put("0", at: 156)
            put("ustar", at: 257)
            put("00", at: 263)
            put(octal(header.reduce(0) { $0 + Int($1) }, digits: 6), at: 148)
            header[154] = 0
            archive += header + file.bytes
            archive += [UInt8](repeating: 0, count: (512 - file.bytes.count % 512) % 512)
        }
        return archive + [UInt8](repeating: 0, count: 1024)
    }

    /// An xbstream of parts in the order given, then the end of every file, then the members without
    /// which none is complete. Checksums are left out: nobody here looks at them.
    /// - Parameter checkpoints: what the backup says of its place in a chain.
    package static func xbstream(
        _ parts: [Part], checkpoints: String = "backup_type = full-backuped\n"
    ) -> [UInt8] {
        let last = [
            Part("xtrabackup_checkpoints", Array(checkpoints.utf8)),
            Part("xtrabackup_info", Array("tool_name = mariabackup\n".utf8)),
        ]
        var archive: [UInt8] = []
        func chunk(_ type: Character, _ path: String) {
            archive += Array("XBSTCK01".utf8) + [0, type.asciiValue!]
            number(path.utf8.count, bytes: 4)
            archive += Array(path.utf8)
        }
        func number(_ value: Int, bytes: Int) {
            for byte in 0..<bytes { archive.append(UInt8(value >> (8 * byte) & 255)) }
        }
        for part in parts + last where !part.bytes.isEmpty {
            chunk("P", part.path)
            number(part.bytes.count, bytes: 8)
            number(part.offset, bytes: 8)
            number(0, bytes: 4)
            archive += part.bytes
        }
        for path in Set((parts + last).map(\.path)).sorted() { chunk("E", path) }
        return archive
    }

    /// A small backup of mariabackup that reaches from one log number to another, an increment where the first
    /// is not 0.
    package static func backup(_ from: UInt64, _ to: UInt64, _ type: String? = nil) -> [UInt8] {
        let type = type ?? (from == 0 ? "full-backuped" : "incremental")
        return xbstream(
            [.init("shop/t.ibd.delta", Array("pages from \(from) to \(to)".utf8))],
            checkpoints:
                "backup_type = \(type)\nfrom_lsn = \(from)\nto_lsn = \(to)\nlast_lsn = \(to)\n")
    }
}
