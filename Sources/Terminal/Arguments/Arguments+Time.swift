import Operations

extension Arguments {
    /// A point in time, of a day its beginning: milliseconds since 1970.
    func time(_ option: Option) throws(UsageError) -> Int64? {
        guard let text = try text(option) else { return nil }
        guard let time = Times.parse(text) else {
            throw UsageError(
                "\(option.flag) \(text): this is no date",
                hint: "write \(option.flag) 2026-11-21 or \(option.flag) 2026-11-21T04:16")
        }
        return time.first
    }
}
