/// What was used last, up to a size.
///
/// Two generations: what is used moves to the young one; when that holds half of what there is room
/// for, the old one is dropped. That is nearly least-recently-used, at the cost of one look into a
/// dictionary.
struct RecentlyUsed<Key: Hashable & Sendable, Value: Sendable>: Sendable {
    private var young: [Key: (value: Value, size: Int)] = [:]
    private var old: [Key: (value: Value, size: Int)] = [:]
    private var youngSize = 0
    private let sizeMax: Int

    init(sizeMax: Int) { self.sizeMax = sizeMax }

    mutating func find(_ key: Key) -> Value? {
        if let found = young[key] { return found.value }
        guard let found = old.removeValue(forKey: key) else { return nil }
        insert(key, found.value, size: found.size)
        return found.value
    }

    mutating func insert(_ key: Key, _ value: Value, size: Int) {
        guard young.updateValue((value, size), forKey: key) == nil else { return }
        youngSize += size
        guard youngSize > sizeMax / 2 else { return }
        old = young
        young = [:]
        youngSize = 0
    }
}
