import Chunking
import DumpFormats
import Faults
import Files
import PackStore
import Sealing
import Snapshots
import Vault
import WireFormat

extension AddRun {
    /// Saves files and directories: their content one after the other as the data stream, the rest
    /// in the catalog.
    func saveFiles(_ selection: FileSelection) throws -> AddOutcome {
        guard !selection.paths.isEmpty else { throw OperationError.nothingToAdd }
        let began = ContinuousClock.now
        let judged = try JudgedDirectories(selection.paths, vault.surroundings.systemCalls)
        if let refusal = judged.refusal, !request.allowIncomplete { throw refusal }
        let native = judged.report.flatMap { NativeBackup($0) }
        let link = try judged.report.flatMap { try nativeLink(native, $0) }
        let workers = vault.surroundings.workers
        // Checksums of files taken over are under the parent's key; equal files give equal catalogs.
        let known = parentManifest?.stream(.data).flatMap { $0.sumsFiles ? $0.checksumKey : nil }
        let key =
            try known ?? context.random.draw("stream checksum", key: context.keys.auth)
        let parent = readsOnlyChanges ? parentFiles() : nil
        let data = try StreamWriter(
            .data, .data, rule: .general(vault.config.generalCutting, number: 3), context, store,
            workers: workers, parent: parentList(.data), fileKey: key)
        let catalog = try MetadataWriter(.catalog, rule: rule(isText: false), context, store)
        defer {
            data.stop()
            catalog.stop()
        }
        var saver = FileSaver(
            data, catalog, parent, key: key, vault.surroundings,
            bytesNew: { [store] in store.bytesNew })
        var problems: [String] = []
        try FileWalk(selection, vault.surroundings).run({ try saver.save($0) }) { _, error in
            problems.append(explanation(of: error))
        }
        let unread = problems.count
        problems = saver.problems + problems
        if let refusal = judged.refusal { problems.append(refusal.overruled) }
        if let unlinked = unlinkedNote(native, link) { problems.append(unlinked) }
        let count = saver.count
        guard count > 0 else { throw OperationError.nothingToAdd }

        let isWhole = saver.isComplete && unread == 0 && judged.refusal == nil
        var head = try draftHead(
            completeness: isWhole ? .complete : .incomplete, evidence: .none, link: link)
        head.bytesRead = data.byteCount
        head.format = "files"
        if let report = judged.report { describe(&head, report, native, link) }
        if let shrunk = try markShrunk(&head) { problems.append(shrunk) }
        var streams: [Manifest.Stream] = []
        let content = try saver.finish(key)
        if content.byteCount > 0 { streams.append(content) }
        streams.append(try catalog.finish())
        var facts = judged.report.map { Manifest.Facts($0) } ?? Manifest.Facts()
        facts.notes =
            ["\(count) files and directories"] + [readingNote(saver)].compactMap { $0 }
            + (native?.kind == .prepared ? ["a prepared backup: no increment goes on from it"] : [])
            + facts.notes + problems.prefix(100)
        let (snapshot, published) = try publish(
            Manifest(head: head, facts: facts, streams: streams))
        return AddOutcome(
            snapshot: snapshot, manifest: published, chunks: data.chunkCount,
            chunksNew: store.chunksNew,
            deltas: store.deltas, files: (count, saver.unchanged), seconds: began.elapsedSeconds,
            notes: problems,
            reservations: problems + damageNotes, exitStatusKnown: true)
    }

    /// Whether files that did not change since the parent are taken over from it.
    private var readsOnlyChanges: Bool {
        request.kind == .incremental || request.kind == .differential
    }

    /// The files of the parent; nil where there are none that can be read here.
    private func parentFiles() -> ParentFiles? {
        guard let manifest = parentManifest, let catalog = manifest.stream(.catalog),
            let chunks = try? store.listReader()
        else { return nil }
        return ParentFiles(
            catalog, parentList(.catalog), manifest.stream(.data), parentList(.data), chunks,
            started: manifest.head.started)
    }

    /// What is kept of how much was read.
    private func readingNote(_ saver: borrowing FileSaver) -> String? {
        guard readsOnlyChanges, let parent else { return nil }
        guard saver.hasParent else {
            return "every file was read: what \(parent.id.short) says of its files cannot be read here"
        }
        return "\(saver.unchanged) files are as in \(parent.id.short) and were not read"
    }
}
