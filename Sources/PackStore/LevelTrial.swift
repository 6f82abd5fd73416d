import Compression
import Workers

/// Chooses the level for a stream by trying on its first frame: levels are not monotone on database dumps, where 1 can
/// give fewer bytes than 3 at a third of the cost.
enum LevelTrial {
    /// Level 3 must be so much smaller, in percent, to be worth two and a half times the time.
    private static let gainPercent = 4
    private static let sampleBytesMin = 256 << 10

    static func choose(_ job: FrameJob) throws -> Int {
        // Little data is soon compressed.
        guard job.rawBytes >= sampleBytesMin else { return 3 }
        var source: [UInt8] = []
        source.reserveCapacity(job.rawBytes)
        for slice in job.slices { slice.withBytes { source.append(contentsOf: $0) } }
        let fast = try size(source, level: 1)
        let thorough = try size(source, level: 3)
        return thorough * 100 < fast * (100 - gainPercent) ? 3 : 1
    }

    private static func size(_ source: [UInt8], level: Int) throws -> Int {
        var compressor = Compressor(level: level)
        let room = Buffer(capacity: Compressor.bound(source.count))
        return try source.withUnsafeBytes {
            defer { withExtendedLifetime(room) {} }
            return try compressor.compress($0, into: room.room(0..<room.capacity), limit: Int.max) ?? source.count
        }
    }
}
