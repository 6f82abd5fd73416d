import CLinux
import Synchronization

/// A block of memory that goes back to its pool when the last holder lets go of it.
///
/// A class for that reason. Whoever fills it is its only holder meanwhile; once it is shared it is
/// only read.
package final class Buffer: @unchecked Sendable {
    package let base: UnsafeMutableRawPointer
    package let capacity: Int
    private let pool: BufferPool?

    fileprivate init(base: UnsafeMutableRawPointer, capacity: Int, pool: BufferPool?) {
        self.base = base
        self.capacity = capacity
        self.pool = pool
    }

    /// A block of its own. Where blocks of many sizes come and go, the allocator shares memory
    /// among them better than pools of each size could.
    package convenience init(capacity: Int) {
        self.init(
            base: .allocate(byteCount: max(1, capacity), alignment: 64), capacity: capacity,
            pool: nil)
    }

    deinit {
        if let pool { pool.giveBack(base) } else { base.deallocate() }
    }

    /// Good for as long as the caller holds the buffer.
    package func bytes(_ range: Range<Int>) -> UnsafeRawBufferPointer {
        precondition(
            range.lowerBound >= 0 && range.upperBound <= capacity, "a range stays inside its buffer"
        )
        return UnsafeRawBufferPointer(start: base + range.lowerBound, count: range.count)
    }

    package func room(_ range: Range<Int>) -> UnsafeMutableRawBufferPointer {
        precondition(
            range.lowerBound >= 0 && range.upperBound <= capacity, "a range stays inside its buffer"
        )
        return UnsafeMutableRawBufferPointer(start: base + range.lowerBound, count: range.count)
    }
}

/// Blocks of one size, used again and again: fresh pages cost more than what is done with them.
package final class BufferPool: Sendable {
    package let capacity: Int
    private let freeMax: Int
    private let free = Mutex<[UInt]>([])

    /// - Parameter freeMax: so many blocks are kept that nobody holds, at most.
    package init(capacity: Int, freeMax: Int = .max) {
        self.capacity = capacity
        self.freeMax = freeMax
    }

    deinit {
        free.withLock { free in
            for address in free { UnsafeMutableRawPointer(bitPattern: address)?.deallocate() }
        }
    }

    package func take() -> Buffer {
        if let address = free.withLock({ $0.popLast() }),
            let base = UnsafeMutableRawPointer(bitPattern: address)
        {
            return Buffer(base: base, capacity: capacity, pool: self)
        }
        return Buffer(
            base: .allocate(byteCount: capacity, alignment: alignment), capacity: capacity,
            pool: self)
    }

    /// Large blocks lie as files want it that are written past the page cache.
    private var alignment: Int { capacity >= 1 << 20 ? 4096 : 64 }

    fileprivate func giveBack(_ base: UnsafeMutableRawPointer) {
        let isKept = free.withLock { free in
            guard free.count < freeMax else { return false }
            free.append(UInt(bitPattern: base))
            return true
        }
        if !isKept { base.deallocate() }
    }
}

/// A part of a buffer, keeping it alive.
package struct Slice: Sendable {
    package let buffer: Buffer
    package let range: Range<Int>

    package init(_ buffer: Buffer, _ range: Range<Int>) {
        self.buffer = buffer
        self.range = range
    }

    package var count: Int { range.count }

    /// Calls `body` with the bytes, which are there for as long as it runs.
    package func withBytes<R, E: Error>(_ body: (UnsafeRawBufferPointer) throws(E) -> R) throws(E)
        -> R
    {
        defer { withExtendedLifetime(buffer) {} }
        return try body(buffer.bytes(range))
    }

    /// A copy of `bytes` in a buffer of its own.
    package init(copying bytes: [UInt8]) {
        let buffer = Buffer(capacity: bytes.count)
        bytes.withUnsafeBytes { buffer.room(0..<bytes.count).copyMemory(from: $0) }
        self.init(buffer, 0..<bytes.count)
    }

    /// A copy of the same bytes in a buffer of its own.
    package var alone: Slice {
        let buffer = Buffer(capacity: count)
        withBytes { buffer.room(0..<count).copyMemory(from: $0) }
        return Slice(buffer, 0..<count)
    }
}
