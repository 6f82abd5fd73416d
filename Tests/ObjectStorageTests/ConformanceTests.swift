import Faults
import Files
import ObjectStorage
import Synchronization
import TestSupport
import Testing
import WireFormat

func id(_ seed: UInt8) -> ObjectID { ObjectID((0..<16).map { seed &+ $0 &* 17 }) }
let domain = DomainID([1, 2, 3, 4, 5, 6, 7, 8])

func block(_ seed: UInt8, _ count: Int) -> [UInt8] {
    (0..<count).map { seed &+ UInt8(truncatingIfNeeded: $0 &* 7) }
}

/// A name of every kind, in the order of their spellings.
let everyKind: [ObjectName] = [
    .commit(domain, id(1)), .config, .index(domain, id(2)), .key(id(3)), .pack(domain, id(4)),
    .record(.forgotten, id(5)), .record(.key, id(6)), .snapshot(domain, id(7)),
    .tombstone(.index, id(8)),
    .tombstone(.pack, id(9)), .tombstone(.snapshot, id(10)),
]

/// What every object store must do (`ObjectStore`'s contract). Also linked into Tests/S3Tests: what kinds of
/// stores there are says `StoreKind` of each.
struct ConformanceTests {
    private func isMissing(_ error: any Error, _ name: ObjectName) -> Bool {
        if case StorageError.missing(name) = error { true } else { false }
    }

    @Test(arguments: StoreKind.allCases)
    func `what was put is there, under every kind of name and at every length`(_ kind: StoreKind)
        throws
    {
        let (store, holder) = try kind.make()
        for (index, name) in everyKind.enumerated() {
            let bytes = block(UInt8(index), [0, 1, 100, 70_000, 3 << 20][index % 5])
            try store.put(name, bytes)
            #expect(try store.byteCount(of: name) == bytes.count)
            #expect(try store.get(name) == bytes)
        }
        withExtendedLifetime(holder) {}
    }

    @Test(arguments: StoreKind.allCases)
    func `any range of an object is read, and no byte beyond its end`(_ kind: StoreKind) throws {
        let (store, holder) = try kind.make()
        let bytes = block(1, 10_000)
        try store.put(.config, bytes)
        for range in [0..<0, 0..<1, 0..<10_000, 9_999..<10_000, 10_000..<10_000, 123..<4567] {
            #expect(try store.read(.config, range) == Array(bytes[range]))
        }
        for (offset, count, found) in [
            (0, 20_000, 10_000), (9_990, 100, 10), (10_000, 5, 0), (50_000, 5, 0),
        ] {
            var room = [UInt8](repeating: 0xaa, count: count)
            #expect(
                try room.withUnsafeMutableBytes { try store.read(.config, at: offset, into: $0) }
                    == found)
            #expect(Array(room.prefix(found)) == Array(bytes.dropFirst(offset).prefix(found)))
            #expect(room.dropFirst(found).allSatisfy { $0 == 0xaa })
        }
        for range in [9_999..<10_001, 0..<10_001, 10_001..<10_002] {
            #expect {
                try store.read(.config, range)
            } throws: {
                if case StorageError.tooShort(.config, range.upperBound, _) = $0 {
                    true
                } else {
                    false
                }
            }
        }
        withExtendedLifetime(holder) {}
    }

    @Test(arguments: StoreKind.guarding)
    func `an object is never put over another, and the first stays`(_ kind: StoreKind) throws {
        let (store, holder) = try kind.make()
        for name in everyKind {
            try store.put(name, [1, 2, 3])
            for bytes: [UInt8] in [[], [1, 2, 3], [9, 9, 9, 9]] {
                #expect {
                    try store.put(name, bytes)
                } throws: {
                    if case StorageError.exists(name) = $0 { true } else { false }
                }
            }
            #expect(try store.get(name) == [1, 2, 3])
        }
        withExtendedLifetime(holder) {}
    }

    @Test(arguments: StoreKind.allCases)
    func `what is missing is missing`(_ kind: StoreKind) throws {
        let (store, holder) = try kind.make()
        for name in everyKind {
            #expect(try store.byteCount(of: name) == nil)
            #expect(performing: { try store.get(name) }, throws: { isMissing($0, name) })
            #expect(performing: { try store.read(name, 0..<1) }, throws: { isMissing($0, name) })
            #expect(performing: { try store.read(name, 0..<0) }, throws: { isMissing($0, name) })
        }
        // The same id under another kind or domain is another object.
        try store.put(.snapshot(domain, id(1)), [1])
        #expect(try store.byteCount(of: .commit(domain, id(1))) == nil)
        #expect(try store.byteCount(of: .snapshot(.shared, id(1))) == nil)
        withExtendedLifetime(holder) {}
    }

    @Test(arguments: StoreKind.allCases)
    func `a removed object is gone, its name free, and removing it again no error`(
        _ kind: StoreKind
    ) throws {
        let (store, holder) = try kind.make()
        for name in everyKind { try store.remove(name) }
        for name in everyKind { try store.put(name, [1]) }
        for (index, name) in everyKind.enumerated() {
            try store.remove(name)
            #expect(try store.byteCount(of: name) == nil)
            try store.remove(name)
            for other in everyKind.dropFirst(index + 1) {
                #expect(try store.byteCount(of: other) == 1)
            }
        }
        try store.put(.config, [2])
        #expect(try store.get(.config) == [2])
        withExtendedLifetime(holder) {}
    }

    @Test(arguments: StoreKind.allCases)
    func `an object longer than a limit is refused before it is read`(_ kind: StoreKind) throws {
        let (store, holder) = try kind.make()
        try store.put(.config, block(1, 1000))
        #expect(try store.get(.config, limit: 1000).count == 1000)
        #expect {
            try store.get(.config, limit: 999)
        } throws: {
            if case StorageError.tooLong(.config, byteCount: 1000, limit: 999) = $0 {
                true
            } else {
                false
            }
        }
        withExtendedLifetime(holder) {}
    }

    // MARK: listing

    @Test(arguments: StoreKind.allCases)
    func `a listing has the objects of its folder, and no others`(_ kind: StoreKind) throws {
        let (store, holder) = try kind.make()
        let other = DomainID([9, 2, 3, 4, 5, 6, 7, 8])
        let names =
            everyKind + [
                .pack(other, id(1)), .index(other, id(1)), .snapshot(other, id(1)),
                .commit(other, id(1)), .key(id(99)),
            ]
        for (index, name) in names.enumerated() { try store.put(name, block(1, index)) }
        let folders: [(Folder, [ObjectName])] = [
            (.keys, [.key(id(3)), .key(id(99))]), (.packs(domain), [.pack(domain, id(4))]),
            (.index(domain), [.index(domain, id(2))]),
            (.snapshots(domain), [.snapshot(domain, id(7))]),
            (.commits(domain), [.commit(domain, id(1))]), (.packs(other), [.pack(other, id(1))]),
            (.packs(.shared), []), (.tombstones(.pack), [.tombstone(.pack, id(9))]),
            (.tombstones(.snapshot), [.tombstone(.snapshot, id(10))]),
            (.tombstones(.index), [.tombstone(.index, id(8))]),
            (.records(.forgotten), [.record(.forgotten, id(5))]),
            (.records(.key), [.record(.key, id(6))]), (.records(.hold), []),
            (.all(.packs), [.pack(domain, id(4)), .pack(other, id(1))]),
            (.all(.keys), [.key(id(3)), .key(id(99))]),
            (
                .all(.tombstones),
                [
                    .tombstone(.index, id(8)), .tombstone(.pack, id(9)),
                    .tombstone(.snapshot, id(10)),
                ]
            ),
            (.all(.records), [.record(.forgotten, id(5)), .record(.key, id(6))]),
            (.all(.commits), [.commit(domain, id(1)), .commit(other, id(1))]),
        ]
        for (folder, expected) in folders {
            let found = try store.list(folder)
            #expect(
                found.map { $0.name } == expected.sorted { $0.description < $1.description },
                "\(folder)")
            for object in found { #expect(object.byteCount == names.firstIndex(of: object.name)) }
        }
        withExtendedLifetime(holder) {}
    }

    @Test(arguments: StoreKind.allCases)
    func `a listing is in the order of its names, however the objects came`(_ kind: StoreKind)
        throws
    {
        let (store, holder) = try kind.make()
        var random = SeededRandom(seed: announcedSeed())
        var names: [ObjectName] = []
        for index in 0..<300 {
            let domain = DomainID(random.bytes(8).map { $0 & 1 })
            let name: ObjectName =
                index.isMultiple(of: 2)
                ? .pack(domain, ObjectID(random.bytes(16)))
                : .snapshot(domain, ObjectID(random.bytes(16)))
            names.append(name)
            try store.put(name, [1])
        }
        for root in [Folder.Root.packs, .snapshots] {
            let found = try store.list(.all(root)).map { $0.name.description }
            #expect(
                found
                    == names.map { $0.description }.filter { $0.hasPrefix(root.rawValue) }.sorted())
        }
        withExtendedLifetime(holder) {}
    }

    @Test(arguments: StoreKind.allCases)
    func `an empty store lists nothing`(_ kind: StoreKind) throws {
        let (store, holder) = try kind.make()
        for root in Folder.Root.allCases { #expect(try store.list(.all(root)).isEmpty) }
        #expect(try store.list(.keys).isEmpty && store.list(.packs(domain)).isEmpty)
        withExtendedLifetime(holder) {}
    }

    // MARK: many at once

    @Test(arguments: StoreKind.allCases)
    func `many puts at once all arrive`(_ kind: StoreKind) async throws {
        let (store, holder) = try kind.make()
        try await withThrowingTaskGroup(of: Void.self) { group in
            for writer: UInt8 in 0..<8 {
                group.addTask {
                    for round: UInt8 in 0..<20 {
                        try store.put(
                            .pack(domain, ObjectID([writer, round] + block(0, 14))),
                            block(writer, Int(round) * 500))
                    }
                }
            }
            try await group.waitForAll()
        }
        let found = try store.list(.packs(domain))
        #expect(found.count == 160)
        for object in found {
            guard case .pack(_, let id) = object.name else { continue }
            #expect(try store.get(object.name) == block(id.bytes[0], Int(id.bytes[1]) * 500))
        }
        withExtendedLifetime(holder) {}
    }

    @Test(arguments: StoreKind.guarding)
    func `of many puts under one name one wins, whole`(_ kind: StoreKind) async throws {
        let (store, holder) = try kind.make()
        for round: UInt8 in 0..<10 {
            let name = ObjectName.snapshot(domain, id(round))
            let won = await withTaskGroup(of: UInt8?.self) { group in
                for writer: UInt8 in 0..<8 {
                    group.addTask {
                        do {
                            try store.put(name, block(writer, 20_000))
                            return writer
                        } catch StorageError.exists(name) {
                            return nil
                        } catch {
                            return 255
                        }
                    }
                }
                return await group.reduce(into: [UInt8]()) {
                    if let winner = $1 { $0.append(winner) }
                }
            }
            #expect(won.count == 1)
            #expect(try store.get(name) == block(won.first ?? 255, 20_000))
        }
        withExtendedLifetime(holder) {}
    }

    @Test(arguments: StoreKind.allCases)
    func `whoever lists or reads while others put sees whole objects only`(_ kind: StoreKind)
        async throws
    {
        let (store, holder) = try kind.make()
        let done = Flag()
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask {
                defer { done.raise() }
                for round: UInt8 in 0..<100 {
                    try store.put(.pack(domain, id(round)), block(round, 100_000))
                }
            }
            group.addTask {
                while !done.isRaised {
                    for object in try store.list(.packs(domain)) {
                        #expect(object.byteCount == 100_000)
                        #expect(try store.get(object.name).count == 100_000)
                    }
                }
            }
            try await group.waitForAll()
        }
        #expect(try store.list(.packs(domain)).count == 100)
        withExtendedLifetime(holder) {}
    }
}

/// Raised once, seen by every thread.
private final class Flag: Sendable {
    private let state = Mutex(false)
    var isRaised: Bool { state.withLock { $0 } }
    func raise() { state.withLock { $0 = true } }
}
