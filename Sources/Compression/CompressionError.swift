import Faults

/// What can go wrong between bytes and fewer bytes.
package enum CompressionError: Explained {
    /// A frame that is none, or not of the length promised.
    case corrupt(String)
    case library(String)

    package var message: String {
        switch self {
        case .corrupt(let why): "compressed data is damaged: \(why)"
        case .library(let why): "the compression library refused: \(why)"
        }
    }

    package var exitCode: ExitCode {
        switch self {
        case .corrupt: .damage
        case .library: .failed
        }
    }
}
