import CLinux
import Files
import TestSupport
import Testing

struct DirectoriesTests {
    private let temporary = TemporaryDirectory()
    private let directories = Directories(.kernel)
    private var root: Path { Path(temporary.path) }

    // MARK: making

    @Test func `a directory is made with its missing parents, each for its owner only`() throws {
        try directories.make(root / "a/b/c")
        for name in ["a", "a/b", "a/b/c"] { #expect(try mode(root / name) == 0o700) }
        try directories.make(root / "a/b/c")
        try directories.make(root / "a/b/d/")
        #expect(try names(root / "a/b") == ["c", "d"])
        try directories.make(root / "wide", mode: 0o755)
        #expect(try mode(root / "wide") & 0o700 == 0o700)
    }

    @Test func `every directory made is made durable in its parent, and what stands is left alone`()
        throws
    {
        let gated = GatedCalls()
        try Directories(gated.calls).make(root / "a/b")
        let steps = gated.made.filter { ["mkdir", "fsync"].contains($0.name) }
        #expect(
            steps == [
                .init(name: "mkdir", path: root / "a"), .init(name: "fsync", path: root),
                .init(name: "mkdir", path: root / "a/b"), .init(name: "fsync", path: root / "a"),
            ])
        let again = GatedCalls()
        try Directories(again.calls).make(root / "a/b")
        #expect(again.made == [.init(name: "stat", path: root / "a/b")])
    }

    @Test func `a link to a directory is a directory, a file in the way is none`() throws {
        try directories.make(root / "real")
        #expect(SystemCalls.kernel.symlink("real", root / "link") == 0)
        try directories.make(root / "link")
        try directories.make(root / "link/below")
        #expect(try names(root / "real") == ["below"])
        try create(root / "file", [1])
        expectFileError(ENOTDIR) { try directories.make(root / "file") }
        expectFileError(ENOTDIR) { try directories.make(root / "file/below") }
    }

    @Test func `a directory that another makes meanwhile is as good`() throws {
        let gated = GatedCalls { call, _ in
            // Made by somebody else between the look and the call.
            if call.name == "mkdir" { _ = SystemCalls.kernel.mkdir(call.path, 0o700) }
            return nil
        }
        try Directories(gated.calls).make(root / "a/b")
        #expect(try names(root / "a") == ["b"])
    }

    @Test(arguments: ["stat", "mkdir", "open", "fsync"])
    func `making a directory fails with what failed`(_ name: String) throws {
        for code in [EIO, ENOSPC, EACCES] {
            let gated = GatedCalls { call, _ in call.name == name ? -code : nil }
            expectFileError(code, name) { try Directories(gated.calls).make(root / "new\(code)/x") }
            #expect(gated.openCount == 0)
        }
    }

    // MARK: looking

    @Test func `names come sorted by their bytes, also those that are no UTF-8`() throws {
        let wanted: [[UInt8]] = [
            [0x2e, 0x61], [0x41], [0x61], [0x61, 0x20], [0xc3, 0xa9], [0xff], [0xff, 0xfe],
        ]
        for name in wanted.reversed() { try create(root / Path(bytes: name), name) }
        #expect(try directories.names(root)?.map { $0.bytes } == wanted)
        for name in wanted { #expect(try contents(root / Path(bytes: name)) == name) }
        #expect((root / Path(bytes: [0xff])).description.hasSuffix("/\u{fffd}"))
    }

    @Test func `a directory that is not there has no names, one that cannot be read is an error`()
        throws
    {
        #expect(try directories.names(root / "nothing") == nil)
        #expect(try directories.names(root) == [])
        try create(root / "file", [1])
        expectFileError(ENOTDIR) { _ = try directories.names(root / "file") }
        let gated = GatedCalls { call, _ in call.name == "names" ? -EIO : nil }
        expectFileError(EIO) { _ = try Directories(gated.calls).names(root) }
    }

    @Test func `what is not there has no status, with links followed or not`() throws {
        try create(root / "file", [1, 2, 3])
        #expect(SystemCalls.kernel.symlink("file", root / "link") == 0)
        #expect(SystemCalls.kernel.symlink("nowhere", root / "broken") == 0)
        #expect(try directories.status(root / "file")?.kind == .file)
        #expect(try directories.status(root / "file")?.st_size == 3)
        #expect(try directories.status(root / "link")?.kind == .symbolicLink)
        #expect(try directories.statusFollowing(root / "link")?.kind == .file)
        #expect(try directories.status(root / "broken")?.kind == .symbolicLink)
        #expect(try directories.statusFollowing(root / "broken") == nil)
        #expect(try directories.status(root)?.kind == .directory)
        for path in [root / "nothing", root / "file/below", root / "nothing/below"] {
            #expect(try directories.status(path) == nil)
            #expect(try directories.statusFollowing(path) == nil)
        }
        for name in ["lstat", "stat"] {
            let gated = Directories(
                GatedCalls { call, _ in call.name == name ? -EACCES : nil }.calls)
            expectFileError(EACCES) {
                _ = name == "stat" ? try gated.statusFollowing(root) : try gated.status(root)
            }
        }
    }

    @Test func `fifos and sockets are told apart`() throws {
        #expect(SystemCalls.kernel.makeNode(root / "fifo", mode_t(S_IFIFO) | 0o600, 0) == 0)
        #expect(SystemCalls.kernel.makeNode(root / "socket", mode_t(S_IFSOCK) | 0o600, 0) == 0)
        #expect(try directories.status(root / "fifo")?.kind == .fifo)
        #expect(try directories.status(root / "socket")?.kind == .socket)
        #expect(try directories.status("/dev/null")?.kind == .characterDevice)
    }

    // MARK: changing

    @Test func `renaming without replacing never replaces, by either of its means`() throws {
        for code in [nil, EINVAL, ENOSYS] {
            let gated = GatedCalls { call, _ in
                call.name == "renameNoReplace" ? code.map { -$0 } : nil
            }
            let renaming = Directories(gated.calls)
            try create(root / "new", [1])
            try create(root / "old", [2])
            expectFileError(EEXIST, "\(code ?? 0)") {
                try renaming.renameWithoutReplacing(root / "new", to: root / "old")
            }
            #expect(try contents(root / "old") == [2])
            #expect(try contents(root / "new") == [1])
            #expect(SystemCalls.kernel.symlink("nowhere", root / "link") == 0)
            expectFileError(EEXIST) {
                try renaming.renameWithoutReplacing(root / "new", to: root / "link")
            }
            try renaming.renameWithoutReplacing(root / "new", to: root / "free")
            #expect(try contents(root / "free") == [1])
            #expect(try names(root) == ["free", "link", "old"])
            for name in ["free", "link", "old"] { try directories.remove(root / name) }
        }
    }

    @Test func `renaming without replacing does not fall back on any other error`() throws {
        for code in [EACCES, EIO, ENOENT, EXDEV, EEXIST] {
            let gated = GatedCalls { call, _ in call.name == "renameNoReplace" ? -code : nil }
            try create(root / "new", [1])
            expectFileError(code) {
                try Directories(gated.calls).renameWithoutReplacing(root / "new", to: root / "free")
            }
            #expect(gated.made.map { $0.name } == ["renameNoReplace"])
            try directories.remove(root / "new")
        }
    }

    @Test func `of many who want one name, one gets it`() async throws {
        for code in [nil, EINVAL] {
            let gated = GatedCalls { call, _ in
                call.name == "renameNoReplace" ? code.map { -$0 } : nil
            }
            let calls = gated.calls
            let root = root
            for name in 0..<8 { try create(root / "\(name)", block(UInt8(name), 100)) }
            let winners = await withTaskGroup(of: Int?.self) { group in
                for name in 0..<8 {
                    group.addTask {
                        do {
                            try Directories(calls).renameWithoutReplacing(
                                root / "\(name)", to: root / "wanted")
                            return name
                        } catch {
                            return (error as? FileError)?.code == EEXIST ? nil : -1
                        }
                    }
                }
                return await group.reduce(into: [Int]()) { winners, name in
                    if let name { winners.append(name) }
                }
            }
            #expect(winners.count == 1)
            #expect(try contents(root / "wanted") == block(UInt8(winners.first ?? 255), 100))
            for name in try names(root) { try directories.remove(root / name) }
        }
    }

    @Test func `new content takes the place of the old in one step`() throws {
        try directories.replace(root / "file", with: [1, 2], through: root / "file.new")
        #expect(try contents(root / "file") == [1, 2])
        let gated = GatedCalls()
        try Directories(gated.calls).replace(root / "file", with: [3], through: root / "file.new")
        #expect(try contents(root / "file") == [3])
        #expect(try names(root) == ["file"])
        #expect(gated.made.map { $0.name } == ["open", "write", "close", "rename"])
        #expect(try mode(root / "file") == 0o600)
    }

    @Test(arguments: ["open", "write", "close", "rename"])
    func `a replacement that fails leaves the old content and nothing beside it`(_ name: String)
        throws
    {
        try create(root / "file", [1])
        for code in [EIO, ENOSPC] {
            let gated = GatedCalls { call, _ in call.name == name ? -code : nil }
            expectFileError(code, name) {
                try Directories(gated.calls).replace(
                    root / "file", with: block(1, 100), through: root / "file.new")
            }
            #expect(try contents(root / "file") == [1])
            #expect(try names(root) == ["file"])
            #expect(gated.openCount == 0)
        }
    }

    @Test func `what cannot be cleaned up does not hide what failed`() throws {
        let gated = GatedCalls { call, _ in
            switch call.name {
            case "write": -ENOSPC
            case "unlink": -EACCES
            default: nil
            }
        }
        expectFileError(ENOSPC) {
            try Directories(gated.calls).replace(
                root / "file", with: [1], through: root / "file.new")
        }
    }

    @Test func `a durable file is flushed before it is closed, another is not flushed`() throws {
        for durable in [true, false] {
            let gated = GatedCalls()
            try create(root / "file\(durable)", block(1, 10), gated.calls, durable: durable)
            #expect(
                gated.made.map { $0.name } == ["open", "write"] + (durable ? ["fsync"] : []) + [
                    "close"
                ])
        }
    }

    @Test func `removing what is not there is no error, what cannot be removed is one`() throws {
        try directories.remove(root / "nothing")
        try create(root / "file", [1])
        try directories.remove(root / "file")
        #expect(try names(root) == [])
        let gated = GatedCalls { call, _ in call.name == "unlink" ? -EPERM : nil }
        expectFileError(EPERM) { try Directories(gated.calls).remove(root / "file") }
        #expect(throws: FileError.self) { try directories.remove(root) }
    }

    @Test func `contents are read up to a limit, and not one byte more`() throws {
        for count in [0, 1, 65_536, 65_537, 200_000] {
            try create(root / "\(count)", block(1, count))
            #expect(
                try directories.contents(of: root / "\(count)", limit: count) == block(1, count))
            if count > 0 {
                expectFileError(EFBIG) {
                    _ = try directories.contents(of: root / "\(count)", limit: count - 1)
                }
            }
        }
        expectFileError(ENOENT) { _ = try directories.contents(of: root / "nothing", limit: 10) }
        expectFileError(EISDIR) { _ = try directories.contents(of: root, limit: 10) }
        expectFileError(EFBIG) { _ = try directories.contents(of: "/dev/zero", limit: 1 << 20) }
    }

    @Test func `errors say what was done to what, and what may help`() {
        let error = FileError("write", "/srv/x", code: ENOSPC)
        #expect(error.message == "cannot write /srv/x: no space left on device")
        #expect(error.hint?.hasPrefix("free some space") == true)
        #expect(!error.mayRetry)
        #expect(FileError("open", "x", code: EACCES).hint?.contains("who owns it") == true)
        #expect(FileError("open", "x", code: EROFS).hint?.contains("read-only") == true)
        #expect(FileError("open", "x", code: EIO).hint == nil)
        #expect(
            FileError("open", "x", code: EINTR).mayRetry
                && FileError("open", "x", code: EAGAIN).mayRetry)
    }
}
