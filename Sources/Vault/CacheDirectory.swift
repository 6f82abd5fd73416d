import CLinux
import Files
import Sealing
import WireFormat

/// This machine's cache of one repository: its index, who this writer is, and what was seen of
/// others.
///
/// Everything in it may be lost: the index is rebuilt, the writer gets a new name. Only the memory
/// of what was seen is gone then, and with it the power to notice that a store shows less than
/// before.
package struct CacheDirectory: Sendable {
    let root: Path
    private let surroundings: Surroundings
    private var directories: Directories { Directories(surroundings.systemCalls) }

    /// - Parameter parent: of all repositories' caches.
    package init(_ parent: Path, repository: ObjectID, surroundings: Surroundings) throws(FileError)
    {
        root = parent / repository.description
        self.surroundings = surroundings
        try directories.make(root)
    }

    package func indexDirectory(_ domain: DomainID) -> Path { root / "index" / domain.description }

    // MARK: what deltas are made against

    /// Copies of packs, for a store that is far.
    func packs(bytesMax: Int) -> PackCache {
        PackCache(
            root / "packs", bytesMax: bytesMax, calls: surroundings.systemCalls,
            randomBytes: surroundings.randomBytes)
    }

    /// Keys of what a write key sealed on this machine.
    func keptEnvelopes(_ domain: DomainID, auth: borrowing Secret) throws -> KeptEnvelopes {
        var secret = try machineSecret()
        return try KeptEnvelopes(
            root / "envelopes-\(domain)", machineSecret: &secret, auth: auth,
            calls: surroundings.systemCalls, randomBytes: surroundings.randomBytes)
    }

    /// 32 random bytes that stay on this machine.
    private func machineSecret() throws -> [UInt8] {
        let path = root / "machine-secret"
        if try directories.status(path) == nil {
            let temporary = Path("\(path).\(hexadecimal(try surroundings.randomBytes(8)))")
            var secret = try surroundings.randomBytes(32)
            defer { secret.wipe() }
            try secret.withUnsafeBytes { try directories.create(temporary, $0, durable: false) }
            // Two may have begun at once: the first one's counts for both.
            do throws(FileError) {
                try directories.renameWithoutReplacing(temporary, to: path)
            } catch {
                try? directories.remove(temporary)
                guard error.code == EEXIST else { throw error }
            }
        }
        return try directories.contents(of: path, limit: 32)
    }

    /// What a cache of packs may take if nobody says: a tenth of the free disk, at most 20 GiB.
    func usualBytesMax() -> Int {
        var free: UInt64 = 0
        guard repo_free_bytes("\(root)", &free) == 0 else { return 0 }
        return min(20 << 30, Int(clamping: free / 10))
    }

    private static let fileBytesMax = 1 << 20

    // MARK: the writer

    /// The name under which this cache directory's adds are numbered.
    package func writer() throws -> ObjectID {
        let path = root / "writer"
        if let known = try read(path), let id = ObjectID(hexadecimal: known.prefix(32)) {
            return id
        }
        let id = ObjectID(try surroundings.randomBytes(ObjectID.byteCount))
        try replace(path, with: id.description + "\n")
        // Two may have begun at once: the name that stands in the file in the end is right for
        // both.
        return try read(path).flatMap { ObjectID(hexadecimal: $0.prefix(32)) } ?? id
    }

    // MARK: the memory of what was seen

    /// The greatest sequence number seen of each writer in a domain.
    package func remembered(_ domain: DomainID) throws -> [ObjectID: UInt64] {
        var numbers: [ObjectID: UInt64] = [:]
        for line in try read(seen(domain))?.split(separator: "\n") ?? [] {
            let words = line.split(separator: " ")
            guard words.count == 2, let writer = ObjectID(hexadecimal: words[0]),
                let number = UInt64(words[1])
            else {
                continue
            }
            numbers[writer] = number
        }
        return numbers
    }

    package func remember(_ numbers: [ObjectID: UInt64], _ domain: DomainID) throws {
        let lines = numbers.sorted { $0.key < $1.key }.map { "\($0.key) \($0.value)\n" }
        try replace(seen(domain), with: lines.joined())
    }

    /// The same of all domains of which something was seen.
    package func remembered() throws -> [DomainID: [ObjectID: UInt64]] {
        var numbers: [DomainID: [ObjectID: UInt64]] = [:]
        for name in try directories.names(root) ?? []
        where name.bytes.starts(with: Self.seenPrefix.utf8) {
            // What is longer is a file that is being written.
            let digits = name.description.dropFirst(Self.seenPrefix.count)
            guard let domain = DomainID(hexadecimal: digits) else { continue }
            numbers[domain] = try remembered(domain)
        }
        return numbers
    }

    private static let seenPrefix = "seen-"

    private func seen(_ domain: DomainID) -> Path { root / "\(Self.seenPrefix)\(domain)" }

    // MARK: the slot that opened last

    package func lastSlot() throws -> ObjectID? {
        try read(root / "slot").flatMap { ObjectID(hexadecimal: $0.prefix(32)) }
    }

    package func noteSlot(_ id: ObjectID) throws {
        if try lastSlot() != id { try replace(root / "slot", with: id.description + "\n") }
    }

    // MARK: hints given once

    /// Whether a hint was not given before on this machine; notes that it is given now.
    package func isFirst(_ hint: String) throws -> Bool {
        let path = root / "hint-\(hint)"
        if try directories.status(path) != nil { return false }
        try replace(path, with: "")
        return true
    }

    func read(_ path: Path, limit: Int = fileBytesMax) throws(FileError) -> String? {
        guard try directories.status(path) != nil else { return nil }
        return String(
            decoding: try directories.contents(of: path, limit: limit), as: UTF8.self)
    }

    func replace(_ path: Path, with text: String) throws {
        let temporary = Path("\(path).\(hexadecimal(try surroundings.randomBytes(8)))")
        try directories.replace(path, with: Array(text.utf8), through: temporary)
    }
}
