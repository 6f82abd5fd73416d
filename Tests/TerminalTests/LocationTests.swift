import Faults
import Files
import ObjectStorage
import S3
import Testing

@testable import Terminal

@Test func `a location is a directory`() throws {
    #expect(try Location(bytes("/srv/backup")).path == "/srv/backup")
    #expect(try Location(bytes("backup:2026")).path == "backup:2026")
    #expect(try Location([0x2f, 0xff]).path.bytes == [0x2f, 0xff])
}

@Test func `a location is a bucket`() throws {
    #expect(try Location(bytes("s3://bucket/prefix")).isFar)
    #expect(try !Location(bytes("s3:/bucket")).isFar)
}

@Test func `other kinds of locations are named`() {
    #expect(throws: StorageError.self) { try Location(bytes("ftp://host/path")) }
    #expect(throws: UsageError.self) { try Location([]) }
}

@Test func `the option wins over the variable, and without both there is no default`() throws {
    let variables = environment(["REPO_REPOSITORY": "/a"])
    #expect(try Location.find(try arguments("list"), variables).path == "/a")
    #expect(try Location.find(try arguments("list -r /b"), variables).path == "/b")
    #expect(throws: UsageError.self) { try Location.find(try arguments("list"), environment([:])) }
}

@Test func `a lock is asked for by the option or the variable, and only in days`() throws {
    func lock(_ line: String, _ variables: [String: String] = [:]) throws -> Int? {
        try FarStore.lock(try arguments(line), environment(variables))?.days
    }
    #expect(try lock("list") == nil)
    #expect(try lock("list --object-lock 30") == 30)
    #expect(try lock("list", ["REPO_OBJECT_LOCK": "7:governance"]) == 7)
    #expect(try lock("list", ["REPO_OBJECT_LOCK": ""]) == nil)
    #expect(try lock("list --object-lock 30", ["REPO_OBJECT_LOCK": "7"]) == 30)
    #expect(throws: UsageError.self) { try lock("list --object-lock 30d") }
    #expect(throws: UsageError.self) { try lock("list", ["REPO_OBJECT_LOCK": "forever"]) }
}

@Test
func `the cache is where it is said to be, else where XDG has it, else at home, else nowhere`()
    throws
{
    func cache(_ line: String, _ variables: [String: String]) throws -> Path? {
        CacheLocation.find(try arguments(line), environment(variables))
    }
    let both = ["XDG_CACHE_HOME": "/x", "HOME": "/h"]
    #expect(try cache("list --cache-dir c", both) == "c")
    #expect(try cache("list", both) == "/x/repo")
    #expect(try cache("list", ["XDG_CACHE_HOME": "relative", "HOME": "/h"]) == "/h/.cache/repo")
    #expect(try cache("list", [:]) == nil)
}
