/// One thing that differs between two snapshots.
package struct Difference: Sendable {
    package enum Change: String, Sendable {
        case added, removed, content
        /// Only what is told of it, not what it holds.
        case metadata
    }

    package enum Subject: Equatable, Sendable {
        /// Of files and of members of archives.
        case path([UInt8])
        case table(space: String, name: String)
        /// What a dump holds beside its tables.
        case outsideTables
    }

    /// What of the metadata differs.
    package enum Aspect: String, Sendable, CaseIterable {
        case kind, mode, owner, time
        /// Where a symbolic link leads.
        case target
        /// Which file a hard link is another name of.
        case link
        case device, attributes
        /// Whether it could be read, and did not change meanwhile.
        case reservation
    }

    package let subject: Subject
    package let change: Change
    /// nil where it is not there, or has no length.
    package var bytesBefore: Int?
    package var bytesAfter: Int?
    package var metadata: [Aspect] = []
    /// Of tables: bytes of chunks that only the one or only the other snapshot has.
    package var chunkBytes: (new: Int, gone: Int)?

    package init(
        subject: Subject, change: Change, bytesBefore: Int? = nil, bytesAfter: Int? = nil,
        metadata: [Aspect] = [], chunkBytes: (new: Int, gone: Int)? = nil
    ) {
        self.subject = subject
        self.change = change
        self.bytesBefore = bytesBefore
        self.bytesAfter = bytesAfter
        self.metadata = metadata
        self.chunkBytes = chunkBytes
    }
}

/// How two snapshots differ as a whole.
package struct DiffOutcome: Sendable {
    package var added = 0
    package var removed = 0
    package var content = 0
    package var metadata = 0
    package var unchanged = 0
    /// Of streams: bytes of the second that the first has as well, and of chunks that only one has.
    package var streamBytes: (common: Int, new: Int, gone: Int)?
    /// What was counted.
    package var unit = Unit.entries
    package var seconds = 0.0

    package enum Unit: Sendable { case entries, tables, nothing }

    package init() {}

    package var isSame: Bool {
        added + removed + content + metadata == 0
            && streamBytes.map { $0.new + $0.gone == 0 } ?? true
    }

    mutating func count(_ change: Difference.Change) {
        switch change {
        case .added: added += 1
        case .removed: removed += 1
        case .content: content += 1
        case .metadata: metadata += 1
        }
    }
}
