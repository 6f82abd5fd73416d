/// Chooses zstd's level while a stream is compressed: levels are not monotone on database dumps,
/// where 1 often gives fewer bytes than 3 at a third of the cost.
///
/// Now and then a frame is compressed at both levels; what they gave decides for the frames that
/// follow. One trial at the beginning would not do: a dump of all databases begins with help texts
/// and ends with rows.
struct LevelTrial {
    static let fast = 1
    static let thorough = 3

    /// Level 3 must be so much smaller, in percent, to be worth two and a half times the time.
    /// Where it gains less in one part of a dump it mostly loses it again in the next.
    private static let gainPercent = 12
    /// Little data is soon compressed.
    private static let sampleBytesMin = 256 << 10
    private static let pauseMax = 128

    private var level = Self.fast
    private var frames = 0
    private var nextTrial = 0
    private var pause = 4
    /// Bytes that trials gave, older ones counting less.
    private var fastBytes = 0
    private var thoroughBytes = 0

    /// How to compress the next frame; nil for a trial.
    mutating func levelOfNext(rawBytes: Int) -> Int? {
        guard rawBytes >= Self.sampleBytesMin else { return Self.thorough }
        defer { frames += 1 }
        guard frames == nextTrial else { return level }
        nextTrial += pause
        pause = min(2 * pause, Self.pauseMax)
        return nil
    }

    /// What a trial gave, in bytes.
    mutating func learn(fast: Int, thorough: Int) {
        fastBytes = fastBytes / 2 + fast
        thoroughBytes = thoroughBytes / 2 + thorough
        level =
            thoroughBytes * 100 < fastBytes * (100 - Self.gainPercent) ? Self.thorough : Self.fast
    }
}
