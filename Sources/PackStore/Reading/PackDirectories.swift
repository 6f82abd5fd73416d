import ObjectStorage
import Sealing
import Synchronization
import WireFormat
import Workers

/// Reads pack directories from the packs themselves and keeps the last ones.
///
/// A class: threads share what one of them read.
package final class PackDirectories: Sendable {
    private let context: DomainContext
    private let known: [ObjectID: OpenDirectory]
    private let cache: Mutex<RecentlyUsed<ObjectID, OpenDirectory>>

    /// - Parameters:
    ///   - known: directories that are there already.
    ///   - bytesMax: so much memory is kept for others at most.
    package init(
        _ context: DomainContext, known: [ObjectID: OpenDirectory] = [:], bytesMax: Int = 16 << 20
    ) {
        self.context = context
        self.known = known
        cache = Mutex(RecentlyUsed(sizeMax: bytesMax))
    }

    package func directory(of pack: ObjectID) throws -> OpenDirectory {
        if let known = known[pack] ?? cache.withLock({ $0.find(pack) }) { return known }
        return keep(pack, try Self.read(pack, context).0)
    }

    /// Keeps a directory that came from elsewhere: an index object holds copies.
    @discardableResult
    package func keep(_ pack: ObjectID, _ directory: PackDirectory) -> OpenDirectory {
        let opened = OpenDirectory(.pack(.pack(context.domain, pack)), directory, context)
        cache.withLock { $0.insert(pack, opened, size: opened.byteCount) }
        return opened
    }

    /// Reads and opens the directory of a pack.
    /// - Parameter byteCount: the length of the pack, where it is known.
    /// - Returns: the directory, and what an index object says of the pack.
    package static func read(
        _ pack: ObjectID, _ context: DomainContext, byteCount: Int? = nil
    ) throws -> (PackDirectory, IndexObject.Pack) {
        let name = ObjectName.pack(context.domain, pack)
        guard let fileBytes = try byteCount ?? context.store.byteCount(of: name) else {
            throw StorageError.missing(name)
        }
        // A far store is asked once: for as much as a directory has at most, mostly.
        let tailBytes = min(fileBytes, context.store.isNear ? 64 << 10 : 160 << 10)
        let tail = try context.store.read(name, (fileBytes - tailBytes)..<fileBytes)
        let trailer = try PackTrailer(
            tail: Array(tail.suffix(64 << 10)), fileBytes: fileBytes, what: "\(name)")
        let tailStart = fileBytes - tailBytes
        let box =
            trailer.directory.lowerBound >= tailStart
            ? tail[
                (trailer.directory.lowerBound - tailStart)..<(trailer.directory.upperBound
                    - tailStart)]
            : try context.store.read(name, trailer.directory)[...]
        if tailBytes == fileBytes || context.store.isNear {
            let header =
                tailBytes == fileBytes
                ? Array(tail.prefix(ObjectHeader.byteCount))
                : try context.store.read(name, 0..<ObjectHeader.byteCount)
            return try open(box, header: header, trailer: trailer, pack: pack, context)
        }
        // The directory's seal holds for one header only: a far one need not be fetched.
        func opened(as contentClass: ContentClass) throws -> (PackDirectory, IndexObject.Pack) {
            let header = ObjectHeader(
                .pack, detail: contentClass.rawValue, domain: context.domain, id: pack)
            return try Self.open(
                box, header: header.bytes, trailer: trailer, pack: pack, context)
        }
        do { return try opened(as: .data) } catch {
            if let list = try? opened(as: .list) { return list }
            throw error
        }
    }

    /// Opens the directory of a pack that is in memory, whole, once its hash was seen to hold.
    package static func open(
        _ bytes: Slice, pack: ObjectID, _ context: DomainContext
    ) throws -> (PackDirectory, IndexObject.Pack) {
        try bytes.withBytes { bytes in
            let what = "\(ObjectName.pack(context.domain, pack))"
            let hashed = max(0, bytes.count - PackTrailer.hashBytes)
            guard
                SHA256.hash(UnsafeRawBufferPointer(rebasing: bytes[..<hashed])).elementsEqual(
                    bytes[hashed...])
            else { throw WireError.malformed("\(what) is damaged: its hash does not hold") }
            let trailer = try PackTrailer(
                tail: Array(bytes.suffix(64 << 10)), fileBytes: bytes.count, what: what)
            return try open(
                Array(bytes[trailer.directory])[...],
                header: Array(bytes.prefix(ObjectHeader.byteCount)), trailer: trailer, pack: pack,
                context)
        }
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
        try directory.checkEnvelopes(contentClass, context.domain, what: what)
        guard trailer.bodyBytes == Padding.padme(trailer.bodyBytes) else {
            throw WireError.malformed("\(what) is malformed: its body has the wrong length")
        }
        return (
            directory,
            IndexObject.Pack(
                id: pack, contentClass: contentClass, fileBytes: trailer.fileBytes,
                directory: fields)
        )
    }
}

extension PackDirectory {
    /// Refuses envelopes that are of another class or domain than the pack.
    func checkEnvelopes(
        _ contentClass: ContentClass, _ domain: DomainID, what: String
    ) throws(WireError) {
        for envelope in envelopes {
            guard envelope.header.contentClass == contentClass else {
                throw .malformed("\(what) is malformed: it mixes classes")
            }
            guard envelope.header.domain == domain else {
                throw .malformed("\(what) is malformed: an envelope is of another domain")
            }
        }
    }
}
