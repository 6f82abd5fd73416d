import CLinux
import Files
import Synchronization
import TestSupport
import Testing

/// Descriptors over a kernel that interrupts, shortens, lies and fails: the right result or a
/// `FileError`, never a wrong result and never a hang.
struct DescriptorTests {
    private let directory = TemporaryDirectory()
    private var file: Path { directory.path("file") }

    /// The kernel, interrupted so many times before every call that may be made again.
    private func interrupting(_ times: Int) -> SystemCalls {
        let left = Mutex(times)
        /// Whether this call is interrupted; after so many the next passes.
        @Sendable func interrupts() -> Bool {
            left.withLock { left in
                left -= 1
                if left >= 0 { return true }
                left = times
                return false
            }
        }
        let kernel = SystemCalls.kernel
        var calls = kernel
        calls.open = { interrupts() ? -EINTR : kernel.open($0, $1, $2) }
        calls.read = { interrupts() ? -Int(EINTR) : kernel.read($0, $1, $2) }
        calls.pread = { interrupts() ? -Int(EINTR) : kernel.pread($0, $1, $2, $3) }
        calls.write = { interrupts() ? -Int(EINTR) : kernel.write($0, $1, $2) }
        calls.pwrite = { interrupts() ? -Int(EINTR) : kernel.pwrite($0, $1, $2, $3) }
        calls.truncate = { interrupts() ? -EINTR : kernel.truncate($0, $1) }
        return calls
    }

    /// The kernel, doing at most `most` bytes at a time, some random number of them.
    private func shortening(_ most: Int, _ seed: UInt64) -> SystemCalls {
        let random = Mutex(SeededRandom(seed: seed))
        @Sendable func some(_ count: Int) -> Int {
            random.withLock { $0.number(1...max(1, min(most, count))) }
        }
        let kernel = SystemCalls.kernel
        var calls = kernel
        calls.read = { kernel.read($0, $1, some($2)) }
        calls.pread = { kernel.pread($0, $1, some($2), $3) }
        calls.write = { kernel.write($0, $1, some($2)) }
        calls.pwrite = { kernel.pwrite($0, $1, some($2), $3) }
        return calls
    }

    /// Writes and reads back in every way there is.
    private func checkRoundTrip(_ calls: SystemCalls, _ bytes: [UInt8]) throws {
        _ = SystemCalls.kernel.unlink(file)
        try create(file, bytes, calls, durable: true)
        #expect(try contents(file) == bytes)
        #expect(try Directories(calls).contents(of: file, limit: bytes.count) == bytes)
        let reader = try Descriptor(reading: file, calls: calls)
        for (offset, count) in [
            (0, bytes.count), (1, bytes.count), (bytes.count / 2, 10), (bytes.count, 5),
        ] {
            #expect(
                try read(reader, at: offset, count) == Array(bytes.dropFirst(offset).prefix(count)))
        }
        let writer = try Descriptor(file, flags: O_RDWR, mode: 0, calls: calls, action: "open")
        let patch = block(99, 3000)
        try patch.withUnsafeBytes { try writer.write($0, at: 100) }
        #expect(try read(writer, at: 100, patch.count) == patch)
        try writer.truncate(to: 50)
        #expect(try contents(file) == Array((bytes + patch).prefix(50)))
    }

    private func read(_ file: borrowing Descriptor, at offset: Int, _ count: Int) throws -> [UInt8]
    {
        var room = [UInt8](repeating: 0xaa, count: count + 8)
        let done = try room.withUnsafeMutableBytes {
            try file.read(at: offset, into: UnsafeMutableRawBufferPointer(rebasing: $0[..<count]))
        }
        #expect(room.suffix(8).allSatisfy { $0 == 0xaa })
        return Array(room.prefix(done))
    }

    @Test(arguments: [1, 3, 50])
    func `calls that signals interrupt are made again`(_ times: Int) throws {
        try checkRoundTrip(interrupting(times), block(1, 10_000))
    }

    @Test(arguments: [1, 7, 1000])
    func `calls that do a part are made for the rest`(_ most: Int) throws {
        try checkRoundTrip(shortening(most, announcedSeed()), block(2, 10_000))
    }

    @Test func `a kernel that says it did more than it was asked is not believed`() throws {
        try create(file, block(3, 1000))
        var calls = SystemCalls.kernel
        calls.read = { _, _, count in count + 1 }
        calls.pread = { _, _, count, _ in count + 1 }
        calls.write = { _, _, count in count + 1 }
        calls.pwrite = { _, _, count, _ in count + 1 }
        let open = try Descriptor(file, flags: O_RDWR, mode: 0, calls: calls, action: "open")
        expectFileError(EIO) { _ = try read(open, at: 0, 100) }
        var room = [UInt8](repeating: 0, count: 100)
        expectFileError(EIO) { _ = try room.withUnsafeMutableBytes { try open.read(into: $0) } }
        expectFileError(EIO) { try room.withUnsafeBytes { try open.write($0) } }
        expectFileError(EIO) { try room.withUnsafeBytes { try open.write($0, at: 0) } }
        expectFileError(EIO) { _ = try Directories(calls).contents(of: file, limit: 1 << 20) }
        #expect(try contents(file) == block(3, 1000))
    }

    @Test func `a write of nothing is an error and no endless loop`() throws {
        var calls = SystemCalls.kernel
        calls.write = { _, _, _ in 0 }
        calls.pwrite = { _, _, _, _ in 0 }
        expectFileError(EIO) { try create(file, [1], calls) }
        let open = try Descriptor(file, flags: O_RDWR, mode: 0, calls: calls, action: "open")
        expectFileError(EIO) { try [UInt8(1)].withUnsafeBytes { try open.write($0, at: 0) } }
    }

    @Test func `a file that ends early gives what it has`() throws {
        try create(file, block(4, 100))
        let open = try Descriptor(reading: file, calls: .kernel)
        #expect(try read(open, at: 60, 100) == Array(block(4, 100)[60...]))
        #expect(try read(open, at: 100, 10) == [])
        #expect(try read(open, at: 5000, 10) == [])
        #expect(try read(open, at: 0, 0) == [])
        var room = [UInt8](repeating: 0, count: 200)
        #expect(try room.withUnsafeMutableBytes { try open.read(into: $0) } == 100)
        #expect(try room.withUnsafeMutableBytes { try open.read(into: $0) } == 0)
        #expect(try open.read(into: UnsafeMutableRawBufferPointer(start: nil, count: 0)) == 0)
    }

    @Test(arguments: [ENOSPC, EIO, EDQUOT, EROFS])
    func `what the kernel cannot do is told, after whatever was done`(_ code: Int32) throws {
        let kernel = SystemCalls.kernel
        let room = Mutex(1500)
        var calls = kernel
        calls.write = { number, bytes, count in
            room.withLock { room in
                guard room > 0 else { return -Int(code) }
                let done = kernel.write(number, bytes, min(count, room, 1000))
                room -= done
                return done
            }
        }
        expectFileError(code) { try create(file, block(5, 5000), calls) }
        #expect(try contents(file) == Array(block(5, 5000).prefix(1500)))
    }

    @Test(arguments: [
        "open", "read", "pread", "write", "pwrite", "fsync", "close", "truncate", "fstat", "seek",
    ])
    func `every call that fails is told with its code, and every descriptor is closed`(
        _ name: String
    ) throws {
        try create(file, block(6, 100))
        for code in [EIO, ENOSPC, EACCES] {
            let gated = GatedCalls { call, _ in call.name == name ? -code : nil }
            expectFileError(code, name) {
                var open = try Descriptor(
                    file, flags: O_RDWR, mode: 0, calls: gated.calls, action: "open")
                var room = [UInt8](repeating: 0, count: 10)
                _ = try room.withUnsafeMutableBytes { try open.read(into: $0) }
                _ = try room.withUnsafeMutableBytes { try open.read(at: 0, into: $0) }
                try room.withUnsafeBytes { try open.write($0) }
                try room.withUnsafeBytes { try open.write($0, at: 0) }
                try open.truncate(to: 10)
                _ = try open.status()
                _ = try open.seek(repo_seek_data(), from: 0)
                try open.flush()
                try open.close()
            }
            #expect(gated.openCount == 0)
            let closes = gated.made.filter { $0.name == "close" }.count
            #expect(
                closes == gated.made.filter { $0.name == "open" }.count - (name == "open" ? 1 : 0),
                "closed once")
        }
    }

    @Test func `an interrupted close has closed, and is not made again`() throws {
        try create(file, [1])
        let gated = GatedCalls { call, _ in call.name == "close" ? -EINTR : nil }
        var open = try Descriptor(reading: file, calls: gated.calls)
        try open.close()
        #expect(open.number < 0)
        _ = consume open
        #expect(gated.made.map { $0.name } == ["open", "close"])
    }

    @Test func `a flush that failed is not made again`() throws {
        try create(file, [1])
        let gated = GatedCalls { call, _ in call.name == "fsync" ? -EIO : nil }
        do {
            let open = try Descriptor(reading: file, calls: gated.calls)
            expectFileError(EIO) { try open.flush() }
        }
        #expect(gated.made.map { $0.name } == ["open", "fsync", "close"])
    }

    @Test func `a descriptor closes when it goes out of scope, and not when it was given away`()
        throws
    {
        try create(file, [1])
        let gated = GatedCalls()
        do { _ = try Descriptor(reading: file, calls: gated.calls) }
        #expect(gated.openCount == 0)
        var open = try Descriptor(reading: file, calls: gated.calls)
        let number = open.release()
        _ = consume open
        #expect(gated.openCount == 1 && number >= 0)
        do { _ = Descriptor(adopting: number, path: file, calls: gated.calls) }
        #expect(gated.openCount == 0)
    }

    @Test func `a file is created for its owner only, and never over another`() async throws {
        try create(file, [1])
        #expect(try mode(file) == 0o600)
        expectFileError(EEXIST) { try create(file, [2]) }
        #expect(
            SystemCalls.kernel.symlink(directory.path("elsewhere"), directory.path("link")) == 0)
        expectFileError(EEXIST) { try create(directory.path("link"), [2]) }
        #expect(
            try names(Path(directory.path)) == ["file", "link"],
            "no link is followed to make a file")
        #expect(try contents(file) == [1])
        await #expect(processExitsWith: .success) {
            // The mask is the process's.
            umask(0)
            let directory = TemporaryDirectory()
            try create(directory.path("file"), [1])
            guard try mode(directory.path("file")) == 0o600 else {
                fatalError("others may read it")
            }
            try Directories(.kernel).make(directory.path("a/b"))
            for name in ["a", "a/b"] {
                guard try mode(directory.path(name)) == 0o700 else {
                    fatalError("others may look into it")
                }
            }
        }
    }

    @Test func `data and holes are found, and nothing behind the last`() throws {
        let open = try Descriptor(
            file, flags: O_RDWR | O_CREAT, mode: 0o600, calls: .kernel, action: "open")
        try open.truncate(to: 1 << 20)
        try [UInt8](repeating: 1, count: 4096).withUnsafeBytes { try open.write($0, at: 512 << 10) }
        #expect(try open.seek(repo_seek_hole(), from: 1 << 20) == nil)
        #expect(try open.seek(repo_seek_data(), from: 2 << 20) == nil)
        let data = try #require(try open.seek(repo_seek_data(), from: 0))
        #expect(data == 512 << 10 || data == 0, "a file system without holes shows one run of data")
        #expect(try open.status().st_size == 1 << 20)
    }

    @Test func `a file seen as memory is the file`() throws {
        for count in [1, 4096, 100_000] {
            _ = SystemCalls.kernel.unlink(file)
            try create(file, block(7, count))
            let mapped = try MappedFile(file, calls: .kernel)
            #expect(Array(mapped.bytes) == block(7, count))
            let partly = try PartlyMappedFile(
                mapping: count / 2, of: try Descriptor(reading: file, calls: .kernel))
            #expect(Array(partly.front) == Array(block(7, count).prefix(count / 2)))
            #expect(SystemCalls.kernel.unlink(file) == 0)
            #expect(Array(mapped.bytes) == block(7, count), "its name may go")
            var rest = [UInt8](repeating: 0, count: count)
            #expect(
                try rest.withUnsafeMutableBytes { try partly.read(at: count / 2, into: $0) }
                    == count - count / 2)
            #expect(rest.starts(with: block(7, count).dropFirst(count / 2)))
        }
    }

    @Test func `an empty file is seen as no memory, and no more is mapped than there is`() throws {
        try create(file, [])
        #expect(try MappedFile(file, calls: .kernel).bytes.isEmpty)
        #expect(
            try PartlyMappedFile(mapping: 0, of: try Descriptor(reading: file, calls: .kernel))
                .front.isEmpty)
        for count in [-1, 1, Int.max] {
            expectFileError(EINVAL) {
                _ = try PartlyMappedFile(
                    mapping: count, of: try Descriptor(reading: file, calls: .kernel))
            }
        }
        expectFileError(ENOENT) { _ = try MappedFile(directory.path("nothing"), calls: .kernel) }
        let gated = GatedCalls { call, _ in call.name == "fstat" ? -EIO : nil }
        expectFileError(EIO) { _ = try MappedFile(file, calls: gated.calls) }
        #expect(gated.openCount == 0)
    }
}
