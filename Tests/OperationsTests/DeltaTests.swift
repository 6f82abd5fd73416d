import Faults
import Files
import Glibc
import ObjectStorage
import Operations
import PackStore
import Snapshots
import TestSupport
import Testing
import Vault
import WireFormat

@Test func `small adds hold deltas in their manifests, and nothing stands on those`() throws {
    var random = SeededRandom(seed: announcedSeed())
    let repository = try TestRepository()
    var stream = random.sqlRows(byteCount: 600_000)
    try repository.add(stream, to: "s")
    var inline = 0
    for night in 1...6 {
        // Night after night in the same place: what is new stands in what last night's manifest
        // holds.
        for place in [1000, 300_000 + night] { stream[place] = UInt8(random.number(0x61...0x7a)) }
        let outcome = try repository.add(stream, to: "s")
        if outcome.manifest.inline != nil { inline += 1 }
        // As little as on the first of them, though it stands on nothing that is carried.
        #expect(outcome.deltas.rawBytes == outcome.snapshot.head.bytesNew, "night \(night)")
        #expect(outcome.snapshot.head.bytesStored < 3000, "night \(night)")
        #expect(try repository.cat("s") == stream)
    }
    let audit = try DeltaAudit(repository.open())
    #expect(audit.problems.isEmpty, "\(audit.problems.prefix(3))")
    #expect(inline == 6 && audit.inlineDeltas > 0, "\(inline), \(audit.inlineDeltas)")
    #expect(try check(CheckRequest(readDataPercent: 100), repository.open()).exitCode == .done)
}
