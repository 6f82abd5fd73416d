import Faults
import ObjectStorage
import Operations
import Synchronization
import TestSupport
import Testing
import Vault
import WireFormat

/// How objects are damaged, all of them at once: each must be named whatever befell the others.
private enum Damaging: String, CaseIterable, CustomTestStringConvertible {
    case flipped, truncated

    var testDescription: String { rawValue }

    func damage(_ object: inout [UInt8], at place: Int, _ random: inout SeededRandom) {
        switch self {
        case .flipped: object[place] ^= UInt8(random.number(1...255))
        case .truncated: object.removeLast(object.count - place)
        }
    }
}

/// Shares of the places, so that long runs use every processor.
private let shares = 2

private let repository = Result { try DamagedRepository() }

@Test(arguments: Damaging.allCases, 0..<shares)
private func `every byte flipped and every length cut to is named by check`(
    _ damaging: Damaging, _ share: Int
) throws {
    let damaged = try repository.get()
    let counts = try damaged.names.map { try damaged.byteCount(of: $0) }
    var random = SeededRandom(seed: announcedSeed() &+ UInt64(share))
    let step = isLong ? shares : 997
    var (damages, runs) = (0, 0)
    let start = isLong ? share : random.number(0...(step - 1))
    for place in stride(from: start, to: counts.max() ?? 0, by: step) {
        let store = damaged.store()
        let vault = try damaged.open(store)
        var wanted: Set<String> = []
        for (name, count) in zip(damaged.names, counts) where place < count {
            store.tamper(name) { damaging.damage(&$0, at: place, &random) }
            wanted.insert("\(name)")
        }
        damages += wanted.count
        runs += 1
        let outcome = try damaged.check(vault)
        let missed = wanted.subtracting(outcome.damages.map { $0.object })
        #expect(missed.isEmpty, "\(damaging) at \(place): not named")
        #expect(
            outcome.exitCode == .damage || outcome.exitCode == .unknownVersion,
            "\(damaging) at \(place): \(outcome.exitCode)")
    }
    print(
        "# every byte: \(damages) damages (\(damaging.rawValue)) of \(damaged.names.count) objects, \(counts.reduce(0, +)) bytes, in \(runs) checks, each named; seed \(testSeed)"
    )
    #expect(damages > damaged.names.count)
}

/// One object at a time: everything of those that say what there is, some of those that hold data.
@Test(arguments: 0..<shares)
private func `no damaged byte ever comes out wrong`(_ share: Int) throws {
    let damaged = try repository.get()
    var random = SeededRandom(seed: announcedSeed() &+ UInt64(share))
    var (damages, told) = (0, 0)
    for name in damaged.names {
        let count = try damaged.byteCount(of: name)
        let isData = if case .pack = name { true } else { count > 20_000 }
        let step = (isLong ? 1 : 211) * (isData ? 101 : 1) * shares
        let start = isLong ? share : random.number(0...min(step, count) - 1)
        for place in stride(from: start, to: count, by: step) {
            for damaging in Damaging.allCases {
                let store = damaged.store()
                store.tamper(name) { damaging.damage(&$0, at: place, &random) }
                damages += 1
                #expect(
                    damaged.wrongRestores(store, &told) == [], "\(name), \(damaging) at \(place)")
            }
        }
    }
    print(
        "# every byte: \(damages) damages, all \(damaged.saved.count) snapshots restored after each: \(told) refused, the others whole; seed \(testSeed)"
    )
    #expect(told > 0)
}

@Test func `every two objects that changed places are named, and nothing comes out wrong`() throws {
    let damaged = try repository.get()
    var random = SeededRandom(seed: announcedSeed())
    var (swaps, told) = (0, 0)
    for (place, first) in damaged.names.enumerated() {
        for second in damaged.names[..<place] {
            guard isLong || random.number(0...7) == 0 else { continue }
            let store = damaged.store()
            let vault = try damaged.open(store)
            let (a, b) = (try store.get(first), try store.get(second))
            store.tamper(first) { $0 = b }
            store.tamper(second) { $0 = a }
            swaps += 1
            let what = "\(first) and \(second)"
            let outcome = try damaged.check(vault)
            #expect(outcome.exitCode != .done, "\(what)")
            let named = Set(outcome.damages.map { $0.object })
            #expect(named.isSuperset(of: ["\(first)", "\(second)"]), "\(what): \(named)")
            #expect(damaged.wrongRestores(store, &told) == [], "\(what)")
        }
    }
    print("# every byte: \(swaps) pairs of objects swapped, each named; seed \(testSeed)")
}

@Test func `every object that is gone is missed, or was a copy`() throws {
    let damaged = try repository.get()
    var (missed, copies, told) = (0, 0, 0)
    for name in damaged.names {
        let store = damaged.store()
        // One that saw it as it was.
        let cache = TemporaryDirectory()
        let vault = try damaged.open(store, cache: cache)
        _ = try History.load(vault)
        try store.remove(name)
        let outcome = try damaged.check(vault)
        let stays = damaged.wrongRestores(store, &told)
        #expect(stays == [], "\(name)")
        switch name {
        // An index object is a copy of what packs say, and tombstones and keys may be taken away.
        // What a record said shows when what it spoke of comes back.
        case .index, .key, .record, .tombstone: copies += 1
        case .pack(_, let id) where damaged.names.contains(.tombstone(.pack, id)): copies += 1
        default:
            missed += 1
            #expect(outcome.exitCode != .done, "\(name)")
        }
    }
    print("# every byte: \(missed) objects removed and missed, \(copies) that are copies or may go")
    #expect(missed >= 40 && damaged.names.contains { $0.isTombstone })
}

extension ObjectName {
    fileprivate var isTombstone: Bool { if case .tombstone = self { true } else { false } }
}
