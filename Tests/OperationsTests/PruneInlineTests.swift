import Operations
import Sealing
import Snapshots
import TestSupport
import Testing
import Vault
import WireFormat

@Test func `what one manifest carries itself stays in packs for others with the same list`() throws
{
    var random = SeededRandom(seed: announcedSeed())
    let repository = try TestRepository()
    let vault = try repository.open()
    let store = SnapshotStore(try vault.requiredContext(.shared))
    let little = random.bytes(32_768)
    // Before zeros a stream is cut as at its end.
    let zeros = [UInt8](repeating: 0, count: 1 << 20)
    let stream = little + zeros + random.bytes(12_000_000)
    // The same chunks in a manifest, and alone in a pack that the long stream stands on.
    let carrying = try repository.add(little, to: "carrying").snapshot
    let inline = try #require(try store.manifest(carrying.id, expecting: nil).inline)
    let alone = try repository.add(little, to: "alone") { $0.carriesLittle = false }.snapshot
    let long = try repository.add(stream, to: "long").snapshot
    // One with the long list that carries these chunks, and is read first.
    var manifest = try store.manifest(long.id, expecting: nil)
    guard case .root = manifest.streams[0].list else {
        Issue.record("the list is short")
        return
    }
    manifest.inline = inline
    manifest.head.series = "both"
    manifest.head.sequence += 1
    var head = manifest.head
    let id = ObjectID([UInt8](repeating: 0, count: 15) + [1])
    let sealed = try store.seal(manifest, id: id)
    try store.publish(sealed, id: id)
    head.manifestHash = Digest32(SHA256.hash(sealed))
    try store.commit(try store.seal(head, id: id), id: id)

    try repository.prune(dropping: [alone]) { $0.options.unusedMax = 0 }
    #expect(try repository.cat("long") == stream)
    #expect(try repository.cat("both") == stream)
    #expect(try repository.isSound())
}
