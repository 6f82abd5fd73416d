import CLinux

extension Directories {
    /// Creates a file, readable by its owner only, with these bytes.
    /// - Parameter durable: returns only when they cannot be lost any more. After an error the file
    ///   may be there.
    package func create(_ path: Path, _ bytes: UnsafeRawBufferPointer, durable: Bool)
        throws(FileError)
    {
        var file = try Descriptor(creating: path, calls: calls)
        if durable && bytes.count >= Self.largeBytes {
            try file.writePastCache(bytes)
        } else {
            try file.write(bytes)
        }
        if durable { try file.flush() }
        try file.close()
    }

    /// What is written past the page cache: shorter files are wanted again soon.
    private static let largeBytes = 1 << 20

    /// Gives `path` new content in one step, through a temporary file beside it that must not
    /// exist.
    package func replace(_ path: Path, with bytes: [UInt8], through temporary: Path)
        throws(FileError)
    {
        do throws(FileError) {
            try create(temporary, bytes)
            try rename(temporary, to: path)
        } catch {
            // What failed is told; that the remains cannot be removed either would only hide it.
            _ = calls.unlink(temporary)
            throw error
        }
    }

    private func create(_ path: Path, _ bytes: [UInt8]) throws(FileError) {
        var failure: FileError?
        bytes.withUnsafeBytes { bytes in
            do throws(FileError) { try create(path, bytes, durable: false) } catch {
                failure = error
            }
        }
        if let failure { throw failure }
    }
}
