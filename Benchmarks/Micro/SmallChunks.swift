import Files
import ObjectStorage
import Vault
import WireFormat

/// `small-chunks REPOSITORY AVERAGE`: makes a repository whose chunks are small, so that what goes by the
/// number of chunks can be measured without so many bytes.
enum SmallChunks {
    static func run(_ arguments: ArraySlice<String>) throws {
        var arguments = arguments
        guard let directory = arguments.popFirst() else { throw Misused("REPOSITORY is missing") }
        guard let average = arguments.popFirst().flatMap({ Int($0) }), average >= 512,
            average <= 64 << 10, arguments.isEmpty
        else { throw Misused("small-chunks takes REPOSITORY and AVERAGE, of 512 or more") }
        let store = DirectoryStore(
            Path(directory), calls: .kernel, randomBytes: ThisProcess.randomBytes)
        _ = try Vault.create(
            in: store, with: try ThisProcess.credential(), label: nil,
            surroundings: ThisProcess.surroundings(), cacheParent: nil,
            generalCutting: Config.Cutting(
                minimum: average / 2, average: average, maximum: 2 * average))
    }
}
