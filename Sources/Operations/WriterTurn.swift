import Sealing
import Snapshots
import Vault
import WireFormat

/// What the next snapshot of this writer says of those before it, so that what is missing is noticed
/// (docs/format.md, section 16).
struct WriterTurn {
    let writer: ObjectID
    let sequence: UInt64
    /// Snapshots of the writer that none of its snapshots named yet.
    let names: [ObjectID]

    /// - Parameter snapshots: all that count.
    init(_ vault: Vault, _ domain: DomainID, _ snapshots: [Snapshot]) throws {
        if let cache = vault.cache {
            writer = try cache.writer()
        } else {
            writer = ObjectID(try vault.surroundings.randomBytes(ObjectID.byteCount))
        }
        let own = snapshots.filter { [writer] in
            $0.head.writer == writer && $0.domain == domain
        }
        let named = Set(own.flatMap { $0.head.names })
        let remembered = try vault.cache?.remembered(domain)[writer] ?? 0
        sequence = 1 + max(remembered, own.map { $0.head.sequence }.max() ?? 0)
        names = own.map { $0.id }.filter { !named.contains($0) }
    }
}

extension Vault {
    /// Remembers a snapshot that this client wrote. A cache that cannot be written costs the memory, not
    /// the snapshot.
    func rememberOwn(_ snapshot: Snapshot) {
        guard let cache, let before = try? cache.remembered(snapshot.domain) else { return }
        let own = [snapshot.head.writer: snapshot.head.sequence]
        try? cache.remember(before.merging(own) { max($0, $1) }, snapshot.domain)
    }
}
