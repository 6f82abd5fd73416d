import Faults
import Files
import Operations
import Sealing
import Snapshots
import TestSupport
import Testing
import Vault
import WireFormat

/// What a night changes.
private func night(_ number: Int) -> [UInt8] {
    var random = SeededRandom(seed: 78)
    var rows = random.bytes(200_000)
    rows.replaceSubrange(
        (number * 20_000)..<(number * 20_000 + 100), with: repeatElement(UInt8(number), count: 100))
    return rows
}

/// Every request that copying one more night makes, to and from stores that answer it wrongly.
@Test(arguments: faults.indices)
func `a copy whose any request goes wrong is whole, or not and says so`(_ index: Int) throws {
    let fault = faults[index]
    let here = try FarRepository()
    let there = try FarRepository(seed: 1)
    var nights: [ObjectID: [UInt8]] = [:]
    for number in 0..<2 { nights[try here.add(night(number)).id] = night(number) }
    func copyAll() throws -> CopyOutcome {
        try copy(CopyRequest(), from: here.open(), to: there.open())
    }
    let (before, beforeHere) = (there.server.requests.count, here.server.requests.count)
    #expect(try copyAll().copied.count == 2)
    let requests = there.server.requests.count - before
    let requestsHere = here.server.requests.count - beforeHere
    #expect(requests > 12 && requestsHere > 8)
    // Every third request in turn: a run makes some fifty.
    for number in stride(from: index % 3, to: requests + requestsHere, by: 3) {
        let bytes = night(2 + number % 8)
        nights[try here.add(bytes).id] = bytes
        let broken = number < requests ? there : here
        let start = broken.server.requests.count
        let at = number < requests ? number : number - requests
        do {
            let outcome = try broken.with({ $0.index == start + at ? fault : nil }) {
                try copyAll()
            }
            // One that was left out is said, and comes with a later run.
            #expect(
                (outcome.failed.isEmpty && outcome.damages.isEmpty) || !passes(fault),
                "request \(number), \(fault)")
        } catch {
            #expect(error is any Explained, "\(error)")
            #expect(!passes(fault), "request \(number), \(fault): \(error)")
        }
    }
    #expect(try copyAll().failed.isEmpty)
    let copies = try there.snapshots()
    #expect(copies.count == nights.count)
    #expect(Set(copies.map { $0.head.origin?.snapshot }) == Set(nights.keys.map { $0 }))
    for copy in copies {
        #expect(try there.cat(copy) == copy.head.origin.flatMap { nights[$0.snapshot] })
    }
    #expect(try check(CheckRequest(readDataPercent: 100), there.open()).exitCode == .done)
}
