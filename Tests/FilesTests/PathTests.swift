import Files
import Testing

struct PathTests {
    @Test(arguments: [
        ("a/b", "a", "b"), ("/a/b", "/a", "b"), ("/a", "/", "a"), ("a", ".", "a"), ("/", "/", ""),
        ("//", "/", ""),
        ("a/", ".", "a"), ("a/b///", "a", "b"), (".", ".", "."), ("..", ".", ".."),
        ("/a/..", "/a", ".."), ("", ".", ""),
    ])
    func `a path has a parent and a name`(_ path: String, _ parent: String, _ name: String) {
        #expect(Path(path).parent == Path(parent))
        #expect(Path(path).name == Path(name))
    }

    @Test func `joining puts one slash between`() {
        #expect(Path("a") / "b" == "a/b")
        #expect(Path("a/") / "b" == "a/b")
        #expect(Path("/") / "b" == "/b")
        #expect(Path("") / "b" == "b")
        #expect(Path("a") / "b/c" == "a/b/c")
        #expect(Path("a") / Path(bytes: [0xff]) == Path(bytes: [0x61, 0x2f, 0xff]))
    }

    @Test func `bytes that are no UTF-8 stay what they are and are shown as replaced`() {
        let bytes: [UInt8] = [0x2f, 0x61, 0xff, 0x2f, 0xc3, 0x28]
        let path = Path(bytes: bytes)
        #expect(path.bytes == bytes)
        #expect(path.description == "/a\u{fffd}/\u{fffd}(")
        #expect(path.name.bytes == [0xc3, 0x28] && path.parent.bytes == [0x2f, 0x61, 0xff])
        #expect(path != Path(path.description))
        let seen = path.withCString { pointer in
            (0...bytes.count).map { UInt8(bitPattern: pointer[$0]) }
        }
        #expect(seen == bytes + [0])
    }

    @Test func `paths sort by their bytes`() {
        let sorted: [[UInt8]] = [
            [], [0x41], [0x61], [0x61, 0x00], [0x61, 0x2f], [0x62], [0xc3, 0xa9], [0xff],
        ]
        #expect(sorted.reversed().map { Path(bytes: $0) }.sorted().map { $0.bytes } == sorted)
    }
}
