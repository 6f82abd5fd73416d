import CLinux
import Files
import TestSupport
import Testing

extension TemporaryDirectory {
    /// A path below it.
    func path(_ name: String) -> Path { Path(path) / name }
}

func block(_ seed: UInt8, _ count: Int) -> [UInt8] {
    (0..<count).map { seed &+ UInt8(truncatingIfNeeded: $0 &* 7 &+ $0 >> 8) }
}

/// The whole of a file, read with nothing in between.
func contents(_ path: Path) throws -> [UInt8] {
    try Directories(.kernel).contents(of: path, limit: 64 << 20)
}

func create(_ path: Path, _ bytes: [UInt8], _ calls: SystemCalls = .kernel, durable: Bool = false)
    throws
{
    try bytes.withUnsafeBytes { try Directories(calls).create(path, $0, durable: durable) }
}

func names(_ path: Path) throws -> [String] {
    try #require(try Directories(.kernel).names(path)).map { $0.description }
}

func mode(_ path: Path) throws -> UInt32 {
    UInt32(try #require(try Directories(.kernel).status(path)).st_mode) & 0o7777
}

/// Expects a `FileError` of this code.
func expectFileError(
    _ code: Int32, _ why: String = "", sourceLocation: SourceLocation = #_sourceLocation,
    _ body: () throws -> Void
) {
    do {
        try body()
        Issue.record("no error: \(why)", sourceLocation: sourceLocation)
    } catch let error as FileError {
        #expect(error.code == code, "\(error.message) \(why)", sourceLocation: sourceLocation)
    } catch {
        Issue.record("not a FileError: \(error) \(why)", sourceLocation: sourceLocation)
    }
}
