/// Stands for a path where millions must be held: a hash of 16 bytes, keyed anew in every process, so that
/// nobody can choose paths that have the same.
package struct PathName: Hashable, Sendable {
    private let words: (Int, Int)

    package init(_ path: some Collection<UInt8>) {
        func half(_ number: UInt8) -> Int {
            var hasher = Hasher()
            hasher.combine(number)
            let isHashed: Void? = path.withContiguousStorageIfAvailable {
                hasher.combine(bytes: UnsafeRawBufferPointer($0))
            }
            if isHashed == nil { for byte in path { hasher.combine(byte) } }
            return hasher.finalize()
        }
        words = (half(0), half(1))
    }

    package static func == (a: Self, b: Self) -> Bool { a.words == b.words }
    package func hash(into hasher: inout Hasher) { hasher.combine(words.0) }
}
