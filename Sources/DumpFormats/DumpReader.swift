/// Reads a stream as it passes: recognizes it, looks for its proper end and keeps what it tells of
/// itself.
///
/// Pure: no I/O, no clock. Memory is bounded by `Limits` for streams of any length. Reports do not
/// depend on how the stream was divided into parts, except that a compressed stream is said to be
/// damaged from the beginning of the part in which the damage shows.
package struct DumpReader: ~Copyable {
    private var stream: StreamReading

    /// - Parameters:
    ///   - expecting: what the caller says the stream is; nil: find out; `.raw`: believe nothing.
    ///   - decompressors: makes what opens a compressed stream in passing; nil where there is
    ///     nothing for it.
    ///   - hash: makes a SHA-256, for manifests that have one of their own.
    package init(
        expecting: StreamFormat?, decompressors: @escaping DecompressorFactory,
        hash: @escaping PassingHashFactory = { nil }
    ) {
        stream = StreamReading(
            expecting: expecting, decompressors: decompressors, hash: hash, depth: 0)
    }

    /// Takes the next bytes of the stream, any number of them.
    package mutating func read(_ bytes: UnsafeRawBufferPointer) { stream.read(bytes) }

    /// Tells that nothing comes after what was read: a short stream is recognized now.
    package mutating func settle() { stream.settle() }

    /// Parts of an archive's members, told once, before or as soon as bytes behind their beginning
    /// are read.
    package mutating func takeParts() -> [ArchivePart] { stream.takeParts() }

    /// Of a base backup of PostgreSQL: pages that were changed from here on may be torn.
    package var backupStart: UInt64? { stream.backupStart }

    /// Known once 64 KiB were read; `finish` tells it for shorter streams.
    package var format: StreamFormat? { stream.format }

    /// The stream ended.
    package consuming func finish() -> StreamReport { stream.finish() }
}

/// Follows one format from its first byte to its last.
protocol StreamWalker {
    mutating func read(_ bytes: UnsafeRawBufferPointer)
    /// Says in the report how it ended and what was found; `byteCount` and `format` are there
    /// already.
    mutating func finish(_ report: inout StreamReport)
    /// Of an archive: parts of its members that were come upon.
    mutating func takeParts() -> [ArchivePart]
    var backupStart: UInt64? { get }
}

extension StreamWalker {
    mutating func takeParts() -> [ArchivePart] { [] }
    var backupStart: UInt64? { nil }
}

/// A stream being read: gathers its head, then hands all to the walker of its format.
struct StreamReading {
    private let expecting: StreamFormat?
    private let decompressors: DecompressorFactory
    private let hash: PassingHashFactory
    private let depth: Int
    private var head: [UInt8] = []
    private var walker: (any StreamWalker)?
    private var recognized: Recognized?
    private(set) var byteCount: UInt64 = 0

    var format: StreamFormat? { recognized?.format }

    init(
        expecting: StreamFormat?, decompressors: @escaping DecompressorFactory,
        hash: @escaping PassingHashFactory, depth: Int
    ) {
        self.expecting = expecting
        self.decompressors = decompressors
        self.hash = hash
        self.depth = depth
    }

    mutating func read(_ bytes: UnsafeRawBufferPointer) {
        byteCount += UInt64(bytes.count)
        guard walker == nil else {
            walker?.read(bytes)
            return
        }
        let taken = min(Limits.headBytesMax - head.count, bytes.count)
        head.append(contentsOf: bytes.part(0, taken))
        guard head.count == Limits.headBytesMax else { return }
        begin(isWhole: false)
        walker?.read(bytes.part(from: taken))
    }

    mutating func settle() {
        if walker == nil { begin(isWhole: true) }
    }

    mutating func takeParts() -> [ArchivePart] { walker?.takeParts() ?? [] }
    var backupStart: UInt64? { walker?.backupStart }

    mutating func finish() -> StreamReport {
        settle()
        var report = StreamReport(format: format ?? .raw)
        report.byteCount = byteCount
        walker?.finish(&report)
        if recognized?.isCutHeader == true {
            report.end = .missing(
                at: byteCount, inside: "its first line", wanted: "everything after it")
        }
        return report
    }

    private mutating func begin(isWhole: Bool) {
        let found = head.withUnsafeBytes { bytes in
            recognize(bytes, expecting: expecting, isWhole: isWhole)
        }
        recognized = found
        var made = makeWalker(found.format)
        head.withUnsafeBytes { made.read($0) }
        walker = made
        head = []
    }

    private func makeWalker(_ format: StreamFormat) -> any StreamWalker {
        switch format {
        case .mysqldump, .mysqldumpXML, .pgDump, .pgDumpall, .sqlite: return TextWalker()
        case .pgCustom: return CustomArchiveWalker()
        case .tar: return TarWalker(hash: hash())
        case .xbstream: return XbstreamWalker()
        case .raw: return PassingWalker()
        default: break
        }
        if depth < Limits.nestingMax, let decompressor = decompressors(format) {
            let inner = expecting == format ? nil : expecting
            return CompressedWalker(
                format, decompressor,
                inner: StreamReading(
                    expecting: inner, decompressors: decompressors, hash: hash,
                    depth: depth + 1))
        }
        switch format {
        case .zstd, .lz4: return FramesWalker(format)
        case .xz, .bzip2: return ClosingBytesWalker(format)
        default: return PassingWalker(format)
        }
    }
}

/// Believes nothing: for unknown streams, and for those that cannot be looked into.
struct PassingWalker: StreamWalker {
    private var findings = Findings()

    init(_ format: StreamFormat = .raw) { findings.warnOfCompression(format, inner: nil) }

    mutating func read(_ bytes: UnsafeRawBufferPointer) {}

    mutating func finish(_ report: inout StreamReport) {
        findings.fill(&report)
        report.end = .notPromised
    }
}
