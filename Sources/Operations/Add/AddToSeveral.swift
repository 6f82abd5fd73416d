import Faults
import PackStore
import Sealing
import Snapshots
import Vault
import WireFormat
import Workers

/// Saves one snapshot in several repositories. A stream is read once; one repository that fails lets
/// the others go on.
/// - Returns: what became of it in each, in their order.
package func add(
    _ request: AddRequest, toAll vaults: [Vault]
) -> [Result<AddOutcome, any Error>] {
    if case .files = request.source { return addFiles(request, toAll: vaults) }
    let nothing = Result<AddOutcome, any Error>.failure(OperationError.nothingToAdd)
    // One moment for all: by that a copy knows later that they are the same.
    let started = vaults.first?.surroundings.now()
    let runs = vaults.map { vault in
        Result { try AddRun(request, vault, started: started) }
    }
    defer { for run in runs { (try? run.get())?.stop() } }
    let able = runs.indices.filter { (try? runs[$0].get()) != nil }
    guard let first = able.first.flatMap({ try? runs[$0].get() }) else {
        return runs.map { $0.flatMap { _ in nothing } }
    }
    do {
        return try first.withSource { source in
            let shared = SharedSource(
                readers: able.count, byteCountExpected: source.byteCountExpected,
                program: source.program)
            let savers = Pipeline(workers: able.count, inFlight: able.count) { RunSaver() }
            defer { savers.stop() }
            for (number, run) in able.enumerated() {
                savers.submit(
                    RunJob(run: try runs[run].get(), shared: shared, number: number))
            }
            shared.pump(source)
            var results = runs.map { $0.flatMap { _ in nothing } }
            for run in able { results[run] = try savers.take() ?? nothing }
            return results
        }
    } catch {
        // The source could not even be opened.
        return vaults.map { _ in .failure(error) }
    }
}

/// An add on a thread of its own. It is handed over whole and used by that thread alone: hence
/// `@unchecked`.
private struct RunJob: @unchecked Sendable {
    let run: AddRun
    let shared: SharedSource
    let number: Int
}

private final class RunSaver: PipelineWorker {
    func run(_ job: RunJob) throws -> Result<AddOutcome, any Error> {
        defer { job.shared.leave(job.number) }
        return Result {
            try job.run.store.settlingOnFailure {
                try job.run.saveStream(SharedSource.Reader(job.shared, number: job.number))
            }
        }
    }
}

/// Saves files in several repositories: they are read once where what was saved can be read back and
/// copied, and once more for each where it cannot.
private func addFiles(
    _ request: AddRequest, toAll vaults: [Vault]
) -> [Result<AddOutcome, any Error>] {
    var results: [Result<AddOutcome, any Error>] = []
    var saved: (vault: Vault, outcome: AddOutcome)?
    for vault in vaults {
        let result = Result {
            guard let saved, saved.vault.keyring.opensData else {
                return try add(request, to: vault)
            }
            return try copied(saved.outcome, from: saved.vault, to: vault)
        }
        if saved == nil, let outcome = try? result.get() { saved = (vault, outcome) }
        results.append(result)
    }
    return results
}

/// What was saved in one repository, copied to another.
private func copied(
    _ outcome: AddOutcome, from vault: Vault, to other: Vault
) throws -> AddOutcome {
    let began = ContinuousClock.now
    let reference = Reference("\(outcome.snapshot.id)")
    let copied = try copy(
        CopyRequest(references: [reference], readsBack: false), from: vault, to: other)
    if let failed = copied.failed.first { throw failed.error }
    guard let snapshot = copied.copied.last?.snapshot else {
        throw OperationError.noSuchSnapshot(reference.text, near: [])
    }
    var manifest = outcome.manifest
    manifest.head = snapshot.head
    return AddOutcome(
        snapshot: snapshot, manifest: manifest, chunks: outcome.chunks,
        chunksNew: outcome.chunksNew, deltas: outcome.deltas, files: outcome.files,
        seconds: began.elapsedSeconds, notes: [], reservations: outcome.reservations,
        exitStatusKnown: outcome.exitStatusKnown)
}
