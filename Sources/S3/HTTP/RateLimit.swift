import CLinux
import Glibc
import Synchronization

/// Makes transfers of all threads together no faster than so many bytes a second.
final class RateLimit: Sendable {
    private let bytesPerSecond: Int
    /// When the next byte may go, in nanoseconds of the monotonic clock.
    private let next = Mutex<UInt64>(0)
    /// Nobody is made to wait longer at once, so that a signal is heard.
    private static let waitMax: UInt64 = 100_000_000

    init(bytesPerSecond: Int) { self.bytesPerSecond = max(1, bytesPerSecond) }

    /// Waits until so many bytes may go.
    func wait(for count: Int, unless isStopped: () -> Bool) {
        let cost = UInt64(count) * 1_000_000_000 / UInt64(bytesPerSecond)
        let due = next.withLock { next in
            let begin = max(next, Self.now)
            next = begin + cost
            return begin
        }
        while !isStopped(), case let now = Self.now, now < due {
            let rest = min(due - now, Self.waitMax)
            var time = timespec(tv_sec: 0, tv_nsec: Int(rest))
            nanosleep(&time, nil)
        }
    }

    private static var now: UInt64 {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        return UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec)
    }
}
