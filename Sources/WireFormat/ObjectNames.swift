/// The names of objects in a store (docs/format.md, section 2).
package enum ObjectName: Hashable, Sendable, CustomStringConvertible {
    case config
    case key(ObjectID)
    case pack(DomainID, ObjectID)
    case index(DomainID, ObjectID)
    case snapshot(DomainID, ObjectID)
    case commit(DomainID, ObjectID)
    case tombstone(Tombstone.Target, ObjectID)
    case record(Record.Kind, ObjectID)
    /// What a repair took away: when, and the name that it had. No store lists it.
    case setAside(String)

    package var description: String {
        switch self {
        case .config: "config"
        case .key(let id): "keys/\(id)"
        case .pack(let domain, let id): "packs/\(domain)/\(id.description.prefix(2))/\(id)"
        case .index(let domain, let id): "index/\(domain)/\(id)"
        case .snapshot(let domain, let id): "snapshots/\(domain)/\(id)"
        case .commit(let domain, let id): "commits/\(domain)/\(id)"
        case .tombstone(let target, let id): "tombstones/\(target.folder)/\(id)"
        case .record(let kind, let id): "records/\(kind.folder)/\(id)"
        case .setAside(let name): "set-aside/\(name)"
        }
    }

    /// Its random part; nil for `config` and what was set aside.
    package var id: ObjectID? {
        switch self {
        case .config, .setAside: nil
        case .key(let id), .pack(_, let id), .index(_, let id), .snapshot(_, let id),
            .commit(_, let id), .tombstone(_, let id), .record(_, let id):
            id
        }
    }

    /// Reads a name as a store lists it; nil where it is none of ours.
    package init?(_ text: String) {
        let parts = text.split(separator: "/", omittingEmptySubsequences: false)
        guard let last = parts.last else { return nil }
        if text == "config" {
            self = .config
            return
        }
        guard let id = ObjectID(hexadecimal: last) else { return nil }
        switch (parts.first, parts.count) {
        case ("keys", 2): self = .key(id)
        case ("packs", 4):
            guard let domain = DomainID(hexadecimal: parts[1]) else { return nil }
            self = .pack(domain, id)
        case ("index", 3), ("snapshots", 3), ("commits", 3):
            guard let domain = DomainID(hexadecimal: parts[1]) else { return nil }
            switch parts[0] {
            case "index": self = .index(domain, id)
            case "snapshots": self = .snapshot(domain, id)
            default: self = .commit(domain, id)
            }
        case ("tombstones", 3):
            guard let target = Tombstone.Target.allCases.first(where: { $0.folder == parts[1] })
            else { return nil }
            self = .tombstone(target, id)
        case ("records", 3):
            guard let kind = Record.Kind.allCases.first(where: { $0.folder == parts[1] }) else {
                return nil
            }
            self = .record(kind, id)
        default: return nil
        }
        // Only the one spelling counts: an uppercase digit or a wrong folder is another object's
        // name.
        if description != text { return nil }
    }
}
