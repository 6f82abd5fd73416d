import Testing
import Vault

@testable import Terminal

@Test func `nothing is shown in the first half second, then at most ten times a second`() {
    var meter = ProgressMeter(now: 0, interval: 100)
    var shown: [Int64] = []
    for time in stride(from: Int64(10), through: 1000, by: 10)
    where meter.take(Progress(bytes: Int(time)), now: time) {
        shown.append(time)
    }
    #expect(shown == [500, 600, 700, 800, 900, 1000])
}

@Test func `the line tells bytes, rate, what is new and the time left`() {
    var meter = ProgressMeter(now: 0, interval: 100)
    let isShown = meter.take(
        Progress(bytes: 100_000_000, bytesTotal: 700_000_000, bytesNew: 2_800_000), now: 1000)
    #expect(isShown)
    #expect(meter.text == "100.0 MB of 700.0 MB  100.0 MB/s  2.8 MB new  0:06 left")
}

@Test func `what is not known is left out`() {
    var meter = ProgressMeter(now: 0, interval: 100)
    _ = meter.take(Progress(bytes: 50_000_000), now: 1000)
    #expect(meter.text == "50.0 MB  50.0 MB/s")
}

@Test func `the rate is that of the last seconds`() {
    var meter = ProgressMeter(now: 0, interval: 100)
    for second in 1...60 {
        _ = meter.take(
            Progress(bytes: second <= 30 ? second * 1_000_000 : 30_000_000),
            now: Int64(second) * 1000)
    }
    #expect(meter.text == "30.0 MB  0 bytes/s")
}

@Test func `bytes that go backwards give no negative rate`() {
    var meter = ProgressMeter(now: 0, interval: 100)
    _ = meter.take(Progress(bytes: 10_000_000), now: 1000)
    _ = meter.take(Progress(bytes: 1000, bytesTotal: 2000), now: 2000)
    #expect(meter.text == "1.0 kB of 2.0 kB  0 bytes/s")
    // What comes next has a rate of its own.
    _ = meter.take(Progress(bytes: 2_001_000), now: 3000)
    #expect(meter.text == "2.0 MB  2.0 MB/s")
}

@Test func `progress as JSON has whole numbers of bytes`() {
    var meter = ProgressMeter(now: 0, interval: 1000)
    _ = meter.take(Progress(bytes: 3_000_000, bytesTotal: 6_000_000), now: 1500)
    #expect(
        meter.json.line
            == #"{"type":"progress","bytes":3000000,"bytes_total":6000000,"bytes_new":null,"bytes_per_second":2000000,"seconds":1.5}"#
    )
}

@Test func `other things than bytes are counted by their names`() {
    var meter = ProgressMeter(now: 0, interval: 1000)
    _ = meter.take(Progress(17, of: 120, "packs deleted"), now: 1500)
    #expect(meter.text == "17 of 120 packs deleted")
    #expect(
        meter.json.line
            == #"{"type":"progress","step":"packs deleted","done":17,"total":120,"seconds":1.5}"#)
}
