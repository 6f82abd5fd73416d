import WireFormat

/// A snapshot that counts: its head, and where it stands.
package struct Snapshot: Equatable, Sendable {
    package let domain: DomainID
    package let id: ObjectID
    package let head: Head
    /// When its commit was written, by the store's clock: milliseconds since 1970. Nobody can claim
    /// another time than this. Nil for what was made just now and was not listed yet.
    package let committed: Int64?

    package init(domain: DomainID, id: ObjectID, head: Head, committed: Int64? = nil) {
        self.domain = domain
        self.id = id
        self.head = head
        self.committed = committed
    }
}
