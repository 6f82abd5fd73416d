import Files
import WireFormat

/// Where bytes of a stream belong: in which file, and from which of its bytes on.
struct Place {
    let stream: Range<Int>
    /// Files are numbered in the order in which they are come upon.
    let file: Int
    let path: Path
    let offset: Int
}

/// The places of a stream, one after the other. Between them it may have bytes that are no file's.
protocol PlaceSource {
    mutating func next() throws -> Place?
}

/// A stream that becomes one file.
struct WholePlace: PlaceSource {
    private var place: Place?

    init(_ path: Path, byteCount: Int) {
        place = byteCount == 0 ? nil : Place(stream: 0..<byteCount, file: 0, path: path, offset: 0)
    }

    mutating func next() -> Place? { place.take() }
}

/// Files whose content stands one after the other in the stream, in the order of their catalog.
struct CatalogPlaces: PlaceSource {
    private var catalog: CatalogReader
    private let target: Path
    private let wanted: WantedEntries
    private var position = 0
    private var number = 0

    init(_ catalog: CatalogReader, target: Path, _ wanted: WantedEntries) {
        self.catalog = catalog
        self.target = target
        self.wanted = wanted
    }

    mutating func next() throws -> Place? {
        while let entry = try catalog.next() {
            defer { position += entry.byteCount }
            number += 1
            guard entry.byteCount > 0, let found = wanted.entry(entry) else { continue }
            return Place(
                stream: position..<(position + entry.byteCount), file: number,
                path: target / Path(bytes: found.path), offset: 0)
        }
        return nil
    }
}

/// Members of an archive, whose bytes interleave in its stream.
struct InterleavedPlaces: PlaceSource {
    let places: [Place]
    private var number = 0

    /// - Parameter files: each with where its pieces stand in the stream.
    init(_ files: [(path: Path, pieces: [(stream: Range<Int>, offset: Int)])]) throws {
        places = files.enumerated().flatMap { number, file in
            file.pieces.map {
                Place(stream: $0.stream, file: number, path: file.path, offset: $0.offset)
            }
        }.sorted { ($0.stream.lowerBound, $0.file) < ($1.stream.lowerBound, $1.file) }
        for (place, next) in zip(places, places.dropFirst())
        where next.stream.lowerBound < place.stream.upperBound {
            throw WireError.malformed("two members share bytes of the stream")
        }
    }

    mutating func next() -> Place? {
        guard number < places.count else { return nil }
        defer { number += 1 }
        return places[number]
    }
}
