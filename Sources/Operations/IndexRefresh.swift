import Faults
import PackStore
import WireFormat

extension IndexKeeper {
    /// Brings the local index up to date. What cannot be used is told, and passed over.
    /// - Parameter found: told of each directory that was read.
    /// - Returns: the packs that exist.
    @discardableResult
    func refresh(
        _ warn: (String) -> Void, found: (ObjectID, PackDirectory) -> Void = { _, _ in }
    ) throws -> Set<ObjectID> {
        try refresh(found: found, damaged: { name, error in
            warn("\(name) cannot be used: \(explanation(of: error))")
        })
    }
}
