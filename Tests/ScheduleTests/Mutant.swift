import ObjectStorage
import WireFormat

/// A fault of the protocol, as a store that one of the two sides sees: it hides what should have been looked
/// at, or shows it as it was before.
struct Mutant {
    enum Side { case writer, pruner }

    let name: String
    let side: Side
    let make: (any ObjectStore) -> any ObjectStore

    func store(for side: Side, _ under: any ObjectStore) -> any ObjectStore {
        side == self.side ? make(under) : under
    }
}
