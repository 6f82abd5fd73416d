import Files
import WireFormat

/// This machine's cache of one repository: its index, who this writer is, and what was seen of
/// others.
///
/// Everything in it may be lost: the index is rebuilt, the writer gets a new name. Only the memory
/// of what was seen is gone then, and with it the power to notice that a store shows less than
/// before.
package struct CacheDirectory: Sendable {
    private let root: Path
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

    private func seen(_ domain: DomainID) -> Path { root / "seen-\(domain)" }

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

    private func read(_ path: Path) throws(FileError) -> String? {
        guard try directories.status(path) != nil else { return nil }
        return String(
            decoding: try directories.contents(of: path, limit: Self.fileBytesMax), as: UTF8.self)
    }

    private func replace(_ path: Path, with text: String) throws {
        let temporary = Path("\(path).\(hexadecimal(try surroundings.randomBytes(8)))")
        try directories.replace(path, with: Array(text.utf8), through: temporary)
    }
}
