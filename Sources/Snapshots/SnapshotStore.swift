import Compression
import Faults
import ObjectStorage
import PackStore
import Sealing
import WireFormat

/// Manifests and commits of one domain: the steps of writing and reading a snapshot, and nothing
/// else.
package struct SnapshotStore: Sendable {
    private let context: DomainContext

    package init(_ context: DomainContext) { self.context = context }

    private static let headLabel = "head"

    // MARK: heads

    /// Seals a head. Its length is known before its content is final: only numbers of fixed width
    /// change.
    package func seal(_ head: Head, id: ObjectID) throws -> [UInt8] {
        let header = ObjectHeader(.head, domain: context.domain, id: id).bytes
        let fields = head.bytes()
        return header
            + Box.seal(
                Padding.pad(fields), key: context.keys.index, label: Self.headLabel, name: id.bytes,
                salt: try context.random.draw("head salt", key: context.keys.auth, mixing: fields),
                associated: header)
    }

    /// Makes the snapshot count.
    package func commit(_ sealed: [UInt8], id: ObjectID) throws {
        try context.store.put(.commit(context.domain, id), sealed)
    }

    package func head(_ id: ObjectID) throws -> Head {
        let name = ObjectName.commit(context.domain, id)
        let object = try context.store.get(name, limit: 1 << 20)
        var reader = ByteReader(object, what: "\(name)")
        _ = try ObjectHeader.check(&reader, .head, domain: context.domain, id: id)
        let padded = try Box.open(
            object[reader.offset...], key: context.keys.index, label: Self.headLabel,
            name: id.bytes,
            associated: Array(object[..<ObjectHeader.byteCount]), what: "\(name)")
        return try Head(try Padding.unpad(padded, what: "\(name)"), what: "\(name)")
    }

    /// The ids of everything committed, whether its manifest is there or not, in order.
    package func committed() throws -> [ObjectID] {
        try context.store.list(.commits(context.domain)).compactMap { $0.name.id }
    }

    /// The ids of all manifests, committed or not, in order.
    package func manifests() throws -> [ObjectID] {
        try context.store.list(.snapshots(context.domain)).compactMap { $0.name.id }
    }

    // MARK: manifests

    /// Seals a manifest for those who may open lists.
    package func seal(_ manifest: Manifest, id: ObjectID) throws -> [UInt8] {
        let content = manifest.bytes
        guard content.count <= Limits.objectBytes / 2 else {
            throw WireError.malformed("the manifest would have \(content.count) bytes")
        }
        let header = ObjectHeader(.manifest, domain: context.domain, id: id).bytes
        let envelope = try NewEnvelope(.list, context, mixing: content)
        let plaintext = Padding.pad(try Self.encode(content))
        let sealed = envelope.key.cipher().seal(
            number: 0, associated: envelope.key.associated(number: 0, context: header), plaintext)
        return header + envelope.stored.bytes + sealed
    }

    package func publish(_ sealed: [UInt8], id: ObjectID) throws {
        try context.store.put(.snapshot(context.domain, id), sealed)
    }

    /// Reads a manifest.
    /// - Parameter expecting: the head that names it; the manifest must be the very one it speaks
    ///   of.
    package func manifest(_ id: ObjectID, expecting head: Head?) throws -> Manifest {
        let name = ObjectName.snapshot(context.domain, id)
        let object = try context.store.get(name)
        if let head, Digest32(SHA256.hash(object)) != head.manifestHash {
            throw SealingError.doesNotOpen(
                "\(name): it is not the manifest its commit speaks of; it")
        }
        var reader = ByteReader(object, what: "\(name)")
        _ = try ObjectHeader.check(&reader, .manifest, domain: context.domain, id: id)
        let stored = try StoredEnvelope(&reader)
        guard stored.header.contentClass == .list else {
            throw reader.malformed("its envelope is of another class")
        }
        let key = try EnvelopeKey.open(stored, context, what: "\(name)")
        let associated = key.associated(
            number: 0, context: Array(object[..<ObjectHeader.byteCount]))
        guard let plaintext = key.cipher().open(number: 0, associated: associated, reader.rest())
        else {
            throw SealingError.doesNotOpen("\(name)")
        }
        let manifest = try Manifest(
            try Self.decode(try Padding.unpad(plaintext, what: "\(name)"), what: "\(name)"),
            what: "\(name)")
        if let head {
            var same = head
            same.manifestHash = manifest.head.manifestHash
            guard same == manifest.head else {
                throw reader.malformed("its head and its commit differ")
            }
        }
        return manifest
    }

    /// `u8 codec | u32 raw length | content`.
    private static func encode(_ content: [UInt8]) throws -> [UInt8] {
        var compressor = Compressor()
        let compressed = try [UInt8](unsafeUninitializedCapacity: max(1, content.count)) {
            buffer, count in
            count = try content.withUnsafeBytes {
                try compressor.compress(
                    $0, level: 3, into: UnsafeMutableRawBufferPointer(buffer),
                    limit: content.count) ?? 0
            }
        }
        var writer = ByteWriter(capacity: content.count + 5)
        writer.u8(compressed.isEmpty ? 0 : 1)
        writer.u32(content.count)
        writer.raw(compressed.isEmpty ? content : compressed)
        return writer.bytes
    }

    private static func decode(_ bytes: [UInt8], what: String) throws -> [UInt8] {
        var reader = ByteReader(bytes, what: what)
        let codec = try reader.u8()
        let rawBytes = try reader.u32()
        guard rawBytes <= Limits.objectBytes else {
            throw reader.malformed("it says it has \(rawBytes) bytes")
        }
        let content = reader.rest()
        switch codec {
        case 0:
            guard content.count == rawBytes else { throw reader.malformed("its length is wrong") }
            return content
        case 1:
            var decompressor = Decompressor(windowLog: Limits.zstdWindowLog)
            return try [UInt8](unsafeUninitializedCapacity: max(1, rawBytes)) { buffer, count in
                try content.withUnsafeBytes {
                    try decompressor.decompress(
                        $0,
                        into: UnsafeMutableRawBufferPointer(
                            rebasing: UnsafeMutableRawBufferPointer(buffer)[..<rawBytes]))
                }
                count = rawBytes
            }
        default: throw WireError.unknown("\(what) uses a codec this program does not know")
        }
    }
}
