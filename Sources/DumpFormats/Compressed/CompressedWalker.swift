/// Decompresses a stream in passing and judges what is inside: a closing compressor proves nothing,
/// since `head -c N dump.sql | gzip` is a perfect gzip.
struct CompressedWalker: StreamWalker {
    private let format: StreamFormat
    private var decompressor: any StreamDecompressor
    private var inner: StreamReading
    private var byteCount: UInt64 = 0
    private var damagedAt: UInt64?
    private var unsupported: String?

    init(
        _ format: StreamFormat, _ decompressor: any StreamDecompressor, inner: StreamReading
    ) {
        self.format = format
        self.decompressor = decompressor
        self.inner = inner
    }

    mutating func read(_ bytes: UnsafeRawBufferPointer) {
        if damagedAt == nil, unsupported == nil {
            // moved out, so that the sink changes nothing that the decompressor's call holds
            var reading = StreamReading(
                expecting: .raw, decompressors: { _ in nil }, hash: { nil }, depth: 0)
            swap(&reading, &inner)
            do {
                try decompressor.decompress(bytes) { reading.read($0) }
            } catch DecompressionFault.unsupported(let reason) {
                unsupported = reason
            } catch {
                damagedAt = byteCount
            }
            // Places in what is decompressed mean nothing to what is stored.
            _ = reading.takeParts()
            swap(&reading, &inner)
        }
        byteCount += UInt64(bytes.count)
    }

    mutating func finish(_ report: inout StreamReport) {
        let inside = inner.finish()
        let outer = report
        report = inside
        report.format = outer.format
        report.byteCount = outer.byteCount
        report.innerFormat = inside.innerFormat ?? inside.format
        report.innerByteCount = inside.byteCount
        // ranges of the decompressed stream mean nothing to what is stored
        report.volatileRanges = []
        report.members = []
        var findings = Findings()
        findings.warnOfCompression(format, inner: report.innerFormat)
        var remarks = StreamReport(format: format)
        findings.fill(&remarks)
        report.warnings =
            remarks.warnings + report.warnings.filter { !remarks.warnings.contains($0) }
        report.end = end(inside)
        if let unsupported {
            report.innerFormat = nil
            report.innerByteCount = nil
            report.notes.append("the \(format.rawValue) stream was not looked into: \(unsupported)")
        }
    }

    private func end(_ inside: StreamReport) -> StreamEnd {
        if unsupported != nil { return .notPromised }
        var place = ""
        if case .missing(_, let innerPlace, _) = inside.end { place = innerPlace }
        if let damagedAt {
            return .missing(
                at: damagedAt, inside: place,
                wanted: "the rest of the \(format.rawValue) data (it is damaged here)")
        }
        guard decompressor.reachedEnd else {
            return .missing(
                at: byteCount, inside: place, wanted: "the end of the \(format.rawValue) data")
        }
        if inside.byteCount == 0 {
            return .missing(
                at: byteCount, inside: "", wanted: "anything inside the \(format.rawValue) data")
        }
        return inside.end
    }
}

extension Findings {
    /// One warning that a compressed or encrypted stream will not deduplicate, and which option of
    /// the producer to drop.
    mutating func warnOfCompression(_ format: StreamFormat, inner: StreamFormat?) {
        guard format.isCompressed || format.isEncrypted else { return }
        let what = format.isEncrypted ? "encrypted" : "compressed"
        let advice =
            switch (format, inner) {
            case (.qpress, _): "drop --compress of mariabackup or xtrabackup"
            case (.xbcrypt, _): "drop --encrypt of xtrabackup"
            case (_, .pgDump?), (_, .pgDumpall?): "drop -Z of pg_dump, or '| \(format.rawValue)'"
            case (_, .tar?): "drop -z of pg_basebackup or tar, or '| \(format.rawValue)'"
            case (_, .sqlite?), (_, .mysqldump?), (_, .mysqldumpXML?), (_, .xbstream?):
                "drop '| \(format.rawValue)'"
            case (_, .pgCustom?): "drop '| \(format.rawValue)', and say pg_dump -Fc -Z0"
            default:
                format.isEncrypted
                    ? "drop the producer's encryption, repo encrypts itself"
                    : "drop the producer's compression, repo compresses itself"
            }
        warn("\(format.rawValue) input is \(what) and will not deduplicate: \(advice)")
    }
}
