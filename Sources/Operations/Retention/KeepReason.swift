import WireFormat

/// Why a snapshot stays.
enum KeepReason: Equatable {
    case noPolicy
    /// A policy that only says how old things may become, or how often they come.
    case noRule
    case newest
    case rule(String)
    case unbelievedTime
    case frozen(String)
    case hold(String)
    case neededBy(ObjectID)
    case with(ObjectID, group: String)

    var text: String {
        switch self {
        case .noPolicy: "no policy"
        case .noRule: "no rule"
        case .newest: "newest"
        case .rule(let text): text
        case .unbelievedTime: "time not believed"
        case .frozen(let what): "frozen: \(what)"
        case .hold(let name): "hold \(name)"
        case .neededBy(let id): "needed by \(id.short)"
        case .with(let id, let group): "with \(id.short) (group \(group))"
        }
    }

    /// Whether it counts of what is older than may be. The newest does unless somebody said that a
    /// series may become empty.
    func outlivesMaxAge(allowEmpty: Bool) -> Bool {
        switch self {
        case .hold, .frozen, .neededBy, .with: true
        case .newest: !allowEmpty
        case .noPolicy, .noRule, .rule, .unbelievedTime: false
        }
    }
}
