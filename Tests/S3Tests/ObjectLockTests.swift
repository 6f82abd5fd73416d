import Faults
import ObjectStorage
import TestSupport
import Testing
import WireFormat

@testable import S3

private let now: Int64 = 1_795_835_700_000  // 2026-11-28T03:15:00Z

private func lockingStore(_ server: FakeS3, _ lock: String, clock: Int64 = now) throws -> S3Store {
    var options = options(now: { clock })
    options.objectLock = ObjectLock(lock)
    return try store(server, prefix: "", options)
}

@Test func `days and a mode are read, and nothing else`() {
    #expect(ObjectLock("30")?.days == 30)
    #expect(ObjectLock("30")?.mode == .compliance)
    #expect(ObjectLock("3650:governance")?.mode == .governance)
    #expect(ObjectLock("1:compliance")?.mode == .compliance)
    for text in ["", "0", "-1", "3651", "30:", "30:GOV", "30d", "30:governance:1", "1e3", " 30"] {
        #expect(ObjectLock(text) == nil, "\(text)")
    }
}

@Test(arguments: [FakeS3.LockHandling.honored, .shownAsRetention])
func `all that is written is locked but tombstones, and that is seen once`(
    _ handling: FakeS3.LockHandling
) throws {
    let server = FakeS3(locks: handling)
    let store = try lockingStore(server, "30")
    for name in everyKind { try store.put(name, [1]) }
    #expect(server.requests.filter { $0.hasPrefix("HEAD") }.count == 1)
    for name in everyKind {
        let kept = server.kept["\(name)"]
        if case .tombstone = name {
            #expect(kept == nil)
        } else {
            #expect(kept?.map { $0.1 } == ["COMPLIANCE", "2026-12-28T03:15:00Z"], "\(name)")
        }
    }
}

@Test func `who says nothing locks nothing, and looks at nothing`() throws {
    let server = FakeS3(locks: .honored)
    let store = try store(server, prefix: "")
    for name in everyKind { try store.put(name, [1]) }
    #expect(server.kept.isEmpty)
    #expect(!server.requests.contains { $0.hasPrefix("HEAD") })
}

@Test func `a store that ignores a lock fails the first put, which leaves nothing behind`() throws {
    let server = FakeS3(locks: .ignored)
    let store = try lockingStore(server, "30:governance")
    for name in [ObjectName.config, .pack(domain, id(1))] {
        #expect {
            try store.put(name, [1])
        } throws: {
            ($0 as? any Explained)?.message.contains("the store ignores Object Lock") ?? false
        }
    }
    #expect(server.keys.isEmpty)
    try store.put(.tombstone(.pack, id(2)), [1])
}

@Test func `a bucket without locks, and a lock that cannot be seen, are said`() throws {
    for (handling, words) in [
        (FakeS3.LockHandling.refused, "refuses Object Lock"), (.hidden, "cannot be seen"),
    ] {
        let server = FakeS3(locks: handling)
        #expect {
            try lockingStore(server, "30").put(.config, [1])
        } throws: {
            ($0 as? any Explained)?.message.contains(words) ?? false
        }
    }
}

@Test func `the days are counted by the store's clock`() throws {
    let server = FakeS3(locks: .honored, plan: { _ in .skewed })
    // A year behind.
    let hour: Int64 = 3_600_000
    let here = Int64(1_764_299_700_000)
    let store = try lockingStore(server, "1", clock: here)
    try store.put(.config, [1])
    let until = try #require(server.kept["config"].flatMap { Timestamps.parse(iso: $0[1].1) })
    let clock = options().now()
    #expect(abs(until - clock - 25 * hour) < hour / 10)
}

@Test func `a lock is held against the mode and the time that were asked for`() throws {
    let lock = try #require(ObjectLock("2"))
    let until = Timestamps.iso(now + 2 * 86_400_000)
    #expect(until == "2026-11-30T03:15:00Z")
    func isMet(_ mode: String?, _ until: String?) -> Bool {
        lock.isMet(by: ObjectLock.Retention(mode: mode, until: until), now: now)
    }
    #expect(isMet("COMPLIANCE", until))
    // Ceph writes more digits.
    #expect(isMet("COMPLIANCE", "2026-11-30T03:15:00.000000000Z"))
    #expect(!isMet("GOVERNANCE", until))
    #expect(!isMet("COMPLIANCE", "2026-11-29T03:15:00Z"))
    #expect(!isMet("COMPLIANCE", "soon"))
    #expect(!isMet(nil, nil))
}

@Test(arguments: [FakeS3.LockHandling.honored, .shownAsRetention])
func `what is there is locked for longer, once a day, and never less`(
    _ handling: FakeS3.LockHandling
) throws {
    let server = FakeS3(locks: handling)
    for name in everyKind { try lockingStore(server, "30").put(name, [1]) }
    func kept(_ name: ObjectName) -> [String]? { server.kept["\(name)"].map { $0.map { $0.1 } } }
    let later = try lockingStore(server, "30", clock: now + 7 * 86_400_000)
    for name in everyKind {
        let isTombstone = if case .tombstone = name { true } else { false }
        #expect(try later.keepLonger(name) == (isTombstone ? .none : .longer))
        #expect(kept(name) == (isTombstone ? nil : ["COMPLIANCE", "2027-01-04T03:15:00Z"]))
        #expect(try later.keepLonger(name) == .none)
    }
    // What is kept more strictly or longer stays so.
    let lax = try lockingStore(server, "3:governance", clock: now + 8 * 86_400_000)
    #expect(try lax.keepLonger(.config) == .none)
    let longer = try lockingStore(server, "60:governance", clock: now + 8 * 86_400_000)
    #expect(try longer.keepLonger(.config) == .longer)
    #expect(kept(.config)?.first == "COMPLIANCE")
    #expect(try longer.keepLonger(.pack(domain, id(77))) == .none)
}

@Test func `a store that has not shown that it locks is not asked to lock what is there`() throws {
    let ignoring = FakeS3(locks: .ignored)
    try store(ignoring, prefix: "").put(.config, [7])
    #expect(try lockingStore(ignoring, "30").keepLonger(.config) == .unproven)
    // It would have taken the request for the object.
    #expect(try store(ignoring, prefix: "").get(.config) == [7])
    let server = FakeS3(locks: .honored)
    try store(server, prefix: "").put(.config, [7])
    let locking = try lockingStore(server, "30")
    #expect(try locking.keepLonger(.config) == .unproven)
    try locking.put(.key(id(1)), [1])
    #expect(try locking.keepLonger(.config) == .longer)
    #expect(try locking.get(.config) == [7])
}

@Test func `a refusal says which right is missing`() {
    func hint(_ request: String, code: String = "AccessDenied") -> String {
        S3Error(status: 403, code: code, request: request).hint ?? ""
    }
    #expect(hint("DELETE snapshots/x").contains("s3:DeleteObject"))
    // moto says it without a word.
    #expect(hint("DELETE snapshots/x", code: "").contains("s3:DeleteObject"))
    #expect(hint("PUT packs/x").contains("s3:PutObject"))
    #expect(hint("GET packs/x").contains("s3:GetObject"))
    #expect(hint("GET a listing of keys").contains("s3:ListBucket"))
    #expect(!hint("GET packs/x", code: "SignatureDoesNotMatch").contains("right s3"))
    #expect(hint("GET packs/x", code: "InvalidObjectState").contains("archive"))
}
