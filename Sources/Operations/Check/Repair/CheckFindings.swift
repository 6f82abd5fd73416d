import WireFormat

/// What a check found that a repair needs to know.
struct CheckFindings {
    /// Objects that are not what they should be, and objects that should be there and are not; in any order.
    /// What this program is too old for is none of them.
    var damaged: [ObjectName] = []
    /// Packs that an index object speaks of that can be read.
    var indexed: Set<ObjectID> = []
    /// Whether snapshots are missing without a record of their removal, and nobody said that this is known.
    var isRolledBack = false
    /// Whether somebody did.
    var acceptsGaps = false
}
