import CLinux
import ChunkIndex
import Files
import Synchronization
import WireFormat

/// SplitMix64: the same seed, the same test.
struct Seeded: RandomNumberGenerator {
    private var state: UInt64
    init(_ seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var z = state
        z = (z ^ z >> 30) &* 0xbf58_476d_1ce4_e5b9
        z = (z ^ z >> 27) &* 0x94d0_49bb_1331_11eb
        return z ^ z >> 31
    }

    mutating func below(_ limit: Int) -> Int { Int.random(in: 0..<limit, using: &self) }
    mutating func chunk() -> ChunkID { ChunkID(words: (next(), next(), next())) }
    mutating func object() -> ObjectID { ObjectID((0..<16).map { _ in UInt8(truncatingIfNeeded: next()) }) }

    /// A pack of new chunks.
    mutating func pack(frames: Int, chunks: Int) -> IndexedPack {
        pack((0..<frames).map { _ in (0..<chunks).map { _ in chunk() } })
    }

    mutating func pack(_ frames: [[ChunkID]]) -> IndexedPack {
        IndexedPack(
            id: object(), contentClass: Bool.random(using: &self) ? .data : .list, byteCount: below(1 << 26),
            frames: frames)
    }
}

/// Printed by every seeded test, so that a failure can be seen again.
func seed(_ name: String = #function, _ number: UInt64 = 20_260_101) -> UInt64 {
    print("\(name): seed \(number)")
    return number
}

let systemRandom: @Sendable (Int) -> [UInt8] = { count in
    (0..<count).map { _ in UInt8.random(in: 0...255) }
}

/// A directory that is gone when the test is done.
final class Scratch: Sendable {
    let path: Path

    init() { path = Path("/tmp/repo-chunk-index-\(hexadecimal(systemRandom(8)))") }

    deinit {
        for name in names { _ = SystemCalls.kernel.unlink(path / name) }
        for name in names { _ = SystemCalls.kernel.rmdir(path / name) }
        _ = SystemCalls.kernel.rmdir(path)
    }

    var names: [Path] { (try? Directories(.kernel).names(path) ?? []) ?? [] }
    var byteCount: Int {
        names.reduce(0) { $0 + Int((try? Directories(.kernel).status(path / $1))??.st_size ?? 0) }
    }

    func open(_ calls: SystemCalls = .hasty, mapped: Int = ChunkIndex.mappedEntryBytesMax) throws -> ChunkIndex {
        try ChunkIndex(directory: path, calls: calls, randomBytes: systemRandom, mappedEntryBytesMax: mapped)
    }

    func contents(_ name: Path) throws -> [UInt8] {
        try Directories(.kernel).contents(of: path / name, limit: 1 << 30)
    }

    func write(_ bytes: [UInt8], to name: Path) throws {
        try Directories(.hasty).make(path)
        try Directories(.hasty).remove(path / name)
        var file = try Descriptor(creating: path / name, calls: .kernel)
        try bytes.withUnsafeBytes { try file.write($0) }
        try file.close()
    }
}

extension SystemCalls {
    /// The kernel, which need not make anything durable: the tests write thousands of small files.
    static let hasty = {
        var calls = SystemCalls.kernel
        calls.fsync = { _ in 0 }
        return calls
    }()
}

/// A number that several threads count.
final class Count: Sendable {
    private let number = Mutex(0)
    var value: Int { number.withLock { $0 } }
    /// Returns the number before.
    @discardableResult func next() -> Int {
        number.withLock {
            $0 += 1
            return $0 - 1
        }
    }
}

/// What the index must say: a dictionary.
struct Model {
    var places: [ChunkID: Set<ChunkPlace>] = [:]
    var packs: [ObjectID: IndexedPack] = [:]

    mutating func insert(_ packs: [IndexedPack]) {
        for pack in packs {
            self.packs[pack.id] = pack
            for (number, frame) in pack.frames.enumerated() {
                for id in frame { places[id, default: []].insert(ChunkPlace(pack: pack.id, frame: number)) }
            }
        }
    }

    /// The first difference between the model and the index, in words; nil where there is none.
    func difference(to index: ChunkIndex, absent: [ChunkID] = []) -> String? {
        for (id, places) in places {
            let found = index.places(of: id)
            if Set(found) != places || found.count != places.count { return "places of \(id): \(found), not \(places)" }
            guard let place = index.place(of: id) else { return "no place of \(id)" }
            if place != found.first { return "place of \(id): \(place), not the first of \(found)" }
            for wanted in places {
                let only = index.place(of: id) { $0.pack == wanted.pack }
                if only?.pack != wanted.pack { return "place of \(id) in \(wanted.pack): \(String(describing: only))" }
            }
            if index.place(of: id, where: { _ in false }) != nil { return "a place of \(id) in no pack" }
        }
        for id in absent where places[id] == nil {
            if let place = index.place(of: id) { return "place of \(id), which is not there: \(place)" }
        }
        var (seen, last): (Int, ChunkID?) = (0, nil)
        var wrong: String?
        index.forEachChunk { id, place in
            if let last, id < last { wrong = "\(id) after \(last)" }
            if places[id]?.contains(place) != true { wrong = "\(id) at \(place), which is not there" }
            (seen, last) = (seen + 1, id)
        }
        if let wrong { return wrong }
        let copies = places.values.reduce(0) { $0 + $1.count }
        if seen != copies { return "\(seen) entries in order, not \(copies)" }
        let found = index.packs
        if Set(found.keys) != Set(packs.keys) { return "packs: \(found.keys)" }
        for (id, pack) in packs {
            guard let facts = found[id], facts.contentClass == pack.contentClass, facts.byteCount == pack.byteCount
            else { return "pack \(id): \(String(describing: found[id]))" }
        }
        return nil
    }
}
