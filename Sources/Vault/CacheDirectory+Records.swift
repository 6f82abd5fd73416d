import Files
import Snapshots
import WireFormat

/// What signed records say, once each was read: they never change, and come to be thousands.
extension CacheDirectory {
    private static let recordBytesMax = 64 << 20

    private func path(_ kind: Record.Kind) -> Path { root / "records-\(kind.folder)" }

    /// A line that makes no sense is passed over: the record is read again.
    package func knownRecords(_ kind: Record.Kind) throws -> [ObjectID: KnownRecord] {
        var known: [ObjectID: KnownRecord] = [:]
        for line in try read(path(kind), limit: Self.recordBytesMax)?.split(separator: "\n") ?? [] {
            let words = line.split(separator: " ")
            guard words.count == 3, let id = ObjectID(hexadecimal: words[0]),
                let domain = DomainID(hexadecimal: words[1]),
                let fields = bytesOfHexadecimal(words[2])
            else { continue }
            known[id] = KnownRecord(domain: domain, fields: fields)
        }
        return known
    }

    package func keepRecords(_ records: [SignedRecord], _ kind: Record.Kind) throws {
        let lines = records.map { "\($0.id) \($0.domain) \(hexadecimal($0.fields))\n" }
        try replace(path(kind), with: lines.joined())
    }
}
