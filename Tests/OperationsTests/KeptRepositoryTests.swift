import Faults
import Files
import Glibc
import ObjectStorage
import Operations
import Sealing
import TestSupport
import Testing
import Vault
import WireFormat

/// Repositories that released versions wrote. Each must restore for ever.
private let vectors = String(
    #filePath.dropLast("/OperationsTests/KeptRepositoryTests.swift".count) + "/Vectors")

@Test(arguments: ["repository-v1"])
func `a repository of an earlier version restores bit for bit`(_ name: String) throws {
    let folder = Path("\(vectors)/\(name)")
    let directory = TemporaryDirectory()
    let random = SharedRandom(seed: testSeed)
    let store = DirectoryStore(
        folder / "repository", calls: .kernel, randomBytes: { random.bytes($0) })
    var password = try Directories(.kernel).contents(of: folder / "password", limit: 1024)
    password.removeLast()
    let vault = try Vault.open(
        store, with: Credential(.password, Secret(moving: &password)),
        surroundings: testSurroundings(), cacheParent: Path(directory.path) / "cache")
    let sums = try Directories(.kernel).contents(of: folder / "sums", limit: 1 << 20)
    let lines = String(decoding: sums, as: UTF8.self).split(separator: "\n")
    #expect(lines.count >= 5)
    for line in lines {
        let words = line.split(separator: " ")
        let snapshot = try Reference(String(words[1])).resolve(in: History.load(vault))
        let path = Path(directory.path) / "output"
        unlink("\(path)")
        let file = try Descriptor(creating: path, calls: .kernel)
        _ = try writeStream(of: snapshot, member: nil, to: file.number, from: vault)
        let bytes = try Directories(.kernel).contents(of: path, limit: 1 << 30)
        #expect(hexadecimal(SHA256.hash(bytes)) == words[0])
    }
    let files = try Reference("files").resolve(in: History.load(vault))
    var paths: [String] = []
    try readCatalog(of: files, in: vault) { paths.append(String(decoding: $0.path, as: UTF8.self)) }
    #expect(paths == ["big", "hard", "sub", "sub/a", "sub/link"])
    #expect(try check(CheckRequest(readDataPercent: 100), vault).exitCode == .done)
}
