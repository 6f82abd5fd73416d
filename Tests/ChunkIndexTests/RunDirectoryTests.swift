import CLinux
import ChunkIndex
import Files
import Testing
import WireFormat

@Suite struct RunDirectoryTests {
    @Test func `the directory and its files are the owner's only`() throws {
        let scratch = Scratch()
        var random = Seeded(seed())
        try scratch.open().insert([random.pack(frames: 1, chunks: 5)], covering: [random.object()])
        let directory = try #require(try Directories(.kernel).status(scratch.path))
        let file = try #require(try Directories(.kernel).status(scratch.path / scratch.names[0]))
        #expect(directory.st_mode & 0o777 == 0o700 && file.st_mode & 0o777 == 0o600)
    }

    @Test func `two indexes in one directory lose nothing`() throws {
        for seed in seed()..<(seed() + 10) {
            let scratch = Scratch()
            var random = Seeded(seed)
            let both = [try scratch.open(), try scratch.open(mapped: 0)]
            var models = [Model(), Model()]
            var all = Model()
            for _ in 0..<30 {
                let which = random.below(2)
                let packs = [random.pack(frames: 2, chunks: 1 + random.below(50))]
                models[which].insert(packs)
                all.insert(packs)
                try both[which].insert(packs, covering: [random.object()])
                for number in 0..<2 { #expect(models[number].difference(to: both[number]) == nil) }
            }
            let third = try scratch.open()
            #expect(all.difference(to: third) == nil && third.covered.count == 30)
            try third.insert([random.pack(frames: 60, chunks: 200)], covering: [random.object()])
            #expect(all.places.keys.allSatisfy { third.place(of: $0) != nil } && scratch.names.count == 1)
        }
    }

    @Test(arguments: [0, 1 << 30]) func `a run that vanishes while open still answers`(mapped: Int) throws {
        let scratch = Scratch()
        var random = Seeded(seed())
        var model = Model()
        let index = try scratch.open(mapped: mapped)
        let packs = [random.pack(frames: 2, chunks: 100)]
        model.insert(packs)
        try index.insert(packs, covering: [random.object()])
        for name in scratch.names { try Directories(.kernel).remove(scratch.path / name) }
        #expect(model.difference(to: index) == nil)
        // And is merged into the next, which has a file again.
        let more = [random.pack(frames: 2, chunks: 100)]
        model.insert(more)
        try index.insert(more, covering: [random.object()])
        #expect(model.difference(to: index) == nil)
        #expect(model.difference(to: try scratch.open()) == nil)
    }

    @Test(arguments: [true, false]) func `a run merged away after the listing is found in its successor`(
        atOpening: Bool
    ) throws {
        let scratch = Scratch()
        var random = Seeded(seed())
        var model = Model()
        let other = try scratch.open()
        let packs = (0..<2).map { _ in random.pack(frames: 2, chunks: 100) }
        model.insert(packs)
        let objects = [random.object(), random.object()]
        try other.insert([packs[0]], covering: [objects[0]])
        let listings = Count()
        var calls = SystemCalls.hasty
        // The first run opened, or examined, is gone by then.
        let merge: @Sendable (Path) -> Void = { path in
            if path.name.bytes.starts(with: "run".utf8), listings.next() == 0 {
                try? other.insert([packs[1]], covering: [objects[1]])
            }
        }
        calls.open = { path, flags, mode in
            if atOpening { merge(path) }
            return SystemCalls.kernel.open(path, flags, mode)
        }
        calls.lstat = { path, status in
            if !atOpening { merge(path) }
            return SystemCalls.kernel.lstat(path, &status)
        }
        let index = try scratch.open(calls)
        #expect(model.difference(to: index) == nil && index.covered == Set(objects))
    }

    @Test func `files of others are left alone`() throws {
        let scratch = Scratch()
        var random = Seeded(seed())
        let index = try scratch.open()
        try index.insert([random.pack(frames: 1, chunks: 5)], covering: [random.object()])
        let name = scratch.names[0]
        try scratch.write(Array("hello".utf8), to: "notes")
        try scratch.write(try scratch.contents(name), to: "run1-of-another-version")
        _ = SystemCalls.kernel.mkdir(scratch.path / "run3-directory", 0o700)
        _ = SystemCalls.kernel.symlink("run1-of-another-version", scratch.path / "run3-link")
        #expect(try scratch.open().entryCount == 5)
        #expect(scratch.names.count == 5)
    }

    @Test func `what a dead writer left is removed a day later`() throws {
        let scratch = Scratch()
        var random = Seeded(seed())
        try scratch.write([1, 2, 3], to: "part3-dead")
        try scratch.write([1, 2, 3], to: "part3-alive")
        let now = try #require(try Directories(.kernel).status(scratch.path / "part3-alive")).st_mtim.tv_sec
        _ = SystemCalls.kernel.setTimes(scratch.path / "part3-dead", Int64(now - 90_000), 0)
        let index = try scratch.open()
        #expect(scratch.names == ["part3-alive", "part3-dead"])
        try index.insert([random.pack(frames: 1, chunks: 5)], covering: [random.object()])
        #expect(scratch.names.count == 2 && scratch.names.contains("part3-alive"))
    }

    @Test func `a new chunk costs no read of entries, a known one costs one`() throws {
        let scratch = Scratch()
        var random = Seeded(seed())
        let packs = (0..<50).map { _ in random.pack(frames: 10, chunks: 40) }
        try scratch.open().insert(packs, covering: [random.object()])
        let reads = Count()
        var calls = SystemCalls.hasty
        calls.pread = { file, to, count, at in
            reads.next()
            return SystemCalls.kernel.pread(file, to, count, at)
        }
        let index = try scratch.open(calls, mapped: 0)
        let atStart = reads.value
        for _ in 0..<20_000 { #expect(index.place(of: random.chunk()) == nil) }
        let missed = reads.value - atStart
        for pack in packs { for id in pack.frames.joined() { #expect(index.place(of: id)?.pack == pack.id) } }
        let hit = reads.value - atStart - missed
        print("reads: \(missed) for 20,000 new chunks, \(hit) for 20,000 known")
        #expect(missed <= 400 && hit == 20_000)
    }
}

@Suite struct RunDirectoryFaultTests {
    @Test func `a full disk refuses the insert and changes nothing`() throws {
        for room in [0, 100, 2000, 20_000] {
            let scratch = Scratch()
            var random = Seeded(seed())
            var model = Model()
            let isFull = Count()
            var calls = SystemCalls.hasty
            calls.pwrite = { file, from, count, at in
                if isFull.value == 1 && Int(at) + count > room { return -Int(ENOSPC) }
                return SystemCalls.kernel.pwrite(file, from, count, at)
            }
            let index = try scratch.open(calls)
            let packs = [random.pack(frames: 10, chunks: 100)]
            model.insert(packs)
            try index.insert(packs, covering: [random.object()])
            let (covered, names) = (index.covered, scratch.names)
            isFull.next()
            let more = [random.pack(frames: 10, chunks: 100)]
            let error = #expect(throws: FileError.self) { try index.insert(more, covering: [random.object()]) }
            #expect(error?.code == ENOSPC)
            #expect(model.difference(to: index) == nil && index.covered == covered && scratch.names == names)
            isFull.next()
            model.insert(more)
            try index.insert(more, covering: [random.object()])
            #expect(try model.difference(to: index) == nil && model.difference(to: scratch.open()) == nil)
        }
    }

    @Test func `where there is no room to merge, the new run stands alone`() throws {
        let scratch = Scratch()
        var random = Seeded(seed())
        var model = Model()
        var calls = SystemCalls.hasty
        calls.pwrite = { file, from, count, at in
            if Int(at) + count > 40_000 { return -Int(ENOSPC) }
            return SystemCalls.kernel.pwrite(file, from, count, at)
        }
        let index = try scratch.open(calls)
        for _ in 0..<5 {
            let packs = [random.pack(frames: 10, chunks: 100)]
            model.insert(packs)
            try index.insert(packs, covering: [random.object()])
        }
        #expect(scratch.names.count == 5)
        #expect(try model.difference(to: index) == nil && model.difference(to: scratch.open()) == nil)
        // With room again, all become one.
        let again = try scratch.open()
        try again.insert([random.pack(frames: 1, chunks: 500)], covering: [random.object()])
        #expect(scratch.names.count == 1 && model.places.keys.allSatisfy { again.place(of: $0) != nil })
    }

    /// The n-th call that opens, reads, writes, renames or lists fails, alone or with all that follow.
    @Test(arguments: [EIO, ENOSPC, EROFS, EMFILE], [true, false])
    func `a call that fails leaves what is covered true`(code: Int32, once: Bool) throws {
        var (failed, passed) = (0, 0)
        // Every second time the new run is too small to be merged with the first.
        for step in 0..<400 {
            let number = step / 2
            let scratch = Scratch()
            var random = Seeded(1)
            let packs = [60, step % 2 == 0 ? 60 : 10].map { random.pack(frames: 2, chunks: $0) }
            let objects = (0..<2).map { _ in random.object() }
            /// What an index must know that covers these.
            func model(_ covered: Set<ObjectID>) -> Model {
                var model = Model()
                for (object, pack) in zip(objects, packs) where covered.contains(object) { model.insert([pack]) }
                return model
            }
            try scratch.open().insert([packs[0]], covering: [objects[0]])

            let (count, isOver) = (Count(), Count())
            let calls = SystemCalls.hasty.failing {
                if isOver.value > 0 { return nil }
                let call = count.next()
                return call == number || (!once && call > number) ? code : nil
            }
            do throws(FileError) {
                let index = try ChunkIndex(directory: scratch.path, calls: calls, randomBytes: systemRandom)
                let atStart = index.covered
                do throws(FileError) {
                    try index.insert([packs[1]], covering: [objects[1]])
                    isOver.next()
                    #expect(index.covered.contains(objects[1]))
                    passed += 1
                } catch {
                    isOver.next()
                    #expect(error.code == code || error.code == EIO)
                    #expect(index.covered.isSubset(of: atStart))
                    failed += 1
                }
                #expect(model(index.covered).difference(to: index) == nil)
            } catch {
                #expect(error.code == code)
                failed += 1
            }
            let again = try scratch.open()
            #expect(model(again.covered).difference(to: again) == nil)
            #expect(!scratch.names.contains { $0.bytes.starts(with: "part".utf8) })
            if count.value <= number && step % 2 == 0 { break }
            #expect(number < 199)
        }
        print("\(failed) inserts failed, \(passed) did not")
        #expect(failed > 5 && passed > 5)
    }
}

extension SystemCalls {
    /// Asks `fault` before each call; what it returns is the call's error.
    fileprivate func failing(_ fault: @escaping @Sendable () -> Int32?) -> SystemCalls {
        var calls = self
        calls.open = { path, flags, mode in fault().map { -$0 } ?? self.open(path, flags, mode) }
        calls.pread = { file, to, count, at in fault().map { -Int($0) } ?? self.pread(file, to, count, at) }
        calls.pwrite = { file, from, count, at in fault().map { -Int($0) } ?? self.pwrite(file, from, count, at) }
        calls.fsync = { file in fault().map { -$0 } ?? self.fsync(file) }
        calls.fstat = { file, status in fault().map { -$0 } ?? self.fstat(file, &status) }
        calls.lstat = { path, status in fault().map { -$0 } ?? self.lstat(path, &status) }
        calls.close = { file in
            let result = self.close(file)
            return fault().map { -$0 } ?? result
        }
        calls.renameNoReplace = { from, to in fault().map { -$0 } ?? self.renameNoReplace(from, to) }
        calls.names = { path in fault().map { .failed(-$0) } ?? self.names(path) }
        return calls
    }
}
