/// What was used last, up to a size: what was not used for longest goes first.
///
/// Made for some hundred large values: finding the one to drop looks at all of them.
struct RecentlyUsed<Key: Hashable & Sendable, Value: Sendable>: Sendable {
    private struct Entry {
        let value: Value
        let size: Int
        /// When it was used last.
        var use: Int
    }

    private var entries: [Key: Entry] = [:]
    private var size = 0
    private var uses = 0
    private let sizeMax: Int

    init(sizeMax: Int) { self.sizeMax = sizeMax }

    mutating func find(_ key: Key) -> Value? {
        uses += 1
        entries[key]?.use = uses
        return entries[key]?.value
    }

    /// Keeps a value; one larger than what there is room for is not kept.
    mutating func insert(_ key: Key, _ value: Value, size new: Int) {
        uses += 1
        let before = entries.updateValue(Entry(value: value, size: new, use: uses), forKey: key)
        size += new - (before?.size ?? 0)
        while size > sizeMax, let oldest = entries.min(by: { $0.value.use < $1.value.use }) {
            size -= oldest.value.size
            entries[oldest.key] = nil
        }
    }
}
