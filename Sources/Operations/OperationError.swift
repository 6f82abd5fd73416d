import Faults

/// What can be wrong with what a verb was asked to do.
package enum OperationError: Explained {
    case noSuchSnapshot(String, near: [String])
    case noSuchMember(String, of: String, why: String?)
    case ambiguous(String, [String])
    case badReference(String, why: String)
    /// A series or a group that cannot be called so.
    case badName(String, of: String, why: String)
    case needsFull(series: String)
    case condemned(String)
    case lastGoodSnapshot(series: String, id: String)
    case neededBy(id: String, others: [String])
    /// Something came to rely on it while it was being dropped.
    case staysCondemned(id: String, why: String)
    /// A reference that means several snapshots where one is wanted.
    case meansGroup(String, members: [String])
    /// What would be torn apart, and how to name the whole.
    case partOfGroup(
        id: String, group: String, staying: [String], reference: String?, all: [String])
    case alreadyThere(String)
    /// Several series that would be restored to one place.
    case sameName(String, [String])
    case notAStream(String, what: String)
    case notInOwnDomain(String)
    /// Snapshots that cannot be compared: of files and a stream; of streams whose chunks have other names.
    case otherShape(files: String, stream: String)
    case otherKeys(String, String)
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
        case .badName(let text, let kind, let why):
            "\(text) cannot be the name of a \(kind): \(why)"
        case .needsFull(let series): "series \(series) has no full snapshot to compare with"
        case .condemned(let what):
            "\(what) was condemned by a prune while this snapshot was written: nothing saved"
        case .lastGoodSnapshot(let series, let id): "\(id) is the last good snapshot of \(series)"
        case .staysCondemned(let id, let why):
            "\(id) stays for now (\(why)), and goes once nothing keeps it"
        case .neededBy(let id, let others): "\(id) is needed by \(others.joined(separator: ", "))"
        case .meansGroup(let text, let members):
            "\(text) is a group, and one snapshot is wanted: it has"
                + " \(members.joined(separator: ", "))"
        case .partOfGroup(let id, let group, let staying, _, _):
            "\(id) belongs to group \(group), of which \(staying.joined(separator: ", "))"
                + " would stay"
        case .alreadyThere(let path): "\(path) exists already"
        case .sameName(let name, let series):
            "\(series.joined(separator: " and ")) would both be restored as \(name)"
        case .notAStream(let id, let what): "\(id) holds \(what)"
        case .notInOwnDomain(let text): "\(text) was written with another key"
        case .otherShape(let files, let stream):
            "\(files) holds files, and \(stream) a stream: they cannot be compared"
        case .otherKeys(let first, let second):
            "\(first) and \(second) were written with different keys:"
                + " what their streams have in common cannot be told"
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
        case .badName(_, let kind, _):
            switch kind {
            case "series": "a series is a name like shop or shop/logical"
            case "group": "a group is a name like nightly"
            default: "restore it by itself: repo restore ID --to PATH"
            }
        case .needsFull(let series): "make one first: repo add \(series) --kind full"
        case .condemned: "run the same command again: what was uploaded is reused"
        case .meansGroup: "name one of them by its id or its series"
        case .partOfGroup(_, _, _, let reference, let all):
            (reference.map { "forget the group, repo forget \($0), or name" } ?? "name")
                + " all its members: repo forget \(all.joined(separator: " "))"
        case .lastGoodSnapshot: "say --allow-empty if it should go all the same"
        case .alreadyThere: "say --overwrite to replace it, or choose another path"
        case .sameName: "restore them one by one: repo restore ID --to PATH"
        case .otherShape: "repo list --json shows the format of each"
        case .otherKeys: "repo cat both into files, and compare those"
        case .neededBy, .staysCondemned, .notAStream, .notInOwnDomain, .nothingToAdd: nil
        case .checksumDiffers: "repo check --read-data says what is damaged"
        }
    }

    package var exitCode: ExitCode {
        switch self {
        case .badReference, .badName, .needsFull: .usage
        case .checksumDiffers: .damage
        default: .failed
        }
    }
}
