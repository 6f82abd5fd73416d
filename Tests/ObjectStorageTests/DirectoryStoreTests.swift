import CLinux
import Files
import ObjectStorage
import TestSupport
import Testing
import WireFormat

/// What only a store on a directory has: files, their order of writing, and a kernel that fails.
struct DirectoryStoreTests {
    private let holder = TemporaryDirectory()
    private var root: Path { Path(holder.path) / "store" }
    private let name = ObjectName.pack(domain, id(1))
    private var target: Path { root / name.description }

    private func store(_ calls: SystemCalls = .kernel) -> DirectoryStore {
        let random = SharedRandom(seed: testSeed)
        return DirectoryStore(root, calls: calls, randomBytes: { random.bytes($0) })
    }

    private func write(_ path: String, _ bytes: [UInt8]) throws {
        try Directories(.kernel).make((root / path).parent)
        try bytes.withUnsafeBytes {
            try Directories(.kernel).create(root / path, $0, durable: false)
        }
    }

    private func names(_ path: Path) throws -> [Path] { try Directories(.kernel).names(path) ?? [] }

    // MARK: files

    @Test func `an object is a file under its name, for its owner only`() throws {
        for name in everyKind {
            try store().put(name, [1, 2, 3])
            let path = root / name.description
            #expect(try Directories(.kernel).contents(of: path, limit: 10) == [1, 2, 3])
            #expect(try #require(try Directories(.kernel).status(path)).st_mode & 0o7777 == 0o600)
            var parent = path.parent
            while parent != root.parent {
                #expect(
                    try #require(try Directories(.kernel).status(parent)).st_mode & 0o7777 == 0o700)
                parent = parent.parent
            }
        }
        #expect(try names(root / "tmp") == [])
        #expect(store().location == root.description && store().isNear)
    }

    @Test func `listings ignore what is no object`() throws {
        let store = store()
        try store.put(name, [1])
        try store.put(.key(id(2)), [2, 2])
        let id = id(3).description
        for foreign in [
            "packs/README", "packs/\(domain)/\(id)", "packs/\(domain)/zz/\(id)",
            "packs/\(domain)/\(id.prefix(2))/\(id).tmp",
            "packs/\(domain)/\(id.prefix(2))/.\(id)",
            "packs/\(domain)/\(id.prefix(2))/\(id.uppercased())",
            "packs/\(domain)/\(id.prefix(2))/x/\(id)", "packs/lost+found/x", "keys/\(id)~",
            "keys/sub/\(id)", "keys/.nfs0001",
            "tmp/\(id)", "other/\(id)", "records/nothing/\(id)", "records/\(id)", "notes.txt",
        ] { try write(foreign, [9]) }
        try Directories(.kernel).make(
            root / "keys" / WireFormat.ObjectID(block(77, 16)).description)
        #expect(
            SystemCalls.kernel.symlink(
                root / "notes.txt", root / "keys" / ObjectID(block(78, 16)).description) == 0)
        try write("snapshots/README", [1])
        #expect(
            SystemCalls.kernel.symlink(root / "packs/\(domain)", root / "snapshots/\(domain)") == 0)
        #expect(
            SystemCalls.kernel.makeNode(
                root / "keys" / ObjectID(block(79, 16)).description, mode_t(S_IFIFO) | 0o600, 0)
                == 0)
        let strange = Path(bytes: [0xff, 0xfe])
        try [UInt8(1)].withUnsafeBytes {
            try Directories(.kernel).create(root / "keys" / strange, $0, durable: false)
        }
        #expect(try store.list(.all(.packs)).map { $0.name } == [name])
        #expect(try store.list(.keys).map { $0.name } == [.key(ObjectStorageTests.id(2))])
        #expect(try store.list(.keys).map { $0.byteCount } == [2])
        for root in [Folder.Root.snapshots, .records, .index, .commits, .tombstones] {
            #expect(try store.list(.all(root)).isEmpty, "\(root)")
        }
    }

    @Test func `an object's time is the file's, in milliseconds`() throws {
        try store().put(.key(id(1)), [1])
        #expect(
            SystemCalls.kernel.setTimes(
                root / ObjectName.key(id(1)).description, 1_700_000_000, 123_456_789) == 0)
        #expect(try store().list(.keys).map { $0.modified } == [1_700_000_000_123])
    }

    @Test func `a repository may be made where nothing is, or an empty directory`() throws {
        #expect(try store().isFree())
        #expect(try !store().hasConfigOrKeys())
        try Directories(.kernel).make(root)
        #expect(try store().isFree())
        try write("x", [1])
        #expect(try !store().isFree())
        #expect(try !store().hasConfigOrKeys())
        try store().put(.key(id(1)), [1])
        #expect(try store().hasConfigOrKeys())
        try store().remove(.key(id(1)))
        try store().put(.config, [1])
        #expect(try store().hasConfigOrKeys())
        let file = DirectoryStore(root / "x", calls: .kernel, randomBytes: { block(1, $0) })
        #expect(try !file.isFree())
    }

    // MARK: order

    private static let written = [
        "open", "write", "fsync", "close", "renameNoReplace", "mkdir", "unlink",
    ]

    @Test
    func
        `a file is flushed and closed before it gets its name, and its directory is flushed after`()
        throws
    {
        try store().put(name, [1])
        try store().remove(name)
        let gated = GatedCalls()
        try store(gated.calls).put(name, block(1, 1000))
        let temporary = try #require(gated.made.first { $0.name == "write" }?.path)
        #expect(temporary.parent == root / "tmp")
        #expect(
            gated.made.filter { Self.written.contains($0.name) } == [
                .init(name: "open", path: temporary), .init(name: "write", path: temporary),
                .init(name: "fsync", path: temporary), .init(name: "close", path: temporary),
                .init(name: "renameNoReplace", path: target),
                .init(name: "open", path: target.parent),
                .init(name: "fsync", path: target.parent),
                .init(name: "close", path: target.parent),
            ])
    }

    @Test func `directories made on the way are durable before the object has its name`() throws {
        let gated = GatedCalls()
        try store(gated.calls).put(name, [1])
        let steps = gated.made.filter { ["mkdir", "fsync", "renameNoReplace"].contains($0.name) }
            .map { "\($0)" }
        let rename = try #require(steps.firstIndex { $0.hasPrefix("renameNoReplace") })
        for (index, step) in steps.enumerated() where step.hasPrefix("mkdir ") {
            let made = Path(String(step.dropFirst("mkdir ".count)))
            let flushed = try #require(steps[index...].firstIndex(of: "fsync \(made.parent)"))
            #expect(flushed < rename)
        }
        #expect(steps.filter { $0.hasPrefix("mkdir ") }.count == 5)
        #expect(steps.last == "fsync \(target.parent)")
    }

    @Test func `a removal is durable when it returns`() throws {
        try store().put(name, [1])
        let gated = GatedCalls()
        try store(gated.calls).remove(name)
        #expect(
            gated.made.filter { ["unlink", "fsync"].contains($0.name) }
                == [.init(name: "unlink", path: target), .init(name: "fsync", path: target.parent)])
    }

    @Test func `an object is read through one descriptor that is closed again`() throws {
        try store().put(name, block(1, 1000))
        let gated = GatedCalls()
        _ = try store(gated.calls).read(name, 10..<20)
        #expect(gated.made.map { $0.name } == ["open", "pread", "close"])
        #expect(gated.openCount == 0)
    }

    // MARK: failures

    /// Puts with the call number `failing` refused, and says how many calls there were.
    private func put(failing: Int, _ code: Int32) -> (
        calls: [GatedCalls.Call], error: (any Error)?, open: Int
    ) {
        let gated = GatedCalls { _, index in index == failing ? -code : nil }
        do {
            try store(gated.calls).put(name, block(1, 1000))
            return (gated.made, nil, gated.openCount)
        } catch {
            return (gated.made, error, gated.openCount)
        }
    }

    /// A directory that cannot be flushed is the one case that leaves an object: it has its name,
    /// whole, and others may rely on it already, so only prune may take it away (docs/format.md,
    /// section 15).
    @Test(arguments: [EIO, ENOSPC, EACCES, EINTR])
    func `a put that fails at any call leaves no part of an object and no file behind`(
        _ code: Int32
    ) throws {
        var failing = 0
        var failed: Set<String> = []
        while true {
            try Directories(.kernel).make(root)
            let (calls, error, open) = put(failing: failing, code)
            #expect(open == 0)
            guard failing < calls.count else {
                #expect(error == nil)
                break
            }
            let call = calls[failing]
            let renamed = calls[..<failing].contains { $0.name == "renameNoReplace" }
            let present = try store().byteCount(of: name)
            if let error {
                failed.insert(call.name)
                #expect((error as? FileError)?.code == code, "\(call): \(error)")
                if renamed {
                    let found = try present.map { _ in try store().get(name) }
                    #expect(found == nil || found == block(1, 1000), "\(call)")
                } else {
                    #expect(present == nil, "\(call)")
                }
            } else {
                // Only what a signal interrupts is made again, and a close it interrupts has
                // closed.
                #expect(
                    code == EINTR && ["open", "write", "close"].contains(call.name)
                        || call.name == "close", "\(call)")
                #expect(try store().get(name) == block(1, 1000))
            }
            if call.name != "unlink" { #expect(try names(root / "tmp") == [], "\(call)") }
            try store().remove(name)
            for remains in try names(root / "tmp") {
                try Directories(.kernel).remove(root / "tmp" / remains)
            }
            removeDirectories(below: root)
            failing += 1
        }
        #expect(failing > 20, "the run came through every call")
        #expect(failed.isSuperset(of: ["stat", "mkdir", "fsync", "renameNoReplace"]))
    }

    /// Back to an empty root, so that every run makes its directories anew.
    private func removeDirectories(below path: Path) {
        for name in (try? names(path)) ?? [] {
            removeDirectories(below: path / name)
            _ = SystemCalls.kernel.rmdir(path / name)
        }
    }

    @Test func `a put that fails can be made again`() throws {
        for failing in 0..<60 {
            let (calls, error, _) = put(failing: failing, EIO)
            if error != nil, try store().byteCount(of: name) == nil {
                try store().put(name, block(1, 1000))
            }
            #expect(try store().get(name) == block(1, 1000))
            try store().remove(name)
            if failing >= calls.count { break }
        }
    }

    @Test func `without a rename that refuses to replace, a link refuses`() throws {
        let gated = GatedCalls { call, _ in call.name == "renameNoReplace" ? -EINVAL : nil }
        try store(gated.calls).put(name, [1])
        #expect(throws: StorageError.self) { try store(gated.calls).put(name, [2]) }
        #expect(try store().get(name) == [1])
        #expect(try names(root / "tmp") == [])
    }

    @Test func `where there is no room the reserve makes some, for what frees more`() throws {
        let reserve = root / "tmp/reserve"
        func reserveBytes() throws -> Int? {
            try Directories(.kernel).status(reserve).map { Int($0.st_size) }
        }
        store().makeReserve()
        #expect(try reserveBytes() == 128 << 10)
        // It is no remains of anything.
        #expect(try store().removeRemains(before: .max) == 0 && reserveBytes() != nil)
        let full = GatedCalls { call, _ in
            guard call.name == "write" else { return nil }
            return (try? Directories(.kernel).status(reserve)) == nil ? nil : -ENOSPC
        }
        #expect(throws: FileError.self) { try store(full.calls).put(name, [1]) }
        #expect(try reserveBytes() != nil)
        try store(full.calls).put(.tombstone(.pack, id(1)), [1])
        #expect(try store().get(.tombstone(.pack, id(1))) == [1] && names(root / "tmp") == [])
        // Half of one is made whole, and a cache has none.
        try write("tmp/reserve", [1, 2])
        store().makeReserve()
        #expect(try reserveBytes() == 128 << 10)
        try store().put(.record(.hold, id(2)), [2])
        #expect(try reserveBytes() != nil)
        try Directories(.kernel).remove(reserve)
        DirectoryStore(root, calls: .kernel, randomBytes: { _ in [] }, isDurable: false).makeReserve()
        #expect(try reserveBytes() == nil)
    }

    @Test func `what has its name already when its directory finds no room is told as that`() throws {
        let stone = ObjectName.tombstone(.pack, id(1))
        try Directories(.kernel).make((root / stone.description).parent)
        let parent = (root / stone.description).parent
        let full = GatedCalls { call, _ in
            call.name == "fsync" && call.path == parent ? -ENOSPC : nil
        }
        let error = #expect(throws: FileError.self) { try store(full.calls).put(stone, [1]) }
        #expect(error?.code == ENOSPC)
        #expect(try store().get(stone) == [1] && names(root / "tmp") == [])
    }

    @Test func `a disk that stays full has no reserve, and says so where one would be needed`() throws {
        let full = GatedCalls { call, _ in call.name == "write" ? -EDQUOT : nil }
        store(full.calls).makeReserve()
        #expect(try names(root / "tmp") == [])
        let error = #expect(throws: FileError.self) {
            try store(full.calls).put(.tombstone(.pack, id(1)), [1])
        }
        #expect(error?.code == EDQUOT)
    }

    @Test func `no randomness, no object`() throws {
        struct NoEntropy: Error {}
        let store = DirectoryStore(root, calls: .kernel, randomBytes: { _ in throw NoEntropy() })
        #expect(throws: NoEntropy.self) { try store.put(name, [1]) }
        #expect(try Directories(.kernel).status(root) == nil)
    }

    @Test func `a temporary name that is taken fails the put, and what has it stays whole`() throws
    {
        try write("tmp/" + hexadecimal([UInt8](repeating: 7, count: 16)), [5, 5])
        let store = DirectoryStore(
            root, calls: .kernel, randomBytes: { [UInt8](repeating: 7, count: $0) })
        #expect(throws: FileError.self) { try store.put(name, [1]) }
        #expect(try store.byteCount(of: name) == nil)
        let path = root / "tmp" / hexadecimal([UInt8](repeating: 7, count: 16))
        #expect(try Directories(.kernel).contents(of: path, limit: 10) == [5, 5])
    }

    @Test(arguments: ["lstat", "names"])
    func `a listing that cannot be complete is an error`(_ name: String) throws {
        try store().put(self.name, [1])
        let gated = GatedCalls { call, _ in call.name == name ? -EIO : nil }
        #expect(throws: FileError.self) { try store(gated.calls).list(.all(.packs)) }
    }

    @Test func `a file that goes while it is listed was not there`() throws {
        try store().put(name, [1])
        try store().put(.pack(domain, id(2)), [1])
        let gone = target
        let gated = GatedCalls { call, _ in
            if call.name == "lstat" && call.path == gone { _ = SystemCalls.kernel.unlink(gone) }
            return nil
        }
        #expect(
            try store(gated.calls).list(.packs(domain)).map { $0.name } == [.pack(domain, id(2))])
    }

    @Test(arguments: ["open", "pread"])
    func `a read that fails is an error and not a missing object`(_ call: String) throws {
        try store().put(name, block(1, 100))
        for code in [EIO, EACCES] {
            let gated = GatedCalls { made, _ in made.name == call ? -code : nil }
            #expect {
                try store(gated.calls).read(name, 0..<10)
            } throws: { ($0 as? FileError)?.code == code }
            #expect(gated.openCount == 0)
        }
    }

    @Test func `an object that gets shorter while it is read is told`() throws {
        try store().put(name, block(1, 100))
        let path = target
        let gated = GatedCalls { call, _ in
            if call.name == "open" {
                if let file = try? Descriptor(
                    path, flags: O_RDWR, mode: 0, calls: .kernel, action: "open")
                {
                    try? file.truncate(to: 40)
                }
            }
            return nil
        }
        #expect {
            try store(gated.calls).get(name)
        } throws: {
            if case StorageError.tooShort(name, wanted: 100, got: 40) = $0 { true } else { false }
        }
    }
}
