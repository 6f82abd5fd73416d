/// The bytes of one `read`, and how far they are used up.
struct Input {
    let bytes: UnsafeRawBufferPointer
    var at = 0

    init(_ bytes: UnsafeRawBufferPointer) { self.bytes = bytes }

    var left: Int { bytes.count - at }
    var rest: UnsafeRawBufferPointer { bytes.part(from: at) }

    /// Passes over as much of `remaining` as is at hand.
    mutating func skip(_ remaining: inout UInt64) -> UnsafeRawBufferPointer {
        let count = remaining < UInt64(left) ? Int(remaining) : left
        let skipped = bytes.part(at, at + count)
        at += count
        remaining -= UInt64(count)
        return skipped
    }
}

/// Hands out fields of known length from a stream that comes in parts: in place where a field lies
/// in one part, gathered where it lies across several. A field's length is bounded by its caller.
struct FieldReader {
    private var held: [UInt8] = []

    /// Whether a field was begun.
    var isInField: Bool { !held.isEmpty }

    /// The next `count` bytes; nil: they are not all there yet, ask again for as many with the next
    /// part.
    mutating func take<Value>(
        _ count: Int, _ input: inout Input, _ body: (UnsafeRawBufferPointer) -> Value
    ) -> Value? {
        if held.isEmpty, input.left >= count {
            defer { input.at += count }
            return body(input.bytes.part(input.at, input.at + count))
        }
        let taken = min(count - held.count, input.left)
        held.append(contentsOf: input.bytes.part(input.at, input.at + taken))
        input.at += taken
        guard held.count == count else { return nil }
        defer { held.removeAll(keepingCapacity: true) }
        return held.withUnsafeBytes(body)
    }
}
