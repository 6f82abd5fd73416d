import DumpFormats

/// Pages of a file that lie in a window, to be looked at where they are named.
struct PageJob: Sendable {
    /// In the window; not always whole pages.
    let range: Range<Int>
    let format: PageFormat
    /// Where they begin in the file.
    let offset: Int
    /// The file's number among those that were come upon.
    let file: Int
}

/// What was found out about pages.
struct PageTally: Sendable {
    var sound = 0
    var empty = 0
    var skipped = 0
    var damagedCount = 0
    /// The first of them.
    var damaged: [(file: Int, page: Int)] = []

    private static let damagedMax = 1000

    mutating func add(_ other: PageTally) {
        sound += other.sound
        empty += other.empty
        skipped += other.skipped
        damagedCount += other.damagedCount
        damaged += other.damaged.prefix(Self.damagedMax - damaged.count)
    }

    mutating func look(_ bytes: UnsafeRawBufferPointer, _ job: PageJob) {
        let size = job.format.size
        // What does not begin with a page is a piece that was cut elsewhere.
        guard job.offset.isMultiple(of: size) else {
            skipped += 1
            return
        }
        for start in stride(from: 0, to: bytes.count, by: size) {
            let page = UnsafeRawBufferPointer(
                rebasing: bytes[start..<min(start + size, bytes.count)])
            let number = (job.offset + start) / size
            switch job.format.verdict(page, number: number) {
            case .sound: sound += 1
            case .empty: empty += 1
            case .skipped: skipped += 1
            case .damaged:
                damagedCount += 1
                if damaged.count < Self.damagedMax { damaged.append((job.file, number)) }
            }
        }
    }
}

/// Follows the pages of an archive's members: which pieces of the stream they are, and how each file
/// proves them.
struct PageFiles {
    private var parts: [ArchivePart] = []
    private var numbers: [[UInt8]: Int] = [:]
    private(set) var paths: [[UInt8]] = []
    private var formats: [PageFormat?] = []
    private(set) var emptyCount = 0
    /// Where the next piece begins in the stream.
    private var position = 0

    mutating func add(_ part: ArchivePart) { parts.append(part) }

    /// What is to be looked at in a piece, which comes next; of zeros nothing is, they are counted.
    /// - Parameter start: where backups of PostgreSQL begin in its log.
    mutating func next(
        _ count: Int, range: Range<Int>?, window: UnsafePointer<UInt8>, start: UInt64?
    ) -> PageJob? {
        defer { position += count }
        let gone = parts.prefix { $0.stream.upperBound <= position }.count
        if gone > 0 { parts.removeFirst(gone) }
        guard let part = parts.first, part.stream.contains(position) else { return nil }
        guard let range else {
            if let file = numbers[part.path], let format = formats[file] {
                emptyCount += count / format.size
            }
            return nil
        }
        let offset = part.offset + position - part.stream.lowerBound
        let bytes = UnsafeRawBufferPointer(start: window + range.lowerBound, count: range.count)
        let file = file(part, beginning: offset == 0 ? bytes : nil, start)
        return formats[file].map { PageJob(range: range, format: $0, offset: offset, file: file) }
    }

    private mutating func file(
        _ part: ArchivePart, beginning: UnsafeRawBufferPointer?, _ start: UInt64?
    ) -> Int {
        if let file = numbers[part.path] { return file }
        let file = paths.count
        numbers[part.path] = file
        paths.append(part.path)
        let format: PageFormat? =
            switch part.pages {
            case .innodb: beginning.flatMap { PageFormat.innodb(first: $0) }
            case .postgres:
                .postgres(firstPage: PageFormat.firstPage(of: part.path), start: start ?? .max)
            case .innodbDelta, nil: nil
            }
        formats.append(format)
        return file
    }
}
