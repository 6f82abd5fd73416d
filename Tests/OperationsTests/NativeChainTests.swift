import Faults
import Files
import Operations
import Snapshots
import TestSupport
import Testing
import Vault
import WireFormat

@Test func `increments are linked by where the one before them ends`() throws {
    let repository = try TestRepository()
    let vault = try repository.open()
    let full = try repository.add(TestArchive.backup(0, 100), to: "s", vault: vault).snapshot
    #expect(full.head.kind == .full && full.head.needs == nil)
    #expect(full.head.sequenceNumbers == .init(from: 0, to: 100))
    let first = try repository.add(TestArchive.backup(100, 150), to: "s", vault: vault).snapshot
    #expect(first.head.kind == .differential)
    #expect(first.head.needs == full.id && first.head.parent == full.id)
    #expect(first.head.base == full.id)
    let second = try repository.add(TestArchive.backup(150, 180), to: "s", vault: vault).snapshot
    #expect(second.head.kind == .incremental)
    #expect(second.head.needs == first.id && second.head.base == full.id)
    // Another from the full itself, though others came since.
    let other = try repository.add(TestArchive.backup(100, 200), to: "s", vault: vault) {
        $0.kind = .incremental
    }.snapshot
    #expect(other.head.kind == .incremental && other.head.needs == full.id)
    #expect(try repository.cat("s", vault: vault) == TestArchive.backup(100, 200))
    // A chain is not broken.
    for needed in [full, first] {
        #expect(throws: OperationError.self) {
            try forget(ForgetRequest(references: [Reference("\(needed.id)")]), in: vault)
        }
    }
    _ = try forget(ForgetRequest(references: [Reference("\(second.id)")]), in: vault)
    _ = try forget(ForgetRequest(references: [Reference("\(first.id)")]), in: vault)
    let unlinked = #expect(throws: Unlinked.self) {
        try repository.add(TestArchive.backup(150, 190), to: "s", vault: vault)
    }
    #expect(unlinked?.wanted == "150" && unlinked?.atHand == ["100", "200"])
    #expect(unlinked?.exitCode == .incompleteStream)
    #expect(unlinked?.message.contains("LSN 150") == true)
    #expect(try History.load(vault).snapshots.count == 2)
}

@Test func `an increment of nothing is saved where that is wanted, and is nothing to go on from`()
    throws
{
    let repository = try TestRepository()
    let vault = try repository.open()
    #expect(throws: Unlinked.self) {
        try repository.add(TestArchive.backup(10, 20), to: "s", vault: vault)
    }
    let outcome = try repository.add(TestArchive.backup(10, 20), to: "s", vault: vault) {
        $0.allowUnlinked = true
    }
    #expect(outcome.snapshot.head.kind == .incremental && outcome.snapshot.head.needs == nil)
    #expect(outcome.reservations.count == 1)
    #expect(throws: Unlinked.self) {
        try repository.add(TestArchive.backup(20, 25), to: "s", vault: vault)
    }
    // In another series it is of no use.
    try repository.add(TestArchive.backup(0, 30), to: "other", vault: vault)
    #expect(throws: Unlinked.self) {
        try repository.add(TestArchive.backup(30, 40), to: "s", vault: vault)
    }
}

@Test func `of several that end at one place the newest is gone on from, and no prepared one`()
    throws
{
    let repository = try TestRepository()
    let vault = try repository.open()
    try repository.add(TestArchive.backup(0, 100), to: "s", vault: vault)
    // The server was idle: nothing since, and a new full.
    try repository.add(TestArchive.backup(100, 100), to: "s", vault: vault)
    let again = try repository.add(TestArchive.backup(0, 100), to: "s", vault: vault).snapshot
    let prepared = try repository.add(
        TestArchive.backup(0, 100, "log-applied"), to: "s", vault: vault
    ).snapshot
    #expect(prepared.head.sequenceNumbers == nil)
    let next = try repository.add(TestArchive.backup(100, 120), to: "s", vault: vault).snapshot
    #expect(next.head.needs == again.id)
}

@Test func `a command is told where the backup before ends`() throws {
    let repository = try TestRepository()
    let vault = try repository.open()
    func run(_ kind: Head.Kind) throws -> Snapshot {
        let file = "\(repository.directory.path)/from-{parent.to_lsn}"
        var request = AddRequest(
            series: "s", source: .command([Array("cat".utf8), Array(file.utf8)]))
        request.kind = kind
        return try add(request, to: vault).snapshot
    }
    let error = #expect(throws: OperationError.self) { try run(.incremental) }
    #expect(error?.exitCode == .usage)
    let full = try repository.add(TestArchive.backup(0, 100), to: "s", vault: vault).snapshot
    let directory = Path(repository.directory.path)
    try writeFile(TestArchive.backup(100, 130), directory / "from-100")
    try writeFile(TestArchive.backup(130, 170), directory / "from-130")
    let first = try run(.incremental)
    #expect(first.head.needs == full.id)
    #expect(try run(.incremental).head.needs == first.id)
    #expect(try run(.differential).head.needs == full.id)
}
