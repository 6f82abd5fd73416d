import Faults

/// What can be wrong with what a verb was asked to do.
package enum OperationError: Explained {
    case noSuchSnapshot(String, near: [String])
    case noSuchMember(String, of: String, why: String?)
    case ambiguous(String, [String])
    case badReference(String, why: String)
    case badSeries(String, why: String)
    case needsFull(series: String)
    case condemned(String)
    case lastGoodSnapshot(series: String, id: String)
    case neededBy(id: String, others: [String])
    case alreadyThere(String)
    case notAStream(String, what: String)
    case notInOwnDomain(String)
    case checksumDiffers(String)
    case nothingToAdd

    package var message: String {
        switch self {
        case .noSuchSnapshot(let text, let near):
            "there is no snapshot \(text)"
                + (near.isEmpty ? "" : "; there is \(near.joined(separator: ", "))")
        case .noSuchMember(let path, let id, let why):
            "there is no \(path) in \(id)" + (why.map { ": \($0)" } ?? "")
        case .ambiguous(let text, let ids):
            "\(text) means more than one snapshot: \(ids.joined(separator: ", "))"
        case .badReference(let text, let why): "\(text) names no snapshot: \(why)"
        case .badSeries(let text, let why): "\(text) cannot be the name of a series: \(why)"
        case .needsFull(let series): "series \(series) has no full snapshot to compare with"
        case .condemned(let what):
            "\(what) was condemned by a prune while this snapshot was written: nothing saved"
        case .lastGoodSnapshot(let series, let id): "\(id) is the last good snapshot of \(series)"
        case .neededBy(let id, let others): "\(id) is needed by \(others.joined(separator: ", "))"
        case .alreadyThere(let path): "\(path) exists already"
        case .notAStream(let id, let what): "\(id) holds \(what)"
        case .notInOwnDomain(let text): "\(text) was written with another key"
        case .checksumDiffers(let what): "\(what) does not have the checksum it was stored with"
        case .nothingToAdd: "there is nothing to add"
        }
    }

    package var hint: String? {
        switch self {
        case .noSuchSnapshot: "repo list shows what there is"
        case .noSuchMember(_, let id, nil): "repo show \(id) --members lists them"
        case .noSuchMember: nil
        case .ambiguous: "use more digits of the id: repo list"
        case .badReference:
            "a reference is SERIES, SERIES@latest, SERIES@2026-02-19, SERIES@2026-02-19T14:30, or an id's first 8 digits"
        case .badSeries: "a series is a name like shop or shop/logical"
        case .needsFull(let series): "make one first: repo add \(series) --kind full"
        case .condemned: "run the same command again: what was uploaded is reused"
        case .lastGoodSnapshot: "say --allow-empty if it should go all the same"
        case .alreadyThere: "say --overwrite to replace it, or choose another path"
        case .neededBy, .notAStream, .notInOwnDomain, .nothingToAdd: nil
        case .checksumDiffers: "repo check --read-data says what is damaged"
        }
    }

    package var exitCode: ExitCode {
        switch self {
        case .badReference, .badSeries, .needsFull: .usage
        case .checksumDiffers: .damage
        default: .failed
        }
    }
}
