import ChunkIndex
import Files
import ObjectStorage
import PackStore
import Vault
import WireFormat

/// `make-index REPOSITORY COUNT`: index objects of so many chunks, as large adds would leave them.
///
/// They are sealed with the repository's keys like any other. The packs are shells: sparse files of
/// the right names and lengths, since adding and listing look at no more than these.
enum MakeIndex {
    static let seed: UInt64 = 7
    /// Chunks of one index object: as many as an add keeps in memory before it writes one.
    private static let chunksAnObject = 200_000

    static func run(_ arguments: ArraySlice<String>) throws {
        var arguments = arguments
        guard let directory = arguments.popFirst() else { throw Misused("REPOSITORY is missing") }
        let count = try number(arguments.popFirst(), "COUNT")
        guard arguments.isEmpty else { throw Misused("make-index takes REPOSITORY and COUNT") }
        let begun = Clock.wall()
        let store = DirectoryStore(
            Path(directory), calls: .kernel, randomBytes: ThisProcess.randomBytes)
        let vault = try Vault.open(
            store, with: try ThisProcess.credential(), surroundings: ThisProcess.surroundings(),
            cacheParent: nil)
        let context = try vault.requiredContext(vault.ownDomain)
        var made = MadeChunks(seed: seed)
        var (chunks, packs, objects, bytes) = (0, 0, 0, 0)
        while chunks < count {
            let end = min(count, chunks + chunksAnObject)
            var stored: [StoredPack] = []
            while chunks < end {
                let pack = made.pack(try NewEnvelope(.data, context).stored, atMost: end - chunks)
                try makeShell(of: pack, in: Path(directory), context.domain)
                chunks += pack.places.frames.reduce(0) { $0 + $1.count }
                stored.append(pack)
            }
            // The local index is built by whoever opens the repository next.
            bytes += try IndexKeeper(context, ChunkIndex(inMemory: ())).write(stored)
            packs += stored.count
            objects += 1
        }
        print(
            #"{"chunks":\#(chunks),"packs":\#(packs),"index_objects":\#(objects),"#
                + #""index_bytes":\#(bytes),"seconds":\#(Clock.wall() - begun)}"#)
    }

    private static func makeShell(of pack: StoredPack, in root: Path, _ domain: DomainID) throws {
        let path = root / ObjectName.pack(domain, pack.indexed.id).description
        try Directories(.kernel).make(path.parent)
        try Descriptor(creating: path, calls: .kernel).truncate(to: pack.indexed.fileBytes)
    }
}
