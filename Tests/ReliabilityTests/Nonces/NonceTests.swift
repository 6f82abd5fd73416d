import Faults
import Files
import ObjectStorage
import Operations
import PackStore
import Sealing
import Snapshots
import TestSupport
import Testing
import Vault
import WireFormat

/// A message as AES-GCM sees it: no two may be alike.
private struct KeyAndNonce: Hashable {
    /// Follows from the key and the header, as the key does.
    let commitment: [UInt8]
    let number: UInt64
}

/// A repository, and processes that open it with a generator in one and the same state.
private struct Clones {
    let repository: TestRepository
    let store: MemoryStore

    init() throws {
        store = MemoryStore()
        repository = try TestRepository(store: store)
    }

    /// - Parameters:
    ///   - process: what differs between processes and boots.
    ///   - time: by the clock of the machine, which stands.
    func open(process: UInt8, time: Int64, in store: MemoryStore? = nil) throws -> Vault {
        var surroundings = testSurroundings(seed: testSeed, workers: 0, now: { time })
        surroundings.identity = [process]
        return try Vault.open(
            store ?? self.store, with: key(), surroundings: surroundings, cacheParent: nil)
    }
}

private let moment: Int64 = 1_790_000_000_000

@Test
func `a million segments of cloned processes and machines have each a key and nonce of their own`()
    throws
{
    let clones = try Clones()
    var seen: Set<KeyAndNonce> = []
    let (processes, moments, envelopes, messages) = (25, 25, 25, 64)
    seen.reserveCapacity(processes * moments * envelopes * messages)
    let first: [UInt8] = [1, 2, 3]
    for process in 0..<processes {
        for later in 0..<moments {
            // Each begins with the same state: a fork has another number, a machine that was cloned
            // goes on at another moment. What they seal first is the same.
            let vault = try clones.open(process: UInt8(process), time: moment + Int64(later))
            let context = try vault.requiredContext(.shared)
            for _ in 0..<envelopes {
                let envelope = try NewEnvelope(.data, context, mixing: first)
                for number in 0..<messages {
                    seen.insert(
                        KeyAndNonce(commitment: envelope.key.commitment, number: UInt64(number)))
                }
            }
        }
    }
    let count = processes * moments * envelopes * messages
    #expect(seen.count == count)
    print(
        "# nonces: \(count) segments of \(processes * moments) processes that began with one state of"
            + " the generator, \(seen.count) pairs of key and nonce")
}

@Test func `where even process and moment are the same, what is sealed makes keys differ`() throws {
    let clones = try Clones()
    var random = SeededRandom(seed: announcedSeed())
    var keys: Set<[UInt8]> = []
    for _ in 0..<1000 {
        let context = try clones.open(process: 1, time: moment).requiredContext(.shared)
        keys.insert(
            try NewEnvelope(.data, context, mixing: random.bytes(100)).key.commitment)
    }
    #expect(keys.count == 1000)
}

/// What segments of packs were sealed as, by key and nonce.
private func sealedSegments(_ vault: Vault) throws -> [KeyAndNonce: [UInt8]] {
    let context = try vault.requiredContext(.shared)
    var found: [KeyAndNonce: [UInt8]] = [:]
    for object in try vault.store.list(.packs(.shared)) {
        guard case .pack(_, let id) = object.name else { continue }
        let directory = try PackDirectories.read(id, context).0
        let bytes = try vault.store.get(object.name)
        for segment in directory.segments {
            let message = KeyAndNonce(
                commitment: directory.envelopes[segment.envelope].commitment,
                number: segment.number)
            let sealed = bytes[segment.offset..<(segment.offset + segment.sealedBytes)]
            #expect(found.updateValue(Array(sealed), forKey: message) == nil, "within one run")
        }
    }
    return found
}

@Test func `two clones of a machine that save different streams at one moment share no key`() throws
{
    var random = SeededRandom(seed: announcedSeed())
    for _ in 0..<5 {
        let clones = try Clones()
        var segments: [[KeyAndNonce: [UInt8]]] = []
        for _ in 0..<2 {
            let store = MemoryStore(copying: clones.store)
            let vault = try clones.open(process: 1, time: moment, in: store)
            try clones.repository.add(random.bytes(3_000_000), to: "s", vault: vault)
            segments.append(try sealedSegments(vault))
        }
        #expect(segments.allSatisfy { $0.count > 1 })
        let shared = segments[0].count { message, sealed in
            segments[1][message].map { $0 != sealed } ?? false
        }
        #expect(shared == 0, "nonces under one key")
    }
}
