extension ContinuousClock.Instant {
    /// Seconds that went by since this moment: how long a verb took.
    var elapsedSeconds: Double {
        let elapsed = duration(to: .now).components
        return Double(elapsed.seconds) + Double(elapsed.attoseconds) / 1e18
    }
}
