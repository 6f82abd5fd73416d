import TestSupport
import Testing
import WireFormat

/// Whatever stands where an object should: a decoder refuses it or decodes it, in bounded memory,
/// and never traps. Each suite of changes runs in a process of its own, which may map little more
/// than it has when it begins.
struct DamageTests {
    private static let furtherBytes = 16 << 20
    private static let mutations = 50_000

    /// Refused with a `WireError`, or decoded to something that is written and read again the same.
    private static func isRefusedOrDecoded(_ sample: Sample, _ bytes: [UInt8]) throws -> Bool {
        let written: [UInt8]
        do {
            written = try sample.again(bytes)
        } catch is WireError {
            return false
        }
        guard try sample.again(written) == written else {
            fatalError("\(sample.name) changes when it is written again")
        }
        return true
    }

    @Test(arguments: Samples.all.indices)
    func `no decoder traps or takes memory on any truncation or any flipped byte or bit`(
        _ index: Int
    ) async {
        await #expect(processExitsWith: .success, "\(Samples.all[index].name)") { [index] in
            limitAddressSpace(toFurtherBytes: Self.furtherBytes)
            let sample = Samples.all[index]
            for count in 0..<sample.bytes.count {
                _ = try Self.isRefusedOrDecoded(sample, Array(sample.bytes.prefix(count)))
            }
            for offset in sample.bytes.indices {
                for mask: UInt8 in [1, 2, 4, 8, 16, 32, 64, 128, 255] {
                    var changed = sample.bytes
                    changed[offset] ^= mask
                    _ = try Self.isRefusedOrDecoded(sample, changed)
                }
            }
        }
    }

    @Test(arguments: Samples.all.indices)
    func `no decoder traps or takes memory on 50,000 random changes`(_ index: Int) async {
        _ = announcedSeed("\(Samples.all[index].name)")
        await #expect(processExitsWith: .success, "\(Samples.all[index].name)") { [index] in
            limitAddressSpace(toFurtherBytes: Self.furtherBytes)
            let sample = Samples.all[index]
            var random = SeededRandom(seed: testSeed &+ UInt64(index))
            var decoded = 0
            for round in 0..<Self.mutations {
                let other = Samples.all[random.number(0...(Samples.all.count - 1))].bytes
                if try Self.isRefusedOrDecoded(
                    sample, random.mutated(sample.bytes, splicing: other))
                {
                    decoded += 1
                }
                guard round == 999 else { continue }
                // A run that refuses everything, or nothing, tests nothing.
                guard decoded < 1000 else { fatalError("\(sample.name) is never refused") }
            }
        }
    }

    @Test(arguments: Samples.all)
    func `an object cut short is refused wherever it cannot end`(_ sample: Sample) {
        // Fields may end behind any field; only there can a shorter object be one.
        var ends: Set<Int> = []
        if sample.shape != .fixed {
            for count in 0...sample.fields.count {
                ends.insert(sample.joined(Array(sample.fields.prefix(count))).count)
            }
        } else if sample.bytes == Samples.config.bytesBeforeHash {
            let fields = RawField.parseWide(Array(sample.bytes.dropFirst(8)))
            for count in 0...fields.count {
                ends.insert(8 + RawField.wide(Array(fields.prefix(count))).count)
            }
        }
        let isNode = sample.bytes == Samples.leaf.bytes || sample.bytes == Samples.interior.bytes
        for count in 0..<sample.bytes.count where !ends.contains(count) && !isNode {
            #expect(throws: WireError.self, "\(count) bytes") {
                try sample.again(Array(sample.bytes.prefix(count)))
            }
        }
    }

    @Test func `every flipped bit of an object name gives another name or none`() {
        for name in [ObjectName.pack(domain, objectID(1)), .record(.key, objectID(2)), .config] {
            let bytes = Array(name.description.utf8)
            for offset in bytes.indices {
                for bit in 0..<8 {
                    var changed = bytes
                    changed[offset] ^= 1 << UInt8(bit)
                    #expect(ObjectName(String(decoding: changed, as: UTF8.self)) != name)
                }
            }
        }
    }
}
