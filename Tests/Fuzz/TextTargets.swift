@testable import Operations

/// Words that people write, and the system's time zones.
func textTargets() -> [FuzzTarget] { [times, patterns, zones, zoneRules] }

private func bytes(_ texts: String...) -> [[UInt8]] { texts.map { Array($0.utf8) } }

private let times = FuzzTarget(
    name: "times", inputBytesMax: 64,
    seeds: bytes("2026-11-21", "2026-11-21T04:16", "2026-11-21 04:16:09Z")
) { bytes in
    guard let (first, last) = Times.parse(String(decoding: bytes, as: UTF8.self)) else { return }
    mustHold(first < last, "a time has a length")
    let text = Times.utc(first)
    mustHold(Times.parse(text)?.first == first || text.count > 20, "a time has a spelling")
    _ = (Times.local(first), Times.compact(first))
}

/// A pattern, a zero, a path.
private let patterns = FuzzTarget(
    name: "patterns", inputBytesMax: 128,
    seeds: bytes(
        "*.sql\0var/log/a.sql", "**/cache/\0a/cache/b", "[a-z]?*\\*\0x/y*", "shop/*\0shop/a")
) { bytes in
    let parts = bytes.split(separator: 0, maxSplits: 1, omittingEmptySubsequences: false)
    let pattern = String(decoding: parts[0], as: UTF8.self)
    let path = parts.count > 1 ? Array(parts[1]) : []
    let isMeant = PathPattern(pattern).matches(path)
    mustHold([PathPattern(pattern)].choose(path) == isMeant, "one pattern chooses what it means")
    let series = SeriesPattern(pattern)
    mustHold(series.matches(pattern), "a pattern means its own text")
    let name = String(decoding: path, as: UTF8.self)
    if series.isName {
        mustHold(
            series.matches(name) == (name.unicodeScalars.elementsEqual(pattern.unicodeScalars)),
            "a name means itself alone")
    }
    mustHold(!series.isMoreSpecific(than: series), "no pattern says more than itself")
}

private let zones = FuzzTarget(
    name: "zone-file", inputBytesMax: 8192, share: 50,
    seeds: ["Europe/Berlin", "America/New_York", "UTC", "Asia/Kolkata"].map {
        contents(of: "/usr/share/zoneinfo/\($0)")
    }
) { bytes in
    guard let zone = ZoneFile.read(bytes) else { return }
    for seconds in [Int64.min, -1 << 40, 0, 1_700_000_000, 4_000_000_000, 1 << 40, .max] {
        mustHold(abs(zone.offset(at: seconds)) <= 172_800, "an offset is at most two days")
    }
}

private let zoneRules = FuzzTarget(
    name: "zone-rule", inputBytesMax: 128,
    seeds: bytes("CET-1CEST,M3.5.0,M10.5.0/3", "<-03>3<-02>,J59,300/-24:00:01", "UTC0")
) { bytes in
    guard let rule = ZoneRule(bytes) else { return }
    for seconds in [Int64.min, -1 << 40, 0, 1_700_000_000, 4_000_000_000, 1 << 40, .max] {
        mustHold(abs(rule.offset(at: seconds)) <= 172_800, "an offset is at most two days")
    }
}
