import WireFormat

/// A snapshot that counts: its head, and where it stands.
package struct Snapshot: Equatable, Sendable {
    package let domain: DomainID
    package let id: ObjectID
    package let head: Head

    package init(domain: DomainID, id: ObjectID, head: Head) {
        self.domain = domain
        self.id = id
        self.head = head
    }
}
