import WireFormat

/// The outlines of all packs that the index knows, taken apart when they are asked for.
package struct PackOutlines: Sendable {
    /// The packs that hold messages of an envelope, in the order of their names.
    package private(set) var holders: [ObjectID: [ObjectID]] = [:]
    private var places: [ObjectID: OutlineBytes] = [:]

    package init() {}

    fileprivate init(_ runs: [Run]) {
        for run in runs {
            for (number, bytes) in run.outlines {
                let pack = run.packRow(number).id
                guard places[pack] == nil,
                    let envelopes = try? PackOutline.envelopes(of: bytes.start)
                else { continue }
                places[pack] = bytes
                for envelope in envelopes { holders[envelope, default: []].append(pack) }
            }
        }
        for (envelope, packs) in holders where packs.count > 1 {
            holders[envelope] = packs.sorted()
        }
    }

    /// Nil where the index does not know the pack.
    package func outline(of pack: ObjectID) -> PackOutline? {
        places[pack].flatMap { try? PackOutline($0.copy) }
    }
}

extension ChunkIndex {
    /// How the packs that the index knows hang together. Takes memory and time in proportion to
    /// the packs.
    package var outlines: PackOutlines { PackOutlines(current) }
}

/// The bytes of an outline: in a run, or new.
enum OutlineBytes: Sendable {
    /// `range` lies in the run's tables, which are mapped as long as the run is there.
    case inRun(Run, Range<Int>)
    case own([UInt8])

    var count: Int {
        switch self {
        case .inRun(_, let range): range.count
        case .own(let bytes): bytes.count
        }
    }

    var copy: [UInt8] { first(count) }

    /// As much as holds the envelopes of nearly all packs; all of it where that is not enough.
    fileprivate var start: [UInt8] {
        let few = first(min(count, 2 + 32 * ObjectID.byteCount))
        return few.count < count && (few.first ?? 0) > 32 ? copy : few
    }

    private func first(_ length: Int) -> [UInt8] {
        switch self {
        case .inRun(let run, let range):
            Array(UnsafeRawBufferPointer(start: run.front + range.lowerBound, count: length))
        case .own(let bytes): Array(bytes.prefix(length))
        }
    }
}

/// An outline and the number of its pack's first row.
typealias NumberedOutline = (packNumber: Int, bytes: OutlineBytes)

extension RunHeader {
    /// What outlines take in a run, each behind its number and length.
    static func outlineBytes(of outlines: [NumberedOutline]) -> Int {
        outlines.reduce(0) { $0 + 8 + $1.bytes.count }
    }
}

extension Run {
    /// The outlines with the numbers of the packs' first rows. On disk, one after the other: number of the
    /// row u32, length u32, the outline.
    var outlines: [NumberedOutline] {
        var found: [NumberedOutline] = []
        var at = header.outlinesOffset
        let end = at + header.outlineBytes
        while at + 8 <= end {
            let number = Int(UInt32(littleEndian: (front + at).loadUnaligned(as: UInt32.self)))
            let count = Int(UInt32(littleEndian: (front + at + 4).loadUnaligned(as: UInt32.self)))
            guard number < header.packCount, count <= end - at - 8 else { break }
            found.append((number, .inRun(self, (at + 8)..<(at + 8 + count))))
            at += 8 + count
        }
        return found
    }
}
