import DumpFormats
import Testing

@Suite("archives are taken apart")
struct ArchivesTests {
    struct Member: Equatable {
        var member: TarMember
        var payload: [UInt8] = []
        var hasEnded = false
    }

    private func members(_ bytes: [UInt8], part: Int) -> (members: [Member], ends: [UInt64]) {
        var reader = TarReader()
        var members: [Member] = []
        var ends: [UInt64] = []
        bytes.withUnsafeBytes { all in
            for start in stride(from: 0, to: all.count, by: part) {
                let end = min(start + part, all.count)
                reader.read(UnsafeRawBufferPointer(rebasing: all[start..<end])) { event in
                    switch event {
                    case .member(let member): members.append(Member(member: member))
                    case .payload(let bytes): members[members.count - 1].payload += bytes
                    case .memberEnd: members[members.count - 1].hasEnded = true
                    case .end(let offset): ends.append(offset)
                    case .lost(let offset): Issue.record("lost at \(offset)")
                    }
                }
            }
        }
        #expect(reader.isAtEnd)
        return (members, ends)
    }

    @Test(
        "each format of tar gives the files that went in",
        arguments: [
            "tar-gnu", "tar-gnu-sparse", "tar-pax", "tar-pax-sparse", "tar-ustar", "tar-v7",
        ])
    func tar(_ name: String) throws {
        let bytes = try Recorded(name).bytes
        let (found, ends) = members(bytes, part: 1 << 20)
        for part in [1, 511, 512, 513, 10_000] {
            #expect(members(bytes, part: part).members == found, "parts of \(part) bytes")
        }
        #expect(ends.count == 1)
        for (index, size) in [0, 1, 511, 512, 513].enumerated() {
            let file = try #require(found.first { $0.member.path == "files/f\(index)" })
            #expect(file.payload == (0..<size).map { UInt8((index * 7 + $0) % 251) })
            #expect(file.member.byteCount == UInt64(size))
            #expect(file.hasEnded)
            // --mtime names a day of the local time zone
            #expect(abs(file.member.modified - 1_767_312_000) <= 86_400)
            #expect(file.member.owner == 0)
            #expect(file.member.mode & 0o777 == 0o644)
        }
        let links = found.filter { $0.member.type == UInt8(ascii: "1") }
        #expect(
            links.map { [$0.member.path, $0.member.linkTarget].sorted() } == [
                ["files/f5", "files/hard"]
            ])
        guard name != "tar-ustar", name != "tar-v7" else { return }
        let long =
            "files/sub/" + String(repeating: "n", count: 90) + String(repeating: "é", count: 30)
        #expect(found.first { $0.member.path == long }?.payload == Array("long name\n".utf8))
        let link = found.first { $0.member.path == "files/link" }
        #expect(link?.member.linkTarget == String(repeating: "target", count: 30))
        #expect(found.contains { $0.member.path == "files/sparse" })
    }

    @Test("archives that follow each other are one stream")
    func two() throws {
        let (found, ends) = members(try Recorded("tar-two").bytes, part: 700)
        #expect(found.map(\.member.path) == ["files/f5", "files/f4"])
        #expect(ends.count == 2)
    }

    @Test("a size beyond all measure is no size")
    func hugeSize() throws {
        var bytes = try Recorded("tar-gnu").bytes
        bytes.replaceSubrange(124..<136, with: [0x80] + [UInt8](repeating: 0xFF, count: 11))
        // it may be an extension not known here, since it ends as a tar does
        #expect(report(bytes, expecting: .tar).inPipe == Judgement.accepted(nil, .none))
        #expect(
            report(bytes, upTo: bytes.count - 1, expecting: .tar).inPipe
                == Judgement.accepted(nil, .none))
        #expect(report(bytes, upTo: 600, expecting: .tar).inPipe.refusal != nil)
    }

    @Test("an xbstream gives the bytes of its members in order")
    func xbstream() throws {
        let bytes = try Recorded("xb-full").bytes
        let whole = files(bytes, part: 1 << 20)
        #expect(whole == files(bytes, part: 65_521))
        let info = try #require(whole["xtrabackup_info"])
        #expect(info.text.contains("tool_name = mariabackup"))
        #expect(whole["ibdata1"]?.count ?? 0 > 1 << 20)
        #expect(whole.contains { $0.key.hasPrefix("shop/") && $0.value.count >= 65_536 })
    }

    private func files(_ bytes: [UInt8], part: Int) -> [String: [UInt8]] {
        var reader = XbstreamReader()
        var files: [String: [UInt8]] = [:]
        var ended: Set<String> = []
        var path = ""
        bytes.withUnsafeBytes { all in
            for start in stride(from: 0, to: all.count, by: part) {
                let end = min(start + part, all.count)
                reader.read(UnsafeRawBufferPointer(rebasing: all[start..<end])) { event in
                    switch event {
                    case .chunk(let chunk):
                        path = chunk.path
                        if chunk.kind == .payload {
                            #expect(chunk.offset == UInt64(files[path, default: []].count))
                        }
                    case .payload(let bytes): files[path, default: []] += bytes
                    case .memberEnd(let path): ended.insert(path)
                    case .lost(let offset): Issue.record("lost at \(offset)")
                    }
                }
            }
        }
        #expect(reader.isBetweenChunks)
        #expect(ended.isSuperset(of: files.keys))
        return files
    }

    @Test("an xbstream whose member has not ended is refused at a chunk's end")
    func chunkBoundaries() throws {
        let bytes = try Recorded("xb-incremental").bytes
        let mark = Array("XBSTCK01".utf8)
        var at = 8
        var cuts = 0
        while at < bytes.count - 8 {
            if bytes[at] == mark[0], bytes[at..<at + 8].elementsEqual(mark) {
                #expect(report(bytes, upTo: at).inPipe.refusal != nil, "cut at \(at)")
                cuts += 1
            }
            at += 1
        }
        #expect(cuts > 30)
    }

    @Test("a sparse chunk of an xbstream hands out its map and its payload")
    func sparse() {
        let path = Array("a.ibd".utf8)
        let head = Array("XBSTCK01".utf8) + [0, 0x53, 5, 0, 0, 0] + path
        let lengths: [UInt8] =
            [2, 0, 0, 0] + [3, 0, 0, 0, 0, 0, 0, 0] + [0, 16, 0, 0, 0, 0, 0, 0]
        let map: [UInt8] = [0, 2, 0, 0, 1, 0, 0, 0] + [0, 4, 0, 0, 2, 0, 0, 0]
        let end = Array("XBSTCK01".utf8) + [0, 0x45, 5, 0, 0, 0] + path
        let bytes = head + lengths + [9, 9, 9, 9] + map + [7, 8, 9] + end
        var reader = XbstreamReader()
        var chunks: [XbstreamChunk] = []
        var payload: [UInt8] = []
        for byte in bytes {
            withUnsafeBytes(of: byte) { part in
                reader.read(part) { event in
                    switch event {
                    case .chunk(let chunk): chunks.append(chunk)
                    case .payload(let bytes): payload += bytes
                    case .memberEnd(let path): #expect(path == "a.ibd")
                    case .lost(let offset): Issue.record("lost at \(offset)")
                    }
                }
            }
        }
        #expect(payload == [7, 8, 9])
        #expect(chunks.map(\.kind) == [.sparse, .end])
        #expect(chunks.first?.offset == 4_096)
        #expect(chunks.first?.sparseMap.map { [$0.skip, $0.count] } == [[512, 1], [1_024, 2]])
    }
}
