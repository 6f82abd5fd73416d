import Files
import Sealing
import TestSupport
import Testing
import Vault
import WireFormat

private func cache(_ directory: TemporaryDirectory) throws -> CacheDirectory {
    let random = SharedRandom(seed: testSeed)
    let surroundings = Surroundings(
        systemCalls: .kernel, now: { 0 }, randomBytes: { random.bytes($0) }, scryptCost: .standard,
        workers: 0,
        identity: [], hostName: "", stopRequested: { nil }, wakeUp: -1, progress: { _ in },
        warn: { _ in })
    return try CacheDirectory(
        Path(directory.path), repository: ObjectID([UInt8](repeating: 1, count: 16)),
        surroundings: surroundings)
}

@Test func `a writer keeps its name`() throws {
    let directory = TemporaryDirectory()
    let first = try cache(directory).writer()
    #expect(try cache(directory).writer() == first)
    let other = TemporaryDirectory()
    #expect(try cache(other).writer() == first, "one seed, one name")
}

@Test func `what was seen is remembered for each domain`() throws {
    let directory = TemporaryDirectory()
    let writer = ObjectID([UInt8](repeating: 2, count: 16))
    let domain = DomainID(word: 77)
    try cache(directory).remember([writer: 5], domain)
    #expect(try cache(directory).remembered(domain) == [writer: 5])
    #expect(try cache(directory).remembered(.shared).isEmpty)
}

@Test func `a file of nonsense in the cache is no error`() throws {
    let directory = TemporaryDirectory()
    let cache = try cache(directory)
    let root = Path(directory.path) / ObjectID([UInt8](repeating: 1, count: 16)).description
    let nonsense = Array("no such thing\n0 0 0\n\u{0}".utf8)
    for name in ["writer", "slot", "seen-\(DomainID.shared)"] {
        try nonsense.withUnsafeBytes {
            try Directories(.kernel).create(root / name, $0, durable: false)
        }
    }
    #expect(try cache.remembered(.shared).isEmpty)
    #expect(try cache.lastSlot() == nil)
    _ = try cache.writer()
}

@Test func `a hint is given once`() throws {
    let directory = TemporaryDirectory()
    #expect(try cache(directory).isFirst("command"))
    #expect(try !cache(directory).isFirst("command"))
}
