import Files
import PackStore
import Sealing
import Snapshots
import Vault
import WireFormat
import Workers

/// One pass over the files that are there: what is as the snapshot has it is left alone, the rest is
/// fetched and written. Reading, naming and decoding go on side by side.
///
/// A class: it owns threads and open files. Used by one thread.
final class ComparePass {
    /// What is done with what differs.
    enum Purpose {
        /// It is made as the snapshot has it.
        case write
        /// It must not be: these files were written and are looked at again.
        case prove(Set<Int>)
    }

    private let reader: SnapshotReader
    private let stream: Manifest.Stream
    private var source: any PlaceSource
    private let purpose: Purpose
    private let surroundings: Surroundings
    private let compares: Pipeline<LocalCompare>
    private let decoders: Pipeline<StretchDecoder>
    /// Nil where the store is near.
    private var fetches: FetchPlan?

    /// Places that reach beyond what was passed, in order.
    private var ahead: [Place] = []
    private var batch: [LocalPiece] = []
    private var batchBytes = 0
    /// What differs and is being gathered to be fetched, and what is being fetched.
    private var stretch = Stretch()
    private var wanted: [LocalPiece] = []
    private var fetching: [[LocalPiece]] = []
    private var lastChunk: FoundChunk?
    private var files: [Int: (file: SharedFile, use: Int)] = [:]
    private var uses = 0

    private(set) var bytesCompared = 0
    private(set) var bytesWritten = 0
    /// Files that were written to, by number, with their paths.
    private(set) var written: [Int: Path] = [:]

    private static let openMax = 64
    /// A run of zeros that is long is compared, and written, by pieces.
    private static let zerosBytesMax = 64 << 10
    private static let batchBytesMax = 1 << 20
    private static let batchPiecesMax = 512
    private static let zeros = [UInt8](repeating: 0, count: 64 << 10)

    init(
        _ reader: SnapshotReader, _ stream: Manifest.Stream, _ source: any PlaceSource,
        _ purpose: Purpose, _ surroundings: Surroundings
    ) throws {
        self.reader = reader
        self.stream = stream
        self.source = source
        self.purpose = purpose
        self.surroundings = surroundings
        let (context, finder) = (reader.context, reader.finder)
        let keys = context.keys
        compares = Pipeline(workers: surroundings.workers, inFlight: surroundings.workers + 2) {
            LocalCompare(namer: try keys.namer(ofClass: ContentClass.data.rawValue))
        }
        let pool = BufferPool(capacity: Self.batchBytesMax + Limits.chunkBytes)
        let decoded = DecodedFrames(bytesMax: 16 << 20)
        fetches = reader.fetching.map { FetchPlan($0, finder) }
        // What comes from afar is asked for earlier, so that several ranges come at once.
        let ahead = surroundings.workers + (fetches == nil ? 1 : 8)
        decoders = Pipeline(workers: surroundings.workers, inFlight: ahead) {
            try StretchDecoder(context, finder, decoded, pool: pool)
        }
    }

    deinit {
        compares.stop()
        decoders.stop()
        fetches?.end()
    }

    /// Goes through the whole stream.
    func run() throws {
        var list = try ListCursor(reader.list(stream))
        let whole = try list.pieces(in: 0..<stream.byteCount) { piece in
            if let signal = surroundings.stopRequested() { throw Interrupted(signal: signal) }
            var rest = piece.range
            while !rest.isEmpty {
                // A long run of zeros is looked at bit by bit.
                let count = piece.id == nil ? min(rest.count, Self.zerosBytesMax) : rest.count
                try take(piece.id, rest.prefix(count))
                rest = rest.dropFirst(count)
            }
            return true
        }
        guard whole else { throw WireError.malformed("a list is shorter than its stream") }
        guard try ahead.isEmpty && source.next() == nil else {
            throw WireError.malformed(
                "the files of snapshot \(reader.snapshot.id.short) reach beyond its data")
        }
        try finish()
    }

    /// Looks at zeros that files have and the stream has not: holes of members.
    func takeHole(_ hole: Range<Int>, of path: Path, number: Int) throws {
        var rest = hole
        while !rest.isEmpty {
            let now = rest.prefix(Self.zerosBytesMax)
            let part = LocalPiece.Part(
                file: try file(number, path), offset: now.lowerBound, range: 0..<now.count)
            try add(LocalPiece(id: nil, byteCount: now.count, parts: [part]))
            rest = rest.dropFirst(now.count)
        }
    }

    // MARK: comparing

    /// Takes the next piece of the stream.
    private func take(_ id: ChunkID?, _ range: Range<Int>) throws {
        while ahead.last.map({ $0.stream.upperBound < range.upperBound }) ?? true,
            let place = try source.next()
        {
            ahead.append(place)
        }
        let passed = ahead.prefix { $0.stream.upperBound <= range.lowerBound }.count
        ahead.removeFirst(passed)
        let here = ahead.prefix { $0.stream.lowerBound < range.upperBound }
        defer { ahead.removeFirst(ahead.prefix { $0.stream.upperBound <= range.upperBound }.count) }
        if case .prove(let files) = purpose, !here.contains(where: { files.contains($0.file) }) {
            return
        }
        var piece = LocalPiece(id: id, byteCount: range.count, parts: [])
        for place in here {
            let part = place.stream.clamped(to: range)
            piece.parts.append(
                LocalPiece.Part(
                    file: try file(place.file, place.path),
                    offset: place.offset + part.lowerBound - place.stream.lowerBound,
                    range: (part.lowerBound - range.lowerBound)..<(
                        part.upperBound - range.lowerBound)))
        }
        if !piece.parts.isEmpty { try add(piece) }
    }

    private func add(_ piece: LocalPiece) throws {
        if batchBytes + piece.byteCount > Self.batchBytesMax || batch.count >= Self.batchPiecesMax {
            try submitBatch()
        }
        batch.append(piece)
        batchBytes += piece.byteCount
    }

    private func submitBatch() throws {
        guard !batch.isEmpty else { return }
        while compares.isFull { try takeCompared() }
        compares.submit(batch)
        bytesCompared += batchBytes
        batch = []
        batchBytes = 0
        surroundings.progress(Progress(bytes: bytesCompared, bytesTotal: stream.byteCount))
    }

    private func takeCompared() throws {
        for piece in try compares.take() ?? [] {
            guard let id = piece.id else {
                try differs(piece)
                try writeZeros(piece)
                continue
            }
            if piece.isWhole { try differs(piece) }
            let found = try reader.finder.find(id, after: lastChunk)
            guard found.byteCount == piece.byteCount else {
                throw WireError.malformed("a chunk has another length than its list says")
            }
            lastChunk = found
            stretch.append(found)
            wanted.append(piece)
            if stretch.byteCount >= Self.batchBytesMax { try fetch() }
        }
    }

    /// Where nothing may differ any more, something does.
    private func differs(_ piece: LocalPiece) throws {
        guard case .prove = purpose else { return }
        throw ChangedWhileRestored(path: piece.parts[0].file.descriptor.path)
    }

    // MARK: fetching and writing

    private func fetch() throws {
        guard stretch.byteCount > 0 else { return }
        while decoders.isFull { try takeFetched() }
        // Only what is needed: what follows may be there already.
        fetches?.gather(stretch)
        fetches?.tell(goesOn: false)
        decoders.submit(stretch)
        fetching.append(wanted)
        stretch = Stretch()
        wanted = []
    }

    private func takeFetched() throws {
        guard let bytes = try decoders.take() else { return }
        fetches?.stretchDone()
        var start = bytes.range.lowerBound
        for piece in fetching.removeFirst() {
            let chunk = bytes.buffer.bytes(start..<(start + piece.byteCount))
            start += piece.byteCount
            for part in piece.parts {
                let wanted = UnsafeRawBufferPointer(rebasing: chunk[part.range])
                // What was not compared by its name is compared now.
                if !piece.isWhole {
                    if try isThere(wanted, part) { continue }
                    try differs(piece)
                }
                try write(wanted, part)
            }
        }
        withExtendedLifetime(bytes) {}
    }

    private func isThere(_ wanted: UnsafeRawBufferPointer, _ part: LocalPiece.Part) throws -> Bool {
        var local = [UInt8](repeating: 0, count: wanted.count)
        let count = try local.withUnsafeMutableBytes {
            try part.file.descriptor.read(at: part.offset, into: $0)
        }
        return count == wanted.count && local.elementsEqual(wanted)
    }

    private func write(_ bytes: UnsafeRawBufferPointer, _ part: LocalPiece.Part) throws {
        try part.file.descriptor.write(bytes, at: part.offset)
        written[part.file.number] = part.file.descriptor.path
        bytesWritten += bytes.count
    }

    private func writeZeros(_ piece: LocalPiece) throws {
        for part in piece.parts {
            var done = 0
            while done < part.range.count {
                let count = min(Self.zeros.count, part.range.count - done)
                let now = LocalPiece.Part(
                    file: part.file, offset: part.offset + done, range: 0..<count)
                try Self.zeros.withUnsafeBytes {
                    try write(UnsafeRawBufferPointer(rebasing: $0[..<count]), now)
                }
                done += count
            }
        }
    }

    private func finish() throws {
        try submitBatch()
        while compares.count > 0 { try takeCompared() }
        try fetch()
        while decoders.count > 0 { try takeFetched() }
        files = [:]
    }

    // MARK: files

    private func file(_ number: Int, _ path: Path) throws -> SharedFile {
        uses += 1
        if let known = files[number] {
            files[number]?.use = uses
            return known.file
        }
        if files.count >= Self.openMax, let oldest = files.min(by: { $0.value.use < $1.value.use }) {
            files[oldest.key] = nil
        }
        let file = SharedFile(
            try Descriptor(changing: path, calls: surroundings.systemCalls), number: number)
        files[number] = (file, uses)
        return file
    }
}
