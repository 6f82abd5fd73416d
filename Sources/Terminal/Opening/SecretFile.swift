import Files

/// A new file for a secret, readable by its owner only: its name is taken before there is anything
/// to put into it.
struct SecretFile: ~Copyable {
    let path: Path
    private var file: Descriptor
    private let calls: SystemCalls

    /// Fails where something stands at `path` already.
    init(reserving path: Path, calls: SystemCalls) throws {
        file = try Descriptor(creating: path, calls: calls)
        self.path = path
        self.calls = calls
    }

    /// Fills the file; returns when it cannot be lost any more.
    mutating func write(_ bytes: UnsafeRawBufferPointer) throws {
        try file.write(bytes)
        try file.flush()
        try file.close()
        try Directories(calls).flush(path.parent)
    }

    mutating func write(_ text: String) throws {
        var text = text
        try text.withUTF8 { try write(UnsafeRawBufferPointer($0)) }
    }

    /// Takes the file away again: what it was for did not come about.
    consuming func discard() { try? Directories(calls).remove(path) }
}
