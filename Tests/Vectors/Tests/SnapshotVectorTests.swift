import Compression
import Sealing
import TestSupport
import Testing
import WireFormat

struct SnapshotVectorTests {
    private func head(_ vector: VectorCase) throws -> Head {
        var head = Head(
            series: vector.text("series"),
            kind: try #require(Head.Kind(rawValue: vector.byte("kind"))),
            time: vector.signed("time"), started: vector.signed("started"),
            ended: vector.signed("ended"),
            completeness: try #require(Head.Completeness(rawValue: vector.byte("complete"))),
            evidence: try #require(Head.Evidence(rawValue: vector.byte("evidence"))),
            writer: vector.id("writer"),
            sequence: vector.number("sequence"))
        head.manifestHash = Digest32(vector["manifest hash"])
        head.parent = vector.optionalID("parent")
        head.base = vector.optionalID("base")
        head.needs = vector.optionalID("needs")
        head.flags = Head.Flags(rawValue: UInt32(vector.number("flags")))
        head.bytesRead = vector.count("bytes read")
        head.bytesNew = vector.count("bytes new")
        head.bytesStored = vector.count("bytes stored")
        head.format = vector.optionalText("format")
        head.host = vector.optionalText("host")
        head.tags = vector.texts("tag")
        if vector.has("position file") {
            head.position = Head.Position(
                file: vector.text("position file"), offset: vector.number("position offset"),
                gtid: vector.text("position GTID"))
        }
        head.sequenceNumbers = vector.optionalBytes("log sequence numbers").map { bytes in
            Head.SequenceNumbers(
                from: UInt64(number(bytes.prefix(8))),
                to: bytes.suffix(8).reversed().reduce(0) { $0 << 8 | UInt64($1) })
        }
        head.names = vector.all("names").map { ObjectID($0) }
        head.origin = vector.optionalBytes("origin").map {
            Head.Origin(
                repository: ObjectID(Array($0.prefix(16))), snapshot: ObjectID(Array($0.suffix(16)))
            )
        }
        head.tool = vector.optionalText("tool")
        head.group = vector.optionalText("group")
        return head
    }

    @Test func `heads are those of the vectors, and open`() throws {
        try checkVectors("head") { vector in
            let head = try head(vector)
            let header = ObjectHeader(.head, domain: vector.domain, id: vector.id("snapshot id"))
            return [
                ("fields", head.bytes()), ("fields in the manifest", head.bytes(inManifest: true)),
                ("object", try vector.sealed(header, "head", head.bytes())),
            ]
        }
        for vector in try VectorFile("head").cases {
            let (header, fields) = try vector.opened(vector["expected object"], .head, "head")
            #expect(header.id == vector.id("snapshot id"))
            #expect(try Head(fields, what: vector.title) == head(vector))
            var inside = try head(vector)
            inside.manifestHash = Digest32([UInt8](repeating: 0, count: 32))
            #expect(
                try Head(
                    vector["expected fields in the manifest"], inManifest: true, what: vector.title)
                    == inside)
        }
    }

    // MARK: manifests

    private func streams(_ vector: VectorCase) throws -> [Manifest.Stream] {
        var streams: [Manifest.Stream] = []
        for (name, value) in vector.lines {
            if name == "stream role" {
                streams.append(
                    Manifest.Stream(
                        role: try #require(Manifest.Role(rawValue: value[0])), contentClass: .data,
                        byteCount: 0,
                        checksumKey: [], checksum: [], list: .inline([]), cuttingRule: 0))
                continue
            }
            guard let last = streams.indices.last else { continue }
            switch name {
            case "class":
                streams[last].contentClass = try #require(ContentClass(rawValue: value[0]))
            case "length": streams[last].byteCount = number(value)
            case "checksum":
                (streams[last].checksumKey, streams[last].checksum) = (
                    Array(value.prefix(32)), Array(value.suffix(16))
                )
            case "inline list":
                guard case .leaf(let entries) = try ListNode(value, what: vector.title) else {
                    continue
                }
                streams[last].list = .inline(entries)
            case "root node": streams[last].list = .root(ChunkID(value))
            case "content": streams[last].list = .content(value)
            case "name": streams[last].name = String(decoding: value, as: UTF8.self)
            case "cutting rule": streams[last].cuttingRule = UInt16(number(value))
            case "sums files": streams[last].sumsFiles = true
            default: break
            }
        }
        return streams
    }

    private func manifest(_ vector: VectorCase) throws -> Manifest {
        var manifest = Manifest(
            head: try Head(vector["head"], inManifest: true, what: vector.title),
            streams: try streams(vector))
        if vector.has("program") {
            manifest.producer = .init(
                program: vector.text("program"), options: vector.texts("option"),
                exitStatus: vector.signed("exit status"), standardError: vector["standard error"])
        }
        if vector.has("tool") {
            manifest.facts = .init(
                tool: vector.text("tool"), toolVersion: vector.text("tool version"),
                serverVersion: vector.text("server version"),
                innerFormat: vector.text("inner format"),
                databases: vector.texts("database"), notes: vector.texts("note"),
                endOffset: vector.count("end offset"))
        }
        if vector.has("inline segments") {
            let segments = vector["inline segments"]
            manifest.inline = .init(
                directory: try PackDirectory(
                    vector["inline directory"], body: 0..<segments.count, what: vector.title),
                bytes: segments)
        }
        return manifest
    }

    @Test func `manifests are those of the vectors, and open`() throws {
        try checkVectors("manifest") { vector in
            let content = try manifest(vector).bytes
            let header = ObjectHeader(
                .manifest, domain: vector.domain, id: vector.id("snapshot id")
            ).bytes
            let (stored, key) = try vector.envelope(.list)
            let compressed = vector.optionalBytes("compressed")
            let plaintext =
                [compressed == nil ? 0 : 1] + little(UInt32(content.count))
                + (compressed ?? content)
            let sealed = key.cipher().seal(
                number: 0, associated: key.associated(0, header), Padding.pad(plaintext))
            return [("content", content), ("object", header + stored.bytes + sealed)]
        }
        for vector in try VectorFile("manifest").cases {
            var reader = ByteReader(vector["expected object"], what: vector.title)
            let header = try ObjectHeader.check(
                &reader, .manifest, domain: vector.domain, id: vector.id("snapshot id"))
            let stored = try StoredEnvelope(&reader)
            let key = try vector.opening(stored)
            let opened = key.cipher().open(
                number: 0, associated: key.associated(0, header.bytes), reader.rest())
            let content = try decode(
                try Padding.unpad(try #require(opened), what: vector.title), vector)
            #expect(content == vector["expected content"])
            #expect(try Manifest(content, what: vector.title) == manifest(vector))
        }
    }

    /// `u8 codec | u32 raw length | content`.
    private func decode(_ plaintext: [UInt8], _ vector: VectorCase) throws -> [UInt8] {
        let content = Array(plaintext.dropFirst(5))
        #expect(plaintext[0] == (vector.has("compressed") ? 1 : 0))
        guard plaintext[0] == 1 else { return content }
        var raw = [UInt8](repeating: 0, count: number(plaintext[1..<5]))
        var decompressor = Decompressor()
        try content.withUnsafeBytes { content in
            try raw.withUnsafeMutableBytes { try decompressor.decompress(content, into: $0) }
        }
        return raw
    }
}
