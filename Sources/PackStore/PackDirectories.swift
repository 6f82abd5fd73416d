import ObjectStorage
import Sealing
import Synchronization
import WireFormat

/// The directory of one pack, with the keys of its envelopes as they are needed.
///
/// A class: readers on several threads share what one of them opened.
package final class OpenDirectory: Sendable {
    /// Where the sealed segments lie.
    package enum Source: Sendable {
        case pack(ObjectName)
        /// In a manifest.
        case inline([UInt8], of: ObjectName)

        package var name: ObjectName {
            switch self {
            case .pack(let name), .inline(_, let name): name
            }
        }
    }

    package let source: Source
    package let directory: PackDirectory
    private let context: DomainContext
    private let keys: Mutex<[EnvelopeKey?]>

    package init(_ source: Source, _ directory: PackDirectory, _ context: DomainContext) {
        self.source = source
        self.directory = directory
        self.context = context
        keys = Mutex(Array(repeating: nil, count: directory.envelopes.count))
    }

    func key(_ envelope: Int) throws -> EnvelopeKey {
        try keys.withLock { keys in
            if let key = keys[envelope] { return key }
            let key = try EnvelopeKey.open(
                directory.envelopes[envelope], context, what: "\(source.name)")
            keys[envelope] = key
            return key
        }
    }

    /// Reads the sealed bytes of a segment into `buffer`, which has exactly their length.
    func read(_ segment: PackDirectory.Segment, into buffer: UnsafeMutableRawBufferPointer) throws {
        let range = segment.offset..<(segment.offset + segment.sealedBytes)
        switch source {
        case .pack(let name): try context.store.read(name, range, into: buffer)
        case .inline(let bytes, _): buffer.copyBytes(from: bytes[range])
        }
    }
}

/// Reads pack directories from the packs themselves and keeps the last ones.
///
/// A class: threads share what one of them read.
package final class PackDirectories: Sendable {
    private let context: DomainContext
    private let cache = Mutex(Cache())
    private static let entriesMax = 64

    private struct Cache {
        var directories: [ObjectID: OpenDirectory] = [:]
        var order: [ObjectID] = []
    }

    package init(_ context: DomainContext) { self.context = context }

    package func directory(of pack: ObjectID) throws -> OpenDirectory {
        if let known = cache.withLock({ $0.directories[pack] }) { return known }
        let (stored, _) = try Self.read(pack, context)
        let opened = OpenDirectory(.pack(.pack(context.domain, pack)), stored, context)
        cache.withLock { cache in
            if cache.directories.updateValue(opened, forKey: pack) == nil {
                cache.order.append(pack)
            }
            if cache.order.count > Self.entriesMax {
                cache.directories[cache.order.removeFirst()] = nil
            }
        }
        return opened
    }

    /// Reads and opens the directory of a pack.
    /// - Returns: the directory, and what an index object says of the pack.
    package static func read(
        _ pack: ObjectID, _ context: DomainContext
    ) throws -> (PackDirectory, IndexObject.Pack) {
        let name = ObjectName.pack(context.domain, pack)
        guard let fileBytes = try context.store.byteCount(of: name) else {
            throw StorageError.missing(name)
        }
        let tailBytes = min(fileBytes, 64 << 10)
        let tail = try context.store.read(name, (fileBytes - tailBytes)..<fileBytes)
        let trailer = try PackTrailer(tail: tail, fileBytes: fileBytes, what: "\(name)")
        let header = try context.store.read(name, 0..<ObjectHeader.byteCount)
        let tailStart = fileBytes - tailBytes
        let box =
            trailer.directory.lowerBound >= tailStart
            ? tail[
                (trailer.directory.lowerBound - tailStart)..<(trailer.directory.upperBound
                    - tailStart)]
            : try context.store.read(name, trailer.directory)[...]
        return try open(box, header: header, trailer: trailer, pack: pack, context)
    }

    /// Opens the directory of a pack that is at hand.
    static func open(
        _ box: ArraySlice<UInt8>, header: [UInt8], trailer: PackTrailer, pack: ObjectID,
        _ context: DomainContext
    ) throws -> (PackDirectory, IndexObject.Pack) {
        let what = "\(ObjectName.pack(context.domain, pack))"
        var reader = ByteReader(header, what: what)
        let parsed = try ObjectHeader.check(&reader, .pack, domain: context.domain, id: pack)
        guard let contentClass = ContentClass(rawValue: parsed.detail) else {
            throw WireError.unknown("\(what) holds a class this program does not know")
        }
        let padded = try Box.open(
            box, key: context.keys.index, label: PackDirectory.boxLabel, name: pack.bytes,
            associated: header,
            what: "the directory of \(what)")
        let fields = try Padding.unpad(padded, what: "the directory of \(what)")
        let directory = try PackDirectory(
            fields, body: trailer.body, what: "the directory of \(what)")
        guard directory.envelopes.allSatisfy({ $0.header.contentClass == contentClass }) else {
            throw WireError.malformed("\(what) mixes classes")
        }
        return (
            directory,
            IndexObject.Pack(
                id: pack, contentClass: contentClass, fileBytes: trailer.fileBytes,
                directory: fields)
        )
    }
}
