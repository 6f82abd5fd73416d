import ChunkIndex
import Files
import WireFormat

/// `open-index DIRECTORY`: what opening a local index and looking into it take.
enum OpenIndex {
    private static let lookups = 20_000

    static func run(_ arguments: ArraySlice<String>) throws {
        guard arguments.count == 1, let directory = arguments.first else {
            throw Misused("open-index takes DIRECTORY")
        }
        guard try Directories(.kernel).status(Path(directory)) != nil else {
            throw Misused("there is no \(directory)")
        }
        let before = try ThisProcess.residentBytes()
        var begun = Clock.wall()
        let index = try ChunkIndex(
            directory: Path(directory), calls: .kernel,
            randomBytes: { (try? ThisProcess.randomBytes($0)) ?? [] })
        let opened = Clock.wall() - begun
        let resident = try ThisProcess.residentBytes()
        let entries = index.entryCount

        var other = MadeChunks(seed: MakeIndex.seed + 1)
        let missing = (0..<lookups).map { _ in other.id() }
        begun = Clock.wall()
        var found = 0
        for id in missing where index.place(of: id) != nil { found += 1 }
        let miss = (Clock.wall() - begun) / Double(lookups)
        guard found == 0 else { throw Failed("the index knows what was never there") }
        print(
            #"{"entries":\#(entries),"open_seconds":\#(opened),"#
                + #""resident_bytes_before":\#(before),"resident_bytes":\#(resident),"#
                + #""resident_bytes_after_lookups":\#(try ThisProcess.residentBytes()),"#
                + #""miss_seconds":\#(miss)}"#)
    }
}
