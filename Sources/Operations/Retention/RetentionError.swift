import Faults
import WireFormat

/// What stands against keeping or dropping snapshots as somebody asked.
package enum RetentionError: Explained {
    case badSpan(String)
    case badPattern(String, why: String)
    case unknownZone(String)
    case noRules(pattern: String)
    /// More is kept than may be.
    case keptTooLong(within: String, maxAge: String)
    case noPolicy(pattern: String, near: [String])
    case unknownSeries(String, near: [String])
    case held(id: String, series: String, holds: [String])
    case badHoldName(String)
    case holdExists(String)
    case noHold(String, near: [String])
    /// A policy or a hold that nobody can go by.
    case unreadable(name: String, underlying: any Error)
    /// So much of a series at once that somebody should look first.
    case manyAtOnce(series: String, dropped: Int, total: Int)

    package var message: String {
        switch self {
        case .badSpan(let text): "\(text) is no length of time"
        case .badPattern(let text, let why): "\(text) cannot mean series: \(why)"
        case .unknownZone(let name): "this machine knows no time zone \(name)"
        case .noRules(let pattern): "no rule says what to keep of \(pattern)"
        case .keptTooLong(let within, let maxAge):
            "what is younger than \(within) would be kept, and dropped at \(maxAge)"
        case .noPolicy(let pattern, let near):
            "there is no policy \(pattern)"
                + (near.isEmpty ? "" : "; there is \(near.joined(separator: ", "))")
        case .unknownSeries(let text, let near):
            "no series is called \(text)"
                + (near.isEmpty ? "" : "; there is \(near.joined(separator: ", "))")
        case .held(let id, let series, let holds):
            "\(id) (\(series)) is held by \(holds.joined(separator: ", "))"
        case .badHoldName(let name): "\(name) cannot be the name of a hold"
        case .holdExists(let name): "there is a hold \(name) already"
        case .noHold(let name, let near):
            "there is no hold \(name)"
                + (near.isEmpty ? "" : "; there is \(near.joined(separator: ", "))")
        case .unreadable(let name, let underlying):
            "\(name) cannot be read, so nothing is dropped: \(explanation(of: underlying))"
        case .manyAtOnce(let series, let dropped, let total):
            "\(dropped) of \(total) snapshots of \(series) would go at once, and a host with a key of its own writes it"
        }
    }

    package var hint: String? {
        switch self {
        case .badSpan: "write 90m, 12h, 30d, 2w, 6mo or 1y"
        case .badPattern: "a pattern is like shop, shop/* or '*'"
        case .unknownZone:
            "names are like Europe/Berlin; if this one is right, install the package tzdata"
        case .noRules:
            "say what to keep, such as --gfs, --keep-daily 14 or --keep-last all"
        case .keptTooLong: "choose a longer --max-age, or a shorter --keep-within"
        case .noPolicy: "repo policy show shows which there are"
        case .unknownSeries: "repo list shows what there is"
        case .held(_, _, let holds): "repo hold remove \(holds[0]) ends the hold, on the record"
        case .badHoldName: "a name is like pci or case-17, without spaces"
        case .holdExists(let name):
            "choose another name, or end it first: repo hold remove \(name)"
        case .noHold: "repo hold list shows which there are"
        case .unreadable(let name, let underlying):
            (underlying as? any Explained)?.exitCode == .unknownVersion
                ? "a later version of repo wrote it: use that one"
                : "if this is none of yours, or cannot be brought back from a copy, delete \(name) from the store and set it anew"
        case .manyAtOnce:
            "look with --dry-run; if that is what you want, say --really"
        }
    }

    package var exitCode: ExitCode {
        switch self {
        case .badSpan, .badPattern, .badHoldName, .unknownZone, .noRules, .keptTooLong: .usage
        case .unreadable(_, let underlying):
            (underlying as? any Explained)?.exitCode ?? .failed
        default: .failed
        }
    }
}
