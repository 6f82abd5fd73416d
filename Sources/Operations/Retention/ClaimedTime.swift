import Snapshots
import WireFormat

/// The time that a head claims, held against the store's clock.
struct ClaimedTime {
    private static let slackMilliseconds: UInt64 = 15 * 60_000
    /// A writer claims how long it took, too.
    private static let foreignDurationMax: UInt64 = 48 * 3_600_000

    /// What somebody with a write key could say and is not taken for true; tests show that each
    /// matters.
    struct Checks: OptionSet, Sendable {
        let rawValue: UInt8
        static let clock = Checks(rawValue: 1)
        static let duration = Checks(rawValue: 2)
        static let claims = Checks(rawValue: 4)
        static let all: Checks = [.clock, .duration, .claims]
    }

    let isBelieved: Bool

    init(_ snapshot: Snapshot, checks: Checks = .all) {
        let head = snapshot.head
        let isForeign = snapshot.domain != .shared
        // A full key may import what was made long ago, and copies are as old as what they copy.
        if !isForeign || !checks.contains(.claims),
            head.flags.contains(.timeGiven) || head.origin != nil
        {
            isBelieved = true
            return
        }
        guard let committed = snapshot.committed else {
            isBelieved = false
            return
        }
        guard checks.contains(.clock) else {
            isBelieved = true
            return
        }
        var duration = head.ended > head.started ? distance(head.started, head.ended) : 0
        if isForeign && checks.contains(.duration) {
            duration = min(duration, Self.foreignDurationMax)
        }
        let (allowed, overflow) = Self.slackMilliseconds.addingReportingOverflow(duration)
        let off = distance(head.time, committed)
        // What lies ahead of the commit no duration explains.
        isBelieved =
            isForeign && head.time > committed
            ? off <= Self.slackMilliseconds : overflow || off <= allowed
    }
}

/// How far two points in time are apart, whatever clocks said.
func distance(_ a: Int64, _ b: Int64) -> UInt64 {
    let (low, high) = (UInt64(bitPattern: min(a, b)), UInt64(bitPattern: max(a, b)))
    return high &- low
}
