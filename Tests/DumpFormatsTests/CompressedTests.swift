import DumpFormats
import Testing

/// zstd frames that hold their bytes uncompressed (RFC 8878 raw blocks): enough to look inside.
private func zstdFrame(_ bytes: [UInt8]) -> [UInt8] {
    var frame: [UInt8] = [0x28, 0xB5, 0x2F, 0xFD, 0x00, 0x58]
    let blocks = stride(from: 0, to: max(bytes.count, 1), by: 1_000).map {
        Array(bytes[$0..<min($0 + 1_000, bytes.count)])
    }
    for (index, block) in blocks.enumerated() {
        let head = UInt32(block.count) << 3 | (index == blocks.count - 1 ? 1 : 0)
        frame += [UInt8(head & 0xFF), UInt8(head >> 8 & 0xFF), UInt8(head >> 16)] + block
    }
    return frame
}

private final class RawZstd: StreamDecompressor {
    private var input: [UInt8] = []
    private(set) var reachedEnd = false

    func decompress(_ bytes: UnsafeRawBufferPointer, into sink: (UnsafeRawBufferPointer) -> Void)
        throws
    {
        input += bytes
        while input.count >= 3 {
            if input.starts(with: [0x28, 0xB5, 0x2F, 0xFD]) {
                guard input.count >= 9 else { return }
                input.removeFirst(6)
            }
            reachedEnd = false
            let head = Int(input[0]) | Int(input[1]) << 8 | Int(input[2]) << 16
            guard head & 6 == 0 else { throw DecompressionFault.damaged }
            guard input.count >= 3 + head >> 3 else { return }
            Array(input[3..<3 + head >> 3]).withUnsafeBytes { sink($0) }
            input.removeFirst(3 + head >> 3)
            reachedEnd = head & 1 == 1
        }
        if !input.isEmpty { reachedEnd = false }
    }
}

private struct Refusing: StreamDecompressor {
    var reachedEnd: Bool { false }
    mutating func decompress(
        _ input: UnsafeRawBufferPointer, into sink: (UnsafeRawBufferPointer) -> Void
    ) throws {
        throw DecompressionFault.unsupported("its window is too large")
    }
}

@Suite("compressed streams are looked into")
struct CompressedTests {
    private let opensZstd: DecompressorFactory = { $0 == .zstd ? RawZstd() : nil }

    @Test("what is inside zstd is judged, over several frames")
    func inside() throws {
        let dump = try Recorded("my-single").bytes
        let whole = zstdFrame(Array(dump[..<5_000])) + zstdFrame(Array(dump[5_000...]))
        for part in [Int.max, 1_000, 13, 1] {
            let report = report(whole, decompressors: opensZstd, size: { part })
            #expect(report.end == .seen)
            #expect(report.innerFormat == .mysqldump)
            #expect(report.byteCount == UInt64(whole.count))
            #expect(report.innerByteCount == UInt64(dump.count))
            #expect(report.tool == "mariadb-dump")
        }
        let cut = report(zstdFrame(Array(dump.dropLast(2))), decompressors: opensZstd)
        #expect(
            cut.inPipe.refusal?.message.hasPrefix(
                "mysqldump in zstd stream ended after 13.3 kB inside") == true)
    }

    @Test("a frame that is cut at a block is refused, with and without a decompressor")
    func cutFrames() throws {
        let whole = zstdFrame(try Recorded("my-single").bytes)
        for cut in [whole.count - 1, whole.count - 500, 1_009, 1_000, 6, 5, 4, 3] {
            #expect(
                report(whole, upTo: cut, decompressors: opensZstd).inPipe.refusal != nil, "\(cut)")
            #expect(
                report(whole, upTo: cut, decompressors: opensNothing).inPipe.refusal != nil,
                "\(cut)")
        }
    }

    @Test(
        "what follows the last frame is counted alike, however it comes in parts",
        arguments: [1, 3, 4, 5, 1_000])
    func behindTheLastFrame(size: Int) {
        // Longer than what is gathered before a stream is recognized.
        let frame = zstdFrame([UInt8](repeating: 65, count: 70_000))
        let report = report(
            frame + [UInt8](repeating: 66, count: 123), decompressors: opensNothing, size: { size })
        #expect(report.end == .notPromised)
        #expect(report.notes == ["123 bytes follow the last zstd frame"])
    }

    @Test("a container inside a container is looked into")
    func nested() throws {
        let bytes = zstdFrame(zstdFrame(try Recorded("my-cut").bytes))
        #expect(report(bytes, decompressors: opensZstd).inPipe.refusal != nil)
    }

    @Test("a stream that the decompressor cannot open is accepted as unknown, with a note")
    func unsupported() throws {
        let report = report(zstdFrame([1, 2, 3]), decompressors: { _ in Refusing() })
        #expect(report.inPipe == Judgement.accepted(nil, .none))
        #expect(report.notes == ["the zstd stream was not looked into: its window is too large"])
    }

    @Test("a damaged gzip is refused")
    func damaged() throws {
        var bytes = try Recorded("my-gzip").bytes
        for index in 700..<720 { bytes[index] ^= 0x5A }
        #expect(report(bytes).inPipe.refusal != nil)
    }

    @Test("an empty dump in a perfect gzip is refused")
    func emptyInside() {
        // printf '' | gzip -n
        let bytes: [UInt8] = [0x1F, 0x8B, 8, 0, 0, 0, 0, 0, 0, 3, 3, 0, 0, 0, 0, 0, 0, 0, 0, 0]
        #expect(
            report(bytes).inPipe.refusal?.message.contains("anything inside the gzip data") == true)
    }

    @Test(
        "frames that follow each other and skippable ones are followed",
        arguments: ["my-zstd", "my-lz4"])
    func frames(_ name: String) throws {
        let one = try Recorded(name).bytes
        let skippable: [UInt8] = [0x50, 0x2A, 0x4D, 0x18, 5, 0, 0, 0, 1, 2, 3, 4, 5]
        for whole in [one + one, skippable + one, one + skippable + one] {
            let report = report(whole, decompressors: opensNothing)
            #expect(report.format.rawValue == String(name.dropFirst(3)))
            #expect(report.inPipe == Judgement.accepted(nil, .none))
            #expect(DumpFormatsCut.isRefused(whole, at: whole.count - 3))
        }
    }

    @Test(
        "xz and bzip2 streams that follow each other end with the last",
        arguments: ["my-xz", "my-bzip2"])
    func closing(_ name: String) throws {
        let one = try Recorded(name).bytes
        #expect(report(one + one).inPipe == Judgement.accepted(nil, .none))
        #expect(DumpFormatsCut.isRefused(one + one, at: one.count + 100))
        if name == "my-xz" {
            #expect(report(one + [0, 0, 0, 0]).inPipe == Judgement.accepted(nil, .none))
        }
    }
}

private enum DumpFormatsCut {
    static func isRefused(_ bytes: [UInt8], at cut: Int) -> Bool {
        report(bytes, upTo: cut, decompressors: opensNothing).inPipe.refusal != nil
    }
}
