import DumpFormats
import Foundation
import Testing

/// A recorded stream: what a real producer wrote, and how it ended.
struct Recorded: CustomTestStringConvertible, Sendable {
    let name: String
    let bytes: [UInt8]
    let status: Int32

    var testDescription: String { name }

    private static let folder = URL(filePath: #filePath).deletingLastPathComponent()
        .appending(path: "Fixtures")

    private static let statuses: [String: Int32] = {
        let text = try? String(contentsOf: folder.appending(path: "statuses.txt"), encoding: .utf8)
        let lines = (text ?? "").split(separator: "\n").map { $0.split(separator: " ") }
        return Dictionary(uniqueKeysWithValues: lines.map { (String($0[0]), Int32($0[1])!) })
    }()

    init(_ name: String) throws {
        let file = Recorded.folder.appending(path: name + ".gz")
        let opened = Inflate.gunzip(Array(try Data(contentsOf: file)))
        precondition(opened.isComplete, "\(name).gz is damaged")
        self.name = name
        bytes = opened.output
        guard let status = Recorded.statuses[name] else {
            preconditionFailure("\(name) is not in statuses.txt")
        }
        self.status = status
    }
}

/// SplitMix64, so that a failure can be made again from its seed.
struct Seeded: RandomNumberGenerator {
    private var state: UInt64

    init(_ seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var value = state
        value = (value ^ value >> 30) &* 0xBF58_476D_1CE4_E5B9
        value = (value ^ value >> 27) &* 0x94D0_49BB_1331_11EB
        return value ^ value >> 31
    }
}

let opensGzip: DecompressorFactory = { $0 == .gzip ? GzipForTests() : nil }
let opensNothing: DecompressorFactory = { _ in nil }

/// Reads the first `count` bytes of a stream, in parts whose sizes `size` tells.
func report(
    _ bytes: [UInt8], upTo count: Int? = nil, expecting: StreamFormat? = nil,
    decompressors: @escaping DecompressorFactory = opensGzip, size: () -> Int = { Int.max }
) -> StreamReport {
    var reader = DumpReader(expecting: expecting, decompressors: decompressors)
    bytes.withUnsafeBytes { all in
        let end = count ?? all.count
        var at = 0
        while at < end {
            let next = at + min(size(), end - at)
            reader.read(UnsafeRawBufferPointer(rebasing: all[at..<next]))
            at = next
        }
    }
    return reader.finish()
}

func report(_ text: String, expecting: StreamFormat? = nil) -> StreamReport {
    report(Array(text.utf8), expecting: expecting)
}

extension StreamReport {
    /// What a pipe shows: nobody knows how the producer ended.
    var inPipe: Judgement { judge(self, exit: nil, acceptedStatuses: []) }
}

extension Array where Element == UInt8 {
    var text: String { String(decoding: self, as: UTF8.self) }

    func text(_ range: Range<UInt64>) -> String {
        String(decoding: self[Int(range.lowerBound)..<Int(range.upperBound)], as: UTF8.self)
    }

    /// The offset after the last occurrence of a text.
    func end(of text: String) -> Int {
        let wanted = Array(text.utf8)
        var at = count - wanted.count
        while at >= 0 {
            if self[at] == wanted[0], self[at..<at + wanted.count].elementsEqual(wanted) {
                return at + wanted.count
            }
            at -= 1
        }
        preconditionFailure("no \(text.debugDescription) in the stream")
    }
}
