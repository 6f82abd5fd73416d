import WireFormat

/// The chunks that the running `add` has claimed and that no run of the index holds yet: claimed
/// when first seen, placed when their frame is written.
///
/// Open addressing with the slots in the order of a hash: the search for a chunk that is not there
/// ends at the first greater one, so the table stays fast while nearly full. 32 bytes a slot, of
/// which 70 to 85 % are taken: from a thousand on, 38 to 47 bytes an entry; while the table grows,
/// the old one as well.
package struct PendingChunks: Sendable {
    /// What is known of a chunk.
    package enum Claim: Hashable, Sendable {
        /// It will be in a pack of this `add`.
        case claimed
        /// It is in this `add`'s pack of that number.
        case placed(pack: UInt32, frame: UInt16)
    }

    private struct Slot {
        var id: ChunkID
        /// 0: empty; 1: claimed; else pack number and frame, plus 2.
        var value: UInt64

        static let empty = Slot(id: ChunkID(words: (0, 0, 0)), value: 0)
    }

    /// The number of chunks.
    package private(set) var count = 0
    // The first `homes` slots are where hashes point; those after them take what the last cluster
    // has too many, so that nothing wraps around.
    private var slots: [Slot] = []
    private var homes = 0

    private static let spare = 64
    private static let homesMin = 64

    package init() {}

    /// How much memory the table takes.
    package var byteCount: Int { slots.count * MemoryLayout<Slot>.stride }

    /// Claims a chunk; false if it is there already. O(1).
    package mutating func insert(_ id: ChunkID) -> Bool {
        // Keeps the table at most 17/20 full.
        if count * 20 >= homes * 17 { grow() }
        while true {
            switch find(id) {
            case .found: return false
            case .missing(let at):
                if put(Slot(id: id, value: 1), at: at) {
                    count += 1
                    return true
                }
                // The last cluster has no room: rare enough.
                grow()
            }
        }
    }

    /// Says where a claimed chunk lies.
    /// - Parameter pack: less than `UInt32.max`.
    package mutating func place(_ id: ChunkID, pack: UInt32, frame: UInt16) {
        precondition(pack < .max, "too many packs for one add")
        guard case .found(let at) = find(id) else {
            preconditionFailure("a chunk is claimed before it is placed")
        }
        slots[at].value = (UInt64(pack) << 16 | UInt64(frame)) + 2
    }

    /// What is known of a chunk; nil where it has not been claimed.
    package func value(of id: ChunkID) -> Claim? {
        guard case .found(let at) = find(id) else { return nil }
        let value = slots[at].value
        if value == 1 { return .claimed }
        return .placed(
            pack: UInt32(truncatingIfNeeded: (value - 2) >> 16),
            frame: UInt16(truncatingIfNeeded: value - 2))
    }

    package func contains(_ id: ChunkID) -> Bool {
        if case .found = find(id) { true } else { false }
    }

    /// Forgets all chunks and gives the memory back.
    package mutating func removeAll() { self = PendingChunks() }

    // MARK: Inside

    private enum Found {
        case found(Int)
        /// Where the chunk would go: empty, the first of a greater hash, or the end of the slots.
        case missing(Int)
    }

    private func find(_ id: ChunkID) -> Found {
        let hash = Self.hash(id)
        var at = Self.home(hash, homes)
        return slots.withUnsafeBufferPointer { slots in
            // `at` starts at most at `homes`, which is 0 or less than the count.
            while at < slots.count, slots[at].value != 0 {
                if slots[at].id == id { return .found(at) }
                if Self.hash(slots[at].id) > hash { break }
                at += 1
            }
            return .missing(at)
        }
    }

    /// Shifts what stands at `at` to the next empty slot; false where there is none.
    private mutating func put(_ slot: Slot, at: Int) -> Bool {
        slots.withUnsafeMutableBufferPointer { slots in
            var end = at
            while end < slots.count, slots[end].value != 0 { end += 1 }
            if end >= slots.count { return false }
            while end > at {
                slots[end] = slots[end - 1]
                end -= 1
            }
            slots[at] = slot
            return true
        }
    }

    /// Makes the table a fifth larger. The slots are in order, so one pass over both tables moves
    /// them.
    private mutating func grow() {
        let old = slots
        var homes = max(Self.homesMin, self.homes + self.homes / 5)
        while !fill(from: old, homes: homes) { homes += homes / 5 }
    }

    private mutating func fill(from old: [Slot], homes: Int) -> Bool {
        slots = [Slot](repeating: .empty, count: homes + Self.spare)
        self.homes = homes
        var next = 0
        for slot in old where slot.value != 0 {
            let at = max(next, Self.home(Self.hash(slot.id), homes))
            if at >= slots.count { return false }
            slots[at] = slot
            next = at + 1
        }
        return true
    }

    @inline(__always)
    private static func home(_ hash: UInt64, _ homes: Int) -> Int {
        Int(hash.multipliedFullWidth(by: UInt64(homes)).high)
    }

    // Ids are hashes already; mixing all of one keeps the table fast for ids that are not.
    @inline(__always)
    private static func hash(_ id: ChunkID) -> UInt64 {
        let (a, b, c) = id.words
        let sum =
            a &* 0x9e37_79b9_7f4a_7c15 ^ b &* 0xc2b2_ae3d_27d4_eb4f ^ c &* 0xd6e8_feb8_6659_fd93
        let mixed = (sum ^ sum >> 32) &* 0xff51_afd7_ed55_8ccd
        return mixed ^ mixed >> 29
    }
}
