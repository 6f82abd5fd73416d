import Faults
import WireFormat

/// What can go wrong with objects; what can go wrong with files passes as `FileError`.
package enum StorageError: Explained {
    case missing(ObjectName)
    case exists(ObjectName)
    case tooLong(ObjectName, byteCount: Int, limit: Int)
    case tooShort(ObjectName, wanted: Int, got: Int)
    /// There is no repository at a location.
    case noRepository(String)
    case badLocation(String, why: String)

    package var message: String {
        switch self {
        case .missing(let name): "\(name) is missing"
        case .exists(let name): "\(name) exists already"
        case .tooLong(let name, let count, let limit):
            "\(name) has \(count) bytes, more than the \(limit) there can be"
        case .tooShort(let name, let wanted, let got):
            "\(name) ends after \(got) bytes, \(wanted) are wanted"
        case .noRepository(let location): "there is no repository at \(location)"
        case .badLocation(let location, let why): "\(location) is no place for a repository: \(why)"
        }
    }

    package var hint: String? {
        switch self {
        case .missing, .tooLong, .tooShort: "repo check says which snapshots it concerns"
        case .noRepository(let location): "repo init \(location) makes one"
        case .exists, .badLocation: nil
        }
    }

    package var exitCode: ExitCode {
        switch self {
        case .missing, .tooLong, .tooShort: .damage
        case .noRepository: .noRepository
        case .exists: .failed
        case .badLocation: .usage
        }
    }
}
