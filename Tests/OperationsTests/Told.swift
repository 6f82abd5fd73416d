import Synchronization
import Vault

/// Warnings, as somebody reads them.
final class Told: Sendable {
    private let lines = Mutex<[String]>([])

    var surroundings: Surroundings {
        var surroundings = testSurroundings()
        surroundings.warn = { [self] line in lines.withLock { $0.append(line) } }
        return surroundings
    }

    var all: [String] { lines.withLock { $0 } }

    func says(_ words: String) -> Bool { all.contains { $0.contains(words) } }
}
