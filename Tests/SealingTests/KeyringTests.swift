import Sealing
import TestSupport
import Testing

struct KeyringTests {
    private func lacksKey(_ error: any Error) -> Bool {
        if case SealingError.lacksKey = error { true } else { false }
    }

    // MARK: the hierarchy, computed by Tests/Vectors/make_expected.py

    @Test func `every key is what an independent implementation derives`() throws {
        let cases = try VectorFile("keys").cases
        #expect(cases.count >= 3)
        for vector in cases {
            let ring = Keyring(root: secret(vector["root"]))
            #expect(ring.dataPublicKey == vector["expected pkD"])
            #expect(ring.listPublicKey == vector["expected pkL"])
            #expect(ring.signingPublicKey == vector["expected pkP"])
            #expect(ring.rootCheck == vector["expected root check"])
            try ring.withMaintainSecrets { list, seed, structure in
                #expect(bytes(list) == vector["expected skL"])
                #expect(bytes(seed) == vector["expected skP"])
                #expect(bytes(structure) == vector["expected structure root"])
            }
            let domain = vector["domain"]
            let keys = try #require(
                ring.keys(of: domain.reversed().reduce(0) { $0 << 8 | UInt64($1) }))
            #expect(bytes(ofOptional: keys.chunkIDs) == vector["expected K_id"])
            #expect(bytes(ofOptional: keys.cuts) == vector["expected K_cut"])
            #expect(bytes(keys.listIDs) == vector["expected K_list"])
            #expect(bytes(keys.index) == vector["expected K_index"])
            #expect(bytes(keys.auth) == vector["expected K_auth"])
        }
    }

    /// The one key that leaves a keyring in no other way: its public key was made of it, and opens
    /// what it should.
    @Test func `the data key is what an independent implementation derives`() throws {
        for vector in try VectorFile("keys").cases {
            #expect(
                EnvelopeKey.publicKey(ofEphemeral: secret(vector["expected skD"]))
                    == vector["expected pkD"])
        }
    }

    // MARK: who holds what

    @Test func `a full key does everything`() throws {
        let full = keyring()
        #expect(
            full.kind == .full && full.opensData && full.opensLists && full.signs
                && full.writeDomain == nil)
        #expect(full.rootCheck?.count == 16)
        #expect(try full.withRoot { bytes($0) } == block(1))
        let keys = try #require(full.keys(of: 5))
        #expect(throws: Never.self) { _ = try keys.namer(ofClass: 0) }
        #expect(throws: Never.self) { _ = try keys.namer(ofClass: 1) }
        #expect(throws: Never.self) { _ = try keys.cutDecider() }
    }

    @Test func `a write key has one domain, opens nothing, signs nothing and makes no keys`() throws
    {
        let full = keyring()
        let write = try writeKeyring(of: full, 5)
        #expect(
            write.kind == .write && !write.opensData && !write.opensLists && !write.signs
                && write.rootCheck == nil)
        #expect(write.keys(of: 5) != nil)
        for other: UInt64 in [0, 4, 6, 5 << 32] { #expect(write.keys(of: other) == nil) }
        #expect(performing: { try write.sign([1]) }, throws: lacksKey)
        #expect(performing: { try write.withRoot { _ in } }, throws: lacksKey)
        #expect(performing: { try write.withMaintainSecrets { _, _, _ in } }, throws: lacksKey)
        #expect(write.isSigned([1], by: try full.sign([1])), "it can check what others signed")
    }

    @Test func `a write key names chunks and decides cuts as the full key does`() throws {
        let full = keyring()
        let (own, keys) = (
            try #require(full.keys(of: 5)), try #require(try writeKeyring(of: full, 5).keys(of: 5))
        )
        for contentClass: UInt8 in 0...1 {
            #expect(
                name(block(1, 100), try own.namer(ofClass: contentClass))
                    == name(block(1, 100), try keys.namer(ofClass: contentClass)))
        }
        #expect(bytes(ofOptional: keys.cuts) == bytes(ofOptional: own.cuts))
    }

    @Test
    func
        `a maintain key signs, opens lists of every domain, and has no ids, cuts or root`()
        throws
    {
        let full = keyring()
        let maintain = try maintainKeyring(of: full)
        #expect(
            maintain.kind == .maintain && !maintain.opensData && maintain.opensLists
                && maintain.signs && maintain.rootCheck == nil)
        #expect(
            maintain.listPublicKey == full.listPublicKey
                && maintain.signingPublicKey == full.signingPublicKey)
        #expect(maintain.dataPublicKey == full.dataPublicKey)
        for domain: UInt64 in [0, 5, .max] {
            let (own, keys) = (
                try #require(full.keys(of: domain)), try #require(maintain.keys(of: domain))
            )
            #expect(bytes(keys.index) == bytes(own.index))
            #expect(bytes(keys.auth) == bytes(own.auth))
            #expect(bytes(keys.listIDs) == bytes(own.listIDs))
            #expect(bytes(ofOptional: keys.chunkIDs) == nil && bytes(ofOptional: keys.cuts) == nil)
            #expect(performing: { _ = try keys.namer(ofClass: 0) }, throws: lacksKey)
            #expect(performing: { _ = try keys.cutDecider() }, throws: lacksKey)
            #expect(throws: Never.self) { _ = try keys.namer(ofClass: 1) }
        }
        #expect(try maintain.sign([1, 2]) == full.sign([1, 2]))
        #expect(performing: { try maintain.withRoot { _ in } }, throws: lacksKey)
    }

    @Test func `no two keys of a repository are alike, nor those of two domains or two roots`()
        throws
    {
        var seen: [[UInt8]] = []
        for root: UInt8 in 1...2 {
            let ring = keyring(root)
            seen += [ring.dataPublicKey, ring.listPublicKey, ring.signingPublicKey]
            try ring.withMaintainSecrets { seen += [bytes($0), bytes($1), bytes($2)] }
            for domain: UInt64 in [0, 1, 1 << 56] {
                let keys = try #require(ring.keys(of: domain))
                seen += [bytes(keys.listIDs), bytes(keys.index), bytes(keys.auth)]
                seen += [
                    bytes(ofOptional: keys.chunkIDs) ?? [], bytes(ofOptional: keys.cuts) ?? [],
                ]
            }
        }
        #expect(Set(seen).count == seen.count)
        #expect(Set(seen.map { $0.prefix(16) }).count == seen.count)
    }

    // MARK: signatures

    @Test func `a signature holds for its message and its key only`() throws {
        let ring = keyring()
        let message = block(3, 48)
        let signature = try ring.sign(message)
        #expect(signature.count == 64)
        #expect(ring.isSigned(message, by: signature))
        for changed in flipped(message) { #expect(!ring.isSigned(changed, by: signature)) }
        for changed in flipped(signature) { #expect(!ring.isSigned(message, by: changed)) }
        for wrong in [[], Array(signature.dropLast()), signature + [0]] {
            #expect(!ring.isSigned(message, by: wrong))
        }
        #expect(!keyring(2).isSigned(message, by: signature))
    }
}

func name(_ plaintext: [UInt8], _ namer: borrowing ChunkNamer) -> [UInt8] {
    var result = [UInt8](repeating: 0, count: 32)
    plaintext.withUnsafeBytes { namer.name($0, into: &result) }
    return Array(result.prefix(ChunkNamer.nameBytes))
}
