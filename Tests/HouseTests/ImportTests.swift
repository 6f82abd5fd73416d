import Glibc
import Testing

/// What each room may import: dependencies point down only (docs/design.md, "The rooms").
/// SwiftPM alone does not refuse an import that a dependency happens to bring along.
private let mayImport: [String: Set<String>] = [
    "Faults": [],
    "WireFormat": ["Faults"],
    "Sealing": ["Faults", "CLinux", "COpenSSL", "Synchronization"],
    "Compression": ["Faults", "CZlib", "CZstd"],
    "Chunking": ["CLinux"],
    "Files": ["Faults", "CLinux"],
    "Workers": ["CLinux", "Synchronization"],
    "ChunkIndex": ["Faults", "Files", "WireFormat", "CLinux", "Synchronization"],
    "DumpFormats": ["Faults", "WireFormat", "CIsal", "Glibc"],
    "ObjectStorage": ["Faults", "Files", "WireFormat", "CLinux", "Synchronization"],
    "S3": [
        "Faults", "Files", "WireFormat", "Sealing", "ObjectStorage", "CCurl", "CLinux", "Glibc",
        "Synchronization",
    ],
    "PackStore": [
        "Faults", "WireFormat", "Sealing", "Compression", "Workers", "ChunkIndex", "ObjectStorage",
        "CLinux",
        "Synchronization",
    ],
    "Snapshots": [
        "Faults", "WireFormat", "Sealing", "Compression", "Workers", "ObjectStorage", "PackStore",
    ],
    "Vault": [
        "Faults", "Files", "WireFormat", "Sealing", "ChunkIndex", "ObjectStorage", "PackStore",
        "Snapshots", "CLinux", "Synchronization",
    ],
    "Operations": [
        "Faults", "Files", "WireFormat", "Sealing", "Compression", "Chunking", "Workers",
        "ChunkIndex", "DumpFormats",
        "ObjectStorage", "PackStore", "Snapshots", "Vault", "CLinux", "Synchronization",
    ],
    "Terminal": [
        "Faults", "Files", "WireFormat", "Sealing", "DumpFormats", "ObjectStorage", "S3",
        "Snapshots", "Vault", "Operations", "CLinux", "Synchronization",
    ],
    "repo": ["Terminal"],
]

/// The checkout this test was built from.
private let checkout = String(#filePath.dropLast("/Tests/HouseTests/ImportTests.swift".count))

@Test func `every room imports only what lies below it`() throws {
    let rooms = names(in: checkout + "/Sources").filter {
        !$0.hasPrefix("C") || $0.hasPrefix("Ch") || $0.hasPrefix("Co")
    }
    #expect(Set(rooms) == Set(mayImport.keys))
    for room in rooms {
        for file in swiftFiles(below: checkout + "/Sources/" + room) {
            for line in try lines(of: file) where line.hasPrefix("import ") {
                let module = String(line.dropFirst("import ".count))
                #expect(mayImport[room]?.contains(module) == true, "\(file) imports \(module)")
            }
        }
    }
}

@Test func `only the executable has a file called main`() {
    let mains = swiftFiles(below: checkout + "/Sources").filter { $0.hasSuffix("/main.swift") }
    #expect(mains == [checkout + "/Sources/repo/main.swift"])
}

@Test func `no source forces what may fail`() throws {
    for file in swiftFiles(below: checkout + "/Sources") {
        for (number, line) in try lines(of: file).enumerated() {
            let code = line.prefix(while: { $0 != "/" })
            #expect(!code.contains("try!") && !code.contains(" as! "), "\(file):\(number + 1)")
        }
    }
}

private func swiftFiles(below path: String) -> [String] {
    names(in: path).flatMap { name -> [String] in
        let child = path + "/" + name
        if name.hasSuffix(".swift") { return [child] }
        return name.contains(".") ? [] : swiftFiles(below: child)
    }.sorted()
}

private func names(in path: String) -> [String] {
    guard let directory = opendir(path) else { return [] }
    defer { closedir(directory) }
    var names: [String] = []
    while let entry = readdir(directory) {
        let name = withUnsafePointer(to: &entry.pointee.d_name) {
            $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
        }
        if !name.hasPrefix(".") { names.append(name) }
    }
    return names.sorted()
}

private func lines(of path: String) throws -> [Substring] {
    let descriptor = open(path, O_RDONLY)
    try #require(descriptor >= 0, "\(path) can be read")
    defer { close(descriptor) }
    var text: [UInt8] = []
    var block = [UInt8](repeating: 0, count: 65_536)
    while case let count = read(descriptor, &block, block.count), count > 0 {
        text += block[..<count]
    }
    return String(decoding: text, as: UTF8.self).split(
        separator: "\n", omittingEmptySubsequences: false)
}
