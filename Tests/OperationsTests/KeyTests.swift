import ChunkIndex
import Faults
import ObjectStorage
import Operations
import PackStore
import Sealing
import Snapshots
import TestSupport
import Testing
import Vault
import WireFormat
import Workers

@Test func `a write key adds and deduplicates, and opens no data`() throws {
    let repository = try TestRepository()
    _ = try repository.open().addKey(.write, key(2), label: "web1")
    let writer = try repository.open(key(2), cache: "writer")
    var random = SeededRandom(seed: testSeed)
    let bytes = random.sqlRows(byteCount: 2_000_000)
    let first = try repository.add(bytes, to: "web", vault: writer)
    #expect(first.snapshot.domain != .shared)
    let again = try repository.add(bytes, to: "web", vault: writer)
    #expect(again.chunksNew == 0)
    #expect(try History.load(writer).snapshots.count == 2)
    #expect(throws: SealingError.self) { try repository.cat("web", vault: writer) }
    #expect(throws: SealingError.self) { try readManifest(of: first.snapshot, in: writer) }
    #expect(throws: SealingError.self) {
        try forget(ForgetRequest(references: [Reference("web")], allowEmpty: true), in: writer)
    }
    // The full key sees and opens it.
    #expect(try repository.cat("web") == bytes)
}

@Test func `a write key sees nothing of other domains`() throws {
    let repository = try TestRepository()
    try repository.add([1, 2, 3], to: "secret")
    _ = try repository.open().addKey(.write, key(2), label: nil)
    _ = try repository.open().addKey(.write, key(3), label: nil)
    let one = try repository.open(key(2), cache: "one")
    let two = try repository.open(key(3), cache: "two")
    try repository.add([4, 5, 6], to: "one", vault: one)
    #expect(try History.load(one).snapshots.map { $0.head.series } == ["one"])
    #expect(try History.load(two).snapshots.isEmpty)
}

@Test func `one machine with two keys numbers its snapshots in each domain by itself`() throws {
    let repository = try TestRepository()
    _ = try repository.open().addKey(.write, key(2), label: nil)
    for number in 1...3 { try repository.add([UInt8(number)], to: "shop") }
    try repository.add([9], to: "web", vault: repository.open(key(2)))
    let last = try repository.add([4], to: "gone")
    let references = [Reference(last.snapshot.id.description)]
    _ = try forget(ForgetRequest(references: references, allowEmpty: true), in: repository.open())
    #expect(try History.load(repository.open()).snapshots.count == 4)
    #expect(try History.load(repository.open(key(2))).snapshots.count == 1)
}

@Test func `a maintain key checks the structure but no data`() throws {
    let repository = try TestRepository()
    var random = SeededRandom(seed: testSeed)
    try repository.add(random.sqlRows(byteCount: 500_000), to: "s")
    _ = try repository.open().addKey(.maintain, key(4), label: "keeper")
    let keeper = try repository.open(key(4), cache: "keeper")
    let outcome = try check(CheckRequest(readDataPercent: nil), keeper)
    #expect(outcome.exitCode == .done && outcome.snapshots == 1)
    #expect(throws: SealingError.self) { try check(CheckRequest(readDataPercent: 100), keeper) }
    #expect(throws: SealingError.self) { try repository.cat("s", vault: keeper) }
    #expect(throws: SealingError.self) { try repository.add([1], to: "s", vault: keeper) }
}

@Test func `passwords, key files and the recovery key open, wrong ones do not`() throws {
    let repository = try TestRepository()
    let full = try repository.open()
    func password(_ text: String) -> Credential {
        var bytes = Array(text.utf8)
        return Credential(.password, Secret(moving: &bytes))
    }
    _ = try full.addKey(.full, password("correct horse"), label: "admin")
    #expect(try repository.open(password("correct horse")).keyring.kind == .full)
    let error = #expect(throws: (any Error).self) { try repository.open(password("wrong")) }
    #expect((error as? any Explained)?.exitCode == .noKeyOpens)
    let recovery = try RecoveryKey.root(of: Array(try full.recoveryKey().utf8))
    #expect(try repository.open(Credential(.recoveryKey, recovery)).keyring.kind == .full)
    #expect(throws: (any Error).self) {
        try repository.open(Credential(.recoveryKey, Secret(count: 32) { $0[3] = 1 }))
    }
}

@Test func `a damaged key slot is passed over, the others still open`() throws {
    let repository = try TestRepository()
    guard let store = repository.store as? MemoryStore else {
        preconditionFailure("made in memory")
    }
    let id = try repository.open().addKey(.full, key(5), label: nil)
    store.tamper(.key(id)) { $0[100] ^= 1 }
    _ = try repository.open(key())
    #expect(throws: (any Error).self) { try repository.open(key(5)) }
}

@Test func `a key slot that holds another kind of key than it says does not open`() throws {
    let repository = try TestRepository()
    let vault = try repository.open()
    func put(_ kind: KeySlot.KeyKind, _ repositoryID: ObjectID, _ secret: UInt8) throws {
        var slot = KeySlot(
            secret: .keyFile, kind: kind, log2N: 0, r: 0, p: 0, created: 0,
            repository: repositoryID, id: ObjectID([UInt8](repeating: secret, count: 16)),
            salt: [UInt8](repeating: 1, count: 32))
        let blank = KeyBundle.blank(
            .full, config: vault.config.bytesBeforeHash, domain: nil, label: nil)
        (slot.commitment, slot.ciphertext) = try SlotSealing.seal(
            Padding.pad(blank), secret: key(secret).secret, cost: .none, salt: slot.salt,
            header: slot.header)
        let content = slot.bytesBeforeHash
        try repository.store.put(.key(slot.id), content + SHA256.hash(content))
    }
    try put(.full, vault.config.repository, 21)
    try put(.maintain, vault.config.repository, 22)
    try put(.full, ObjectID([UInt8](repeating: 9, count: 16)), 23)
    _ = try repository.open(key(21))
    for secret: UInt8 in [22, 23] {
        let error = #expect(throws: WireError.self) { try repository.open(key(secret)) }
        #expect(error?.exitCode == .damage)
    }
}

@Test func `the last full key is not removed`() throws {
    let repository = try TestRepository()
    let vault = try repository.open()
    let only = try #require(try vault.keys().first)
    #expect(throws: VaultError.self) { try vault.removeKey(only.id.description) }
    _ = try vault.addKey(.full, key(6), label: "second")
    _ = try vault.removeKey(only.id.short)
    #expect(try repository.open(key(6)).keys().map { $0.label } == ["second"])
}

@Test func `an unknown format version is refused, a damaged config is not`() throws {
    let repository = try TestRepository()
    guard let store = repository.store as? MemoryStore else {
        preconditionFailure("made in memory")
    }
    store.tamper(.config) { $0[20] ^= 1 }
    _ = try repository.open()
    store.tamper(.config) { object in
        object[20] ^= 1
        object[5] = 2
        object = Array(object.dropLast(32))
        object += SHA256.hash(object)
    }
    let error = #expect(throws: (any Error).self) { try repository.open() }
    #expect((error as? any Explained)?.exitCode == .unknownVersion)
}

@Test func `no canary of a stream is found in any object`() throws {
    let repository = try TestRepository()
    guard let store = repository.store as? MemoryStore else {
        preconditionFailure("made in memory")
    }
    var random = SeededRandom(seed: testSeed)
    let canaries = (0..<1000).map { _ in random.bytes(32) }
    var stream: [UInt8] = []
    for canary in canaries {
        stream += random.sqlRows(byteCount: random.number(10...2000)) + canary
    }
    try repository.add(stream, to: "canaries/secret-series-name")
    try repository.add(Array(stream.prefix(20_000)), to: "small")
    let objects = try repository.objectNames.map { try store.get($0) }
    let unsealed = try unsealedObjects(repository)
    func found(_ haystack: [[UInt8]]) -> Int {
        let index = Set(
            haystack.flatMap { bytes in (0..<max(0, bytes.count - 7)).map { word(bytes, $0) } })
        return canaries.filter { index.contains(word($0, 12)) }.count
    }
    #expect(found([stream]) == 1000)
    #expect(found(unsealed) == 1000, "the same search finds them once the seals are off")
    #expect(found(objects) == 0)
    let name = Array("secret-series-name".utf8)
    #expect(!objects.contains { contains($0, name) })
}

/// What the packs hold, opened and decompressed, one piece a pack.
private func unsealedObjects(_ repository: TestRepository) throws -> [[UInt8]] {
    let vault = try repository.open()
    let context = try vault.requiredContext(.shared)
    let finder = ChunkFinder(context, ChunkIndex(inMemory: ()))
    let decoder = try FrameDecoder(context, finder, DecodedFrames(bytesMax: 8 << 20))
    return try repository.store.list(.packs(.shared)).map { object in
        guard case .pack(_, let id) = object.name else { return [] }
        let directory = OpenDirectory(
            .pack(object.name), try PackDirectories.read(id, context).0, context)
        return try directory.frames.indices.flatMap { frame in
            try decoder.frame(frame, of: directory).withBytes { Array($0) }
        }
    }
}

private func word(_ bytes: [UInt8], _ offset: Int) -> UInt64 {
    bytes.withUnsafeBytes { $0.loadUnaligned(fromByteOffset: offset, as: UInt64.self) }
}

private func contains(_ bytes: [UInt8], _ part: [UInt8]) -> Bool {
    guard bytes.count >= part.count else { return false }
    return (0...(bytes.count - part.count)).contains {
        bytes[$0..<($0 + part.count)].elementsEqual(part)
    }
}
