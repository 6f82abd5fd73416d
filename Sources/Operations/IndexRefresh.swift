import Faults
import PackStore
import WireFormat

extension IndexKeeper {
    /// Brings the local index up to date. What cannot be used is told, and passed over.
    /// - Returns: the packs that exist.
    @discardableResult
    func refresh(_ warn: (String) -> Void) throws -> Set<ObjectID> {
        try refresh(damaged: { name, error in
            warn("\(name) cannot be used: \(explanation(of: error))")
        })
    }
}
