import Faults
import Operations
import Snapshots
import Synchronization
import TestSupport
import Testing
import Vault
import WireFormat

/// Packs are long enough here to be fetched by ranges.
private func night(_ number: Int) -> [UInt8] {
    var random = SeededRandom(seed: 78)
    var rows = random.bytes(24 << 20)
    // Every night something changes in every megabyte.
    for night in 0..<number {
        for place in 0..<24 {
            let start = place << 20 + night * 40_000
            rows.replaceSubrange(
                start..<(start + 200), with: repeatElement(UInt8(night), count: 200))
        }
    }
    return rows
}

/// What was asked of packs: key and range.
private final class PackRequests: Sendable {
    private let seen = Mutex<[(path: String, range: Range<Int>)]>([])

    var all: [(path: String, range: Range<Int>)] { seen.withLock { $0 } }
    var byteCount: Int { all.reduce(0) { $0 + $1.range.count } }

    func note(_ request: FakeS3.Request) {
        guard request.method == "GET", request.path.contains("/packs/"),
            let range = request.headers["range"]
        else { return }
        let numbers = range.split { !$0.isNumber }.compactMap { Int($0) }
        seen.withLock { $0.append((request.path, numbers[0]..<(numbers[1] + 1))) }
    }
}

@Test(arguments: [0, 2])
func `a restore asks for every pack about once, in long ranges`(_ workers: Int) throws {
    let repository = try FarRepository(workers: workers, pageEntries: 1000)
    var last: Snapshot?
    for number in 0..<5 { last = try repository.add(night(number)) }
    let snapshot = try #require(last)
    let asked = PackRequests()
    let before = repository.server.requests.count
    let bytes = try repository.with({ asked.note($0); return nil }) { try repository.cat(snapshot) }
    #expect(bytes == night(4))
    // Two packs of the first night, four small ones of the others, and five of lists.
    #expect(asked.all.count <= 14, "\(asked.all)")
    #expect(asked.byteCount < 27 << 20)
    #expect(repository.server.requests.count - before <= 40)
}


@Test(arguments: faults.indices)
func `what goes wrong while it is fetched ahead is tried again, or told`(_ index: Int) throws {
    let fault = faults[index]
    let repository = try FarRepository(workers: 2, pageEntries: 1000)
    _ = try repository.add(night(0))
    let snapshot = try repository.add(night(1))
    for number in 0..<6 {
        // One request of packs in the order in which they come.
        let count = Atomic(0)
        do {
            let bytes = try repository.with({ request in
                guard request.method == "GET", request.path.contains("/packs/"),
                    count.wrappingAdd(1, ordering: .relaxed).oldValue == number
                else { return nil }
                return fault
            }) { try repository.cat(snapshot) }
            #expect(bytes == night(1))
        } catch {
            #expect(error is any Explained, "\(error)")
            #expect(!passes(fault), "request \(number), \(fault): \(error)")
        }
    }
}

@Test func `a pack that is gone while it is restored is told as damage`() throws {
    let repository = try FarRepository(workers: 2, pageEntries: 1000)
    let snapshot = try repository.add(night(0))
    // The longest is not the one of lists.
    let asked = PackRequests()
    _ = try repository.with({ asked.note($0); return nil }) { try repository.cat(snapshot) }
    let path = try #require(asked.all.max { $0.range.count < $1.range.count }).path
    #expect {
        try repository.with({
            $0.path == path ? .refuse(status: 404, code: "NoSuchKey") : nil
        }) { _ = try repository.cat(snapshot) }
    } throws: {
        let error = $0 as? any Explained
        return error?.exitCode == .damage && error?.message.contains("missing") == true
    }
}

@Test func `a check of all data asks for every pack about once, and finds what is damaged`() throws {
    let repository = try FarRepository(workers: 2, pageEntries: 1000)
    for number in 0..<3 { _ = try repository.add(night(number)) }
    let asked = PackRequests()
    try repository.with({ asked.note($0); return nil }) {
        let outcome = try check(CheckRequest(readDataPercent: 100), repository.open())
        #expect(outcome.exitCode == .done)
    }
    // Whole, and once more what deltas stand on.
    #expect(asked.byteCount < 60 << 20)
    #expect(asked.all.count <= 24, "\(asked.all)")
    let path = try #require(asked.all.max { $0.range.count < $1.range.count }).path
    repository.server.damage(path)
    #expect(try check(CheckRequest(readDataPercent: 100), repository.open()).exitCode == .damage)
}
