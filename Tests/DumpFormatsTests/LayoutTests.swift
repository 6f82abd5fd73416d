import DumpFormats
import TestSupport
import Testing

@Suite("an archive tells where its members stand")
struct LayoutTests {
    /// The report, and the parts that were told while the stream was read in pieces of some size.
    private func read(
        _ bytes: [UInt8], as format: StreamFormat, part: Int
    ) -> (report: StreamReport, parts: [ArchivePart]) {
        var reader = DumpReader(expecting: format, decompressors: opensNothing)
        var parts: [ArchivePart] = []
        bytes.withUnsafeBytes { all in
            for start in stride(from: 0, to: all.count, by: part) {
                let end = min(start + part, all.count)
                reader.read(UnsafeRawBufferPointer(rebasing: all[start..<end]))
                let told = reader.takeParts()
                // Those of the head come when the head is there.
                let last = parts.last?.stream.upperBound ?? 0
                #expect(told.allSatisfy { $0.stream.lowerBound >= min(last, start) })
                parts += told
                if end >= 65_536 {
                    #expect(told.allSatisfy { $0.stream.lowerBound <= end || end == all.count })
                }
            }
        }
        return (reader.finish(), parts)
    }

    private func content(_ member: ArchiveMember, of bytes: [UInt8]) -> [UInt8] {
        var content: [UInt8] = []
        for piece in member.pieces {
            content += [UInt8](repeating: 0, count: piece.offset - content.count)
            content += bytes[piece.stream]
        }
        return content + [UInt8](repeating: 0, count: member.byteCount - content.count)
    }

    @Test(
        "every byte of every member is where the layout says",
        arguments: [
            "xb-full", "xb-incremental", "tar-gnu", "tar-pax", "tar-ustar", "tar-v7",
            "pg15-basebackup", "pg15-tar",
        ])
    func places(_ name: String) throws {
        let bytes = try Recorded(name).bytes
        let format: StreamFormat = name.hasPrefix("xb") ? .xbstream : .tar
        let (report, parts) = read(bytes, as: format, part: 100_000)
        #expect(report.end == .seen && !report.members.isEmpty)
        for part in [4096, 65_521, 1 << 22] {
            let again = read(bytes, as: format, part: part)
            #expect(again.report.members == report.members && again.parts == parts, "\(part)")
        }
        // What the parts say and what the members say is the same.
        for part in parts {
            let member = try #require(report.members.first { $0.path == part.path })
            let piece = try #require(
                member.pieces.first {
                    $0.stream.lowerBound <= part.stream.lowerBound
                        && part.stream.upperBound <= $0.stream.upperBound
                })
            #expect(part.stream.lowerBound - piece.stream.lowerBound == part.offset - piece.offset)
        }
        for (path, expected) in try files(bytes, format) {
            let member = report.members.first { $0.path == Array(path.utf8) }
            #expect(try content(#require(member, "\(path)"), of: bytes) == expected, "\(path)")
        }
    }

    /// What the readers of archives give, path by path.
    private func files(_ bytes: [UInt8], _ format: StreamFormat) throws -> [String: [UInt8]] {
        var files: [String: [UInt8]] = [:]
        var path = ""
        bytes.withUnsafeBytes { all in
            if format == .xbstream {
                var reader = XbstreamReader()
                reader.read(all) { event in
                    switch event {
                    case .chunk(let chunk):
                        path = chunk.path
                        files[path] = files[path] ?? []
                    case .payload(let bytes): files[path, default: []] += bytes
                    default: break
                    }
                }
            } else {
                var reader = TarReader()
                reader.read(all) { event in
                    switch event {
                    case .member(let member):
                        path = ""
                        guard [0, UInt8(ascii: "0")].contains(member.type), !member.isSparse else {
                            return
                        }
                        path = member.path
                        files[path] = []
                    case .payload(let bytes): if !path.isEmpty { files[path]? += bytes }
                    default: break
                    }
                }
            }
        }
        return files
    }

    @Test("pages are known by their names, and members come with what the archive keeps of them")
    func attributes() throws {
        let backup = try Recorded("xb-full").bytes
        let pages = Set(
            read(backup, as: .xbstream, part: 1 << 20).parts.filter(\.isPages).map(\.path))
        #expect(pages.contains(Array("ibdata1".utf8)))
        #expect(!pages.contains(Array("xtrabackup_info".utf8)))
        let base = try Recorded("pg15-basebackup").bytes
        let (report, parts) = read(base, as: .tar, part: 1 << 20)
        #expect(!parts.isEmpty && parts.allSatisfy { !$0.isPages })
        let relations = [
            "base/5/1259", "base/5/1259_vm.1", "global/1262", "pg_tblspc/1/PG_15_2/5/9",
        ]
        let others = ["base/5/pg_filenode.map", "global/pg_control", "1/a", "pg_wal/0001", "1259"]
        // As long as what recognizes a stream wants to see.
        let first = TestArchive.Part("first", [UInt8](repeating: 1, count: 70_000))
        let made = TestArchive.tar([first] + (relations + others).map { .init($0, [1, 2, 3]) })
        let pageFiles = read(made, as: .tar, part: 100_000).parts.filter(\.isPages)
        #expect(pageFiles.map { String(decoding: $0.path, as: UTF8.self) } == relations)
        let control = try #require(
            report.members.first { $0.path == Array("global/pg_control".utf8) })
        #expect(control.kind == .file && control.mode == 0o600 && control.byteCount == 8192)
        #expect(report.members.contains { $0.kind == .directory && $0.byteCount == 0 })
        let tar = read(try Recorded("tar-pax").bytes, as: .tar, part: 1 << 20).report.members
        #expect(tar.contains { $0.kind == .symbolicLink && !$0.linkTarget.isEmpty })
        let hard = try #require(tar.first { $0.hardLink != nil })
        #expect(tar.contains { $0.path == hard.hardLink })
    }

    @Test("a path that leads out of its directory, and what is no plain file, is not listed")
    func unlisted() throws {
        var bytes = try Recorded("tar-ustar").bytes
        let name = Array("../f0".utf8) + [UInt8](repeating: 0, count: 95)
        // The second header, after that of the directory.
        let header = 512..<1024
        let checksum = 660..<668
        bytes.replaceSubrange(header.prefix(100), with: name)
        bytes.replaceSubrange(checksum, with: Array("        ".utf8))
        let sum = bytes[header].reduce(0) { $0 + Int($1) }
        let octal = String(sum, radix: 8)
        let digits = String(repeating: "0", count: 6 - octal.count) + octal
        bytes.replaceSubrange(checksum, with: Array(digits.utf8) + [0, 32])
        let report = read(bytes, as: .tar, part: 1 << 20).report
        #expect(report.end == .seen)
        #expect(report.notes.contains { $0.contains("../f0") }, "\(report.notes)")
        #expect(!report.members.contains { $0.path.starts(with: "..".utf8) })
        let sparse = read(try Recorded("tar-gnu-sparse").bytes, as: .tar, part: 1 << 20).report
        #expect(sparse.notes.contains { $0.contains("sparse") })
        #expect(!sparse.members.contains { $0.path == Array("files/sparse".utf8) })
    }
}

extension LayoutTests {
    /// A tar of files and of links, each link a header whose type and target are set.
    private func tar(_ members: [(path: String, link: String?)]) -> [UInt8] {
        var archive: [UInt8] = []
        for (path, link) in members {
            var one = TestArchive.tar([.init(path, link == nil ? Array(path.utf8) : [])])
            one.removeLast(1024)
            if let link {
                one[156] = UInt8(ascii: "1")
                one.replaceSubrange(157..<(157 + link.utf8.count), with: link.utf8)
                let sum = one[..<512].enumerated().reduce(0) {
                    $0 + ((148..<156).contains($1.offset) ? 32 : Int($1.element))
                }
                let digits = String(sum, radix: 8)
                let padded = String(repeating: "0", count: 6 - digits.count) + digits
                one.replaceSubrange(148..<154, with: Array(padded.utf8))
            }
            archive += one
        }
        return archive + [UInt8](repeating: 0, count: 1024)
    }

    private func listed(_ members: [(path: String, link: String?)]) -> [String: String] {
        let members = read(tar(members), as: .tar, part: 1 << 20).report.members
        return Dictionary(
            uniqueKeysWithValues: members.map {
                (
                    String(decoding: $0.path, as: UTF8.self),
                    String(decoding: $0.hardLink ?? [], as: UTF8.self)
                )
            })
    }

    @Test("second names are those of what stood there when they were made")
    func links() {
        #expect(listed([("a", nil), ("b", "a")]) == ["a": "", "b": "a"])
        // A link of a link is one of the file.
        #expect(listed([("a", nil), ("b", "a"), ("c", "b")]) == ["a": "", "b": "a", "c": "a"])
        // A file that was named twice.
        #expect(listed([("a", nil), ("b", "a"), ("a", "a")]) == ["a": "", "b": "a"])
        // What comes again takes the place of what was there, and its second names go.
        #expect(listed([("a", nil), ("b", "a"), ("a", nil)]) == ["a": ""])
        #expect(listed([("b", nil), ("a", nil), ("b", "a")]) == ["a": "", "b": "a"])
        #expect(listed([("a", "nowhere")]) == [:])
    }
}
