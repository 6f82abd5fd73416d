import Faults
import Files
import Glibc
import ObjectStorage
import Operations
import S3
import Sealing
import Snapshots
import Synchronization
import TestSupport
import Testing
import Vault
import WireFormat

let faults: [FakeS3.Fault] = [
    .refuse(status: 500, code: "InternalError"), .refuse(status: 503, code: "SlowDown"),
    .refuse(status: 502, code: ""), .refuse(status: 504, code: ""),
    .refuse(status: 429, code: "TooManyRequests"), .refuse(status: 400, code: "RequestTimeout"),
    .refuse(status: 403, code: "ExpiredToken"), .refuse(status: 403, code: "AccessDenied"),
    .refuse(status: 409, code: "ConditionalRequestConflict"),
    .skewed, .wrongRegion("eu-west-1"), .redirect, .resetBefore, .resetWithinRequest,
    .resetWithinBody, .resetAfter, .closeAfter, .shortBody, .errorInside, .truncatedXML, .duplicatedKeys,
    .tokenLoop, .emptyPage, .wholeBody, .otherRange,
]

/// Those that must never end a verb: trying again helps.
func passes(_ fault: FakeS3.Fault) -> Bool {
    switch fault {
    case .refuse(_, "AccessDenied"), .redirect, .tokenLoop, .emptyPage, .truncatedXML, .otherRange:
        false
    default: true
    }
}

/// What a night changes.
private func night(_ number: Int) -> [UInt8] {
    var random = SeededRandom(seed: 77)
    var rows = random.bytes(260_000)
    rows.replaceSubrange(
        (number * 20_000)..<(number * 20_000 + 100), with: repeatElement(UInt8(number), count: 100))
    return rows
}

@Test(arguments: faults.indices)
func `an add whose any request goes wrong is saved whole, or not and says so`(_ index: Int) throws {
    let fault = faults[index]
    let repository = try FarRepository()
    let first = try repository.add(night(0))
    let before = repository.server.requests.count
    _ = try repository.add(night(1))
    let requests = repository.server.requests.count - before
    #expect(requests > 8)
    var saved: [(Snapshot, [UInt8])] = [(first, night(0))]
    for number in 0..<requests {
        let start = repository.server.requests.count
        let bytes = night(2 + number % 8)
        do {
            let snapshot = try repository.with({ $0.index == start + number ? fault : nil }) {
                try repository.add(bytes)
            }
            saved.append((snapshot, bytes))
        } catch {
            #expect(error is any Explained, "\(error)")
            #expect(!passes(fault), "request \(number), \(fault): \(error)")
        }
    }
    // Whatever was called saved is there, and whole.
    let there = try repository.snapshots()
    for (snapshot, bytes) in saved {
        #expect(there.contains { $0.id == snapshot.id })
        #expect(try repository.cat(snapshot) == bytes)
    }
    #expect(try check(CheckRequest(readDataPercent: 100), repository.open()).exitCode == .done)
}

@Test(arguments: faults.indices)
func `whatever goes wrong, what an add with a lock leaves is locked`(_ index: Int) throws {
    let fault = faults[index]
    let repository = try FarRepository(lock: ObjectLock("30"))
    _ = try repository.add(night(0))
    let before = repository.server.requests.count
    _ = try repository.add(night(1))
    let requests = repository.server.requests.count - before
    for number in 0..<requests {
        let start = repository.server.requests.count
        do {
            _ = try repository.with({ $0.index == start + number ? fault : nil }) {
                try repository.add(night(2 + number % 8))
            }
        } catch {
            #expect(error is any Explained, "\(error)")
            #expect(!passes(fault), "request \(number), \(fault): \(error)")
        }
    }
    let kept = repository.server.kept
    #expect(repository.server.keys.allSatisfy { kept[$0] != nil || $0.contains("tombstones/") })
}

@Test(arguments: faults.indices)
func `a restore whose any request goes wrong gives the very bytes, or says that it does not`(
    _ index: Int
) throws {
    let fault = faults[index]
    let repository = try FarRepository()
    _ = try repository.add(night(0))
    let snapshot = try repository.add(night(1))
    let before = repository.server.requests.count
    #expect(try repository.cat(snapshot) == night(1))
    let requests = repository.server.requests.count - before
    for number in 0..<requests {
        let start = repository.server.requests.count
        do {
            let bytes = try repository.with({ $0.index == start + number ? fault : nil }) {
                try repository.cat(snapshot)
            }
            #expect(bytes == night(1))
        } catch {
            #expect(error is any Explained, "\(error)")
            #expect(!passes(fault), "request \(number), \(fault): \(error)")
        }
    }
}

@Test func `an answer that stalls is given up and asked for again`() throws {
    let repository = try FarRepository()
    let snapshot = try repository.add(night(0))
    let stalled = Atomic(false)
    // The first long answer stops in the middle.
    let bytes = try repository.with({ request in
        guard request.method == "GET", request.headers["range"] != nil,
            !stalled.exchange(true, ordering: .relaxed)
        else { return nil }
        return .stalledBody
    }) { try repository.cat(snapshot) }
    let didStall = stalled.load(ordering: .relaxed)
    #expect(didStall)
    #expect(bytes == night(0))
}

@Test func `a store that is down for good is given up after a quarter of an hour`() throws {
    let repository = try FarRepository()
    #expect {
        try repository.with({ _ in .refuse(status: 503, code: "SlowDown") }) {
            _ = try repository.snapshots()
        }
    } throws: {
        let message = ($0 as? any Explained)?.message ?? ""
        return message.contains("503") && message.contains("tries in 9")
    }
}

@Test(arguments: faults.indices)
func `a forget whose any request goes wrong drops all of it or can be run again`(_ index: Int)
    throws
{
    let fault = faults[index]
    let repository = try FarRepository()
    let kept = try repository.add(night(0))
    func forgetting(_ snapshot: Snapshot) throws {
        _ = try forget(
            ForgetRequest(references: [Reference("\(snapshot.id)")]), in: repository.open())
    }
    let first = try repository.add(night(1))
    let before = repository.server.requests.count
    try forgetting(first)
    for number in 0..<(repository.server.requests.count - before) {
        let snapshot = try repository.add(night(1))
        let index = repository.server.requests.count + number
        do {
            try repository.with({ $0.index == index ? fault : nil }) { try forgetting(snapshot) }
        } catch {
            #expect(error is any Explained, "\(error)")
            // Run again it ends what it began; or it is told that there is nothing more.
            do { try forgetting(snapshot) } catch OperationError.noSuchSnapshot {}
        }
        #expect(try !repository.snapshots().contains { $0.id == snapshot.id })
    }
    #expect(try repository.cat(kept) == night(0))
}
