import DumpFormats
import TestSupport
import Testing

/// What a fault on the way, or somebody who means harm, makes of an archive.
@Suite("archives that were changed on the way")
struct MutationTests {
    enum Shape: String, CaseIterable, Sendable {
        case baseBackup, xbstream, recordedBaseBackup, recordedXbstream

        var format: StreamFormat {
            switch self {
            case .baseBackup, .recordedBaseBackup: .tar
            case .xbstream, .recordedXbstream: .xbstream
            }
        }

        /// Recorded ones are longer: fewer of them take as long.
        var rounds: Int {
            switch self {
            case .baseBackup, .xbstream: 4_500
            case .recordedBaseBackup, .recordedXbstream: 500
            }
        }
    }

    /// An archive, and where behind what recognizes a stream a header begins.
    private func archive(_ shape: Shape, _ random: inout SeededRandom) throws -> (
        bytes: [UInt8], tail: Int
    ) {
        switch shape {
        case .recordedBaseBackup: return (try Recorded("pg15-basebackup").bytes, 0)
        case .recordedXbstream: return (try Recorded("xb-incremental").bytes, 0)
        case .baseBackup:
            let label = "START WAL LOCATION: 0/3000028 (file 000000010000000000000003)\n"
            let first: [TestArchive.Part] = [
                .init("backup_label", Array(label.utf8)), .init("base/5/1", random.bytes(68_000)),
            ]
            let rest: [TestArchive.Part] =
                (0..<12).map { .init("base/5/\(2600 + $0)", random.bytes(random.number(0...900))) }
                + [.init("global/pg_control", random.bytes(600))]
            let head = TestArchive.tar(first).dropLast(1024)
            return (head + TestArchive.tar(rest), head.count)
        case .xbstream:
            let first = TestArchive.Part("ibdata1", random.bytes(68_000))
            var parts = [first]
            var sizes = [0, 0, 0]
            for _ in 0..<20 {
                let file = random.number(0...2)
                let bytes = random.bytes(random.number(1...700))
                parts.append(.init("shop/t\(file).ibd", bytes, at: sizes[file]))
                sizes[file] += bytes.count
            }
            // Behind the magic, flags, type, name, lengths and checksum of the first chunk.
            return (TestArchive.xbstream(parts), 14 + 7 + 20 + first.bytes.count)
        }
    }

    /// Every byte of a member belongs to it alone and is there.
    private func check(_ report: StreamReport, _ bytes: [UInt8]) -> String? {
        let pieces = report.members.flatMap { member in member.pieces.map { (member, $0) } }
            .sorted { $0.1.stream.lowerBound < $1.1.stream.lowerBound }
        var end = 0
        for (member, piece) in pieces {
            let path = String(decoding: member.path, as: UTF8.self)
            guard piece.stream.lowerBound >= end else { return "\(path) overlaps another" }
            guard piece.offset >= 0, piece.offset + piece.stream.count <= member.byteCount else {
                return "\(path) is shorter than its pieces"
            }
            end = piece.stream.upperBound
        }
        // Of one that was cut off a header tells more than came; its members are not kept.
        return report.end == .seen && end > bytes.count ? "a member ends behind the stream" : nil
    }

    @Test(
        "10,000 mutations: members lie apart and within the stream, however it comes in parts",
        arguments: Shape.allCases)
    func mutations(_ shape: Shape) throws {
        let seed = announcedSeed()
        var random = SeededRandom(seed: seed)
        let (bytes, tail) = try archive(shape, &random)
        #expect(report(bytes, expecting: shape.format).end == .seen)
        let (other, _) = try archive(shape, &random)
        var ends: Set<String> = []
        for round in 0..<shape.rounds {
            // Mostly where headers stand close to each other.
            let start = round.isMultiple(of: 4) ? 0 : tail
            let changed =
                Array(bytes[..<start])
                + random.mutated(Array(bytes[start...]), splicing: Array(other[tail...]))
            let whole = report(changed, expecting: shape.format)
            if let fault = check(whole, changed) {
                Issue.record("\(fault): \(shape), round \(round), seed \(seed)")
                return
            }
            let most = [16, 700, 5_000, 70_000][random.number(0...3)]
            let parts = report(
                changed, expecting: shape.format,
                size: { random.number(1...(changed.count > 200_000 ? most * 100 : most)) })
            guard parts == whole else {
                Issue.record("another report in parts: \(shape), round \(round), seed \(seed)")
                return
            }
            ends.insert("\(whole.end)".prefix { $0 != "(" }.description)
        }
        // Some harm a header, others only what is in a member or between two.
        #expect(ends.contains("missing") && ends.count > 1, "\(ends)")
    }

    @Test("500 cut points before the end are refused", arguments: [Shape.baseBackup, .xbstream])
    func cutPoints(_ shape: Shape) throws {
        var random = SeededRandom(seed: announcedSeed())
        let (bytes, tail) = try archive(shape, &random)
        // One byte fewer than the end mark of a tar, or than the last chunk of an xbstream.
        var cuts = Set((1...100).map { bytes.count - $0 })
        while cuts.count < 500 {
            let start = cuts.count.isMultiple(of: 2) ? tail : 512
            cuts.insert(random.number(start...(bytes.count - 1)))
        }
        for cut in cuts.sorted() {
            #expect(report(bytes, upTo: cut).inPipe.refusal != nil, "cut at \(cut)")
        }
        #expect(report(bytes).inPipe.refusal == nil)
    }
}
