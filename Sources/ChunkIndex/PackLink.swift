import WireFormat

/// That a pack holds messages of an envelope, or that a frame in it stands on one.
///
/// On disk: envelope id 16, number of the pack's first row u32, relation u8, zeros u24.
struct PackLink: Hashable {
    static let byteCount = 24

    enum Relation: UInt8 {
        case holds = 0
        case standsOn = 1
    }

    let envelope: ObjectID
    /// The number of a row of the pack's.
    let packNumber: UInt32
    /// As the file says it: unchecked.
    let rawRelation: UInt8

    init(_ relation: Relation, _ envelope: ObjectID, packNumber: UInt32) {
        self.envelope = envelope
        self.packNumber = packNumber
        rawRelation = relation.rawValue
    }

    /// - Parameter bytes: 24 of them.
    init(at bytes: UnsafeRawPointer) {
        envelope = ObjectID(UnsafeRawBufferPointer(start: bytes, count: ObjectID.byteCount).bytes)
        let word = UInt64(littleEndian: bytes.loadUnaligned(fromByteOffset: 16, as: UInt64.self))
        packNumber = UInt32(truncatingIfNeeded: word)
        rawRelation = UInt8(truncatingIfNeeded: word >> 32)
    }

    func append(to bytes: inout [UInt8]) {
        bytes += envelope.bytes
        let word = UInt64(packNumber) | UInt64(rawRelation) << 32
        for shift in 0..<8 { bytes.append(UInt8(truncatingIfNeeded: word >> UInt64(8 * shift))) }
    }

    /// The same link under another pack number.
    func renumbered(_ packNumber: UInt32) -> PackLink {
        PackLink(envelope: envelope, packNumber: packNumber, rawRelation: rawRelation)
    }

    private init(envelope: ObjectID, packNumber: UInt32, rawRelation: UInt8) {
        self.envelope = envelope
        self.packNumber = packNumber
        self.rawRelation = rawRelation
    }
}

/// Which packs hold messages of which envelopes, and which packs stand on which envelopes.
package struct PackLinks: Sendable {
    /// The packs that hold messages of an envelope, in the order of their names.
    package fileprivate(set) var holders: [ObjectID: [ObjectID]] = [:]
    /// The envelopes that frames of a pack are deltas on.
    package fileprivate(set) var bases: [ObjectID: [ObjectID]] = [:]

    package init() {}
}

extension ChunkIndex {
    /// How the packs that the index knows hang together. Takes memory and time in proportion to
    /// the packs.
    package var links: PackLinks {
        var links = PackLinks()
        var seen: Set<Pair> = []
        for run in current {
            for link in run.packLinks where link.packNumber < run.header.packCount {
                let pack = run.packRow(Int(link.packNumber)).id
                guard
                    let relation = PackLink.Relation(rawValue: link.rawRelation),
                    seen.insert(Pair(relation: relation, envelope: link.envelope, pack: pack))
                        .inserted
                else { continue }
                switch relation {
                case .holds: links.holders[link.envelope, default: []].append(pack)
                case .standsOn: links.bases[pack, default: []].append(link.envelope)
                }
            }
        }
        for (envelope, packs) in links.holders where packs.count > 1 {
            links.holders[envelope] = packs.sorted()
        }
        return links
    }

    private struct Pair: Hashable {
        let relation: PackLink.Relation
        let envelope: ObjectID
        let pack: ObjectID
    }
}
