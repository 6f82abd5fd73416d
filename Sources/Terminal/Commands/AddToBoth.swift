import Faults
import ObjectStorage
import Operations
import Snapshots
import Vault
import WireFormat

/// `repo add --also`: saves one snapshot in two repositories.
struct AddToBoth {
    private let session: Session
    private let other: OtherRepository
    private let location: Location

    init(_ session: Session, _ other: OtherRepository, _ location: Location) {
        self.session = session
        self.other = other
        self.location = location
    }

    func run(_ request: AddRequest, _ way: EndPhrase.Way) throws -> ExitCode {
        let opened = try session.openVaultAndKey()
        // A second repository that cannot be reached must not keep the first from being written.
        let second = Result {
            try session.withoutProgress.openVault(
                other, in: try session.existing(location, of: other), trying: opened.credential)
        }
        let vaults = [opened.vault] + [try? second.get()].compactMap { $0 }
        var results = add(request, toAll: vaults)
        if case .failure(let error) = second { results.append(.failure(error)) }
        let places = [opened.vault.store.location, "\(location.path)"]
        return try tell(results, at: places, way)
    }

    private func tell(
        _ results: [Result<AddOutcome, any Error>], at places: [String], _ way: EndPhrase.Way
    ) throws -> ExitCode {
        let console = session.console
        let saved = results.map { try? $0.get() }
        guard let main = saved.firstIndex(where: { $0 != nil }), let outcome = saved[main] else {
            // The same went wrong with both, or with each its own: the first is told as the error.
            for (result, place) in zip(results, places).dropFirst() {
                if case .failure(let error) = result {
                    console.warn("at \(printable(place)): \(explanation(of: error))")
                }
            }
            _ = try results[0].get()
            return .failed
        }
        var isReserved = false
        var also: [JSON.Member] = []
        for (number, result) in results.enumerated() where number != main {
            also.append(.init(name: "location", value: .string(places[number])))
            switch result {
            case .success(let other):
                also.append(.init(name: "snapshot", value: .string("\(other.snapshot.id)")))
                also.append(
                    .init(
                        name: "bytes_stored", value: .integer(other.manifest.head.bytesStored)))
                isReserved = isReserved || !other.reservations.isEmpty
            case .failure(let error):
                isReserved = true
                also.append(.init(name: "error", value: .string(explanation(of: error))))
                console.warn("not saved at \(printable(places[number])): \(explanation(of: error))")
            }
        }
        try AddCommand.tell(outcome, way, console, also: .object(also))
        if !console.isJSON {
            for (number, other) in saved.enumerated() where number != main {
                guard let other else { continue }
                try console.summary(
                    "saved \(other.snapshot.id.short) at \(printable(places[number])), too:"
                        + " \(Figures.size(other.manifest.head.bytesStored)) stored")
            }
        }
        isReserved = isReserved || !outcome.reservations.isEmpty
        return isReserved ? .reservation : .done
    }
}
