import Chunking
import DumpFormats
import Faults
import Files
import PackStore
import Vault
import WireFormat
import Workers

extension AddRun {
    /// Saves one stream: reads it to its end, judges whether that was the end, and only then makes
    /// it a snapshot.
    func saveStream(_ source: some ByteSource) throws -> AddOutcome {
        var source = source
        do {
            return try saveStreamToEnd(&source)
        } catch {
            source.cancel()
            throw error
        }
    }

    private func saveStreamToEnd(_ source: inout some ByteSource) throws -> AddOutcome {
        let began = ContinuousClock.now
        var reader = DumpReader(
            expecting: request.format, decompressors: Passing.decompressors,
            hash: { PassingSHA256() })
        let writer = try readToEnd(&source, &reader)
        defer { writer.stop() }
        var report = reader.finish()
        let exit = try source.finish()
        if let signal = vault.surroundings.stopRequested() { throw Interrupted(signal: signal) }

        let judgement = judge(report, exit: exit, acceptedStatuses: request.acceptedStatuses)
        var notes = report.warnings
        var reservations: [String] = []
        if let refusal = judgement.refusal {
            guard request.allowIncomplete, report.byteCount > 0 else { throw refusal }
            reservations.append(refusal.overruled)
            notes.append(refusal.overruled)
        }
        let native = NativeBackup(report)
        let link = try nativeLink(native, report)
        if let unlinked = unlinkedNote(native, link) { reservations.append(unlinked) }
        var head = try draftHead(
            completeness: judgement.complete.map { $0 ? .complete : .incomplete } ?? .unknown,
            evidence: Head.Evidence(judgement.evidence), link: link)
        describe(&head, report, native, link)
        if judgement.refusal != nil { head.flags.insert(.incompleteAllowed) }
        head.bytesRead = Int(report.byteCount)
        head.format = report.format.rawValue
        if let shrunk = try markShrunk(&head) { reservations.append(shrunk) }

        var streams = [try writer.finish()]
        if let damaged = try damagedPages(writer) {
            reservations.append(damaged)
            report.notes.append(damaged)
        }
        report.facts += pageFacts(writer.pages)
        if let tables = try saveTables(report.tables) { streams.append(tables) }
        if report.end == .seen, let members = try saveMembers(report.members, &report.notes) {
            streams.append(members)
        }
        var manifest = Manifest(head: head, facts: Manifest.Facts(report), streams: streams)
        manifest.producer = producer(source, exit)
        let (snapshot, published) = try publish(manifest)
        return AddOutcome(
            snapshot: snapshot, manifest: published, chunks: writer.chunkCount,
            chunksNew: store.chunksNew,
            deltas: store.deltas, seconds: began.elapsedSeconds,
            notes: notes, reservations: reservations + damageNotes, exitStatusKnown: exit != nil)
    }

    /// What a stream, or a directory, tells of itself.
    func describe(
        _ head: inout Head, _ report: StreamReport, _ native: NativeBackup?, _ link: NativeLink?
    ) {
        head.tool =
            [report.tool, report.toolVersion].compactMap { $0 }.joined(separator: " ").nonEmpty
        head.position = Head.Position(report)
        if let native, native.kind != .prepared { head.sequenceNumbers = native.numbers }
        if native?.kind == .increment, link == nil { head.kind = .incremental }
    }

    /// What is to be said of an increment that is saved though nothing says what it goes on from.
    func unlinkedNote(_ native: NativeBackup?, _ link: NativeLink?) -> String? {
        native?.kind == .increment && link == nil
            ? "an increment that goes on from no snapshot of this series" : nil
    }

    /// Reads the whole stream. Its first 64 KiB are looked at before the first cut: they choose the
    /// rule.
    private func readToEnd(_ source: inout some ByteSource, _ reader: inout DumpReader) throws
        -> StreamWriter
    {
        var head = [UInt8](repeating: 0, count: 64 << 10)
        var headBytes = 0
        var isAtEnd = false
        while headBytes < head.count && !isAtEnd {
            let count = try head.withUnsafeMutableBytes {
                try source.read(into: UnsafeMutableRawBufferPointer(rebasing: $0[headBytes...]))
            }
            isAtEnd = count == 0
            headBytes += count
        }
        head.removeLast(head.count - headBytes)
        let format = head.withUnsafeBytes { classify(head: $0, expecting: request.format) }
        let writer = try StreamWriter(
            .data, .data, rule: rule(for: format), context, store,
            workers: vault.surroundings.workers, parent: parentList(.data))
        if format.isText { store.expectRows() }
        let places = format.isArchive ? memberPlaces() : nil
        do {
            head.withUnsafeBytes { reader.read($0) }
            if isAtEnd { reader.settle() }
            tell(writer, &reader, places)
            try writer.write(head)
            while !isAtEnd {
                let count = try source.read(into: try writer.room())
                isAtEnd = count == 0
                if count > 0 {
                    reader.read(writer.took(count))
                    tell(writer, &reader, places)
                }
                vault.surroundings.progress(
                    Progress(
                        bytes: writer.byteCount, bytesTotal: source.byteCountExpected,
                        bytesNew: store.bytesNew))
            }
            return writer
        } catch {
            writer.stop()
            throw error
        }
    }

    /// Tells the writer what comes next in an archive.
    private func tell(
        _ writer: StreamWriter, _ reader: inout DumpReader, _ places: MemberPlaces?
    ) {
        for part in reader.takeParts() { writer.add(part, places: places) }
        if writer.backupStart == nil { writer.backupStart = reader.backupStart }
    }

    private func saveTables(_ tables: [TableRanges]) throws -> Manifest.Stream? {
        guard !tables.isEmpty else { return nil }
        let writer = try MetadataWriter(.tables, rule: rule(isText: false), context, store)
        for table in tables {
            let space = [table.database, table.schema].compactMap { $0 }.joined(separator: ".")
            let entry = TableEntry(
                space: space, name: table.name,
                ranges: table.ranges.map { Int($0.lowerBound)..<Int($0.upperBound) })
            try writer.write(entry.bytes)
        }
        return try writer.finish()
    }

    private func pageFacts(_ pages: PageTally) -> [Fact] {
        let counts = [
            ("pages sound", pages.sound), ("pages empty", pages.empty),
            ("pages not checked", pages.skipped), ("pages damaged", pages.damagedCount),
        ]
        return counts.filter { $0.1 > 0 }.map { Fact(name: $0.0, value: "\($0.1)") }
    }

    /// Lists members; what could not be restored below a directory, such as a file below a link, is
    /// left out and counted.
    private func saveMembers(
        _ members: [ArchiveMember], _ notes: inout [String]
    ) throws -> Manifest.Stream? {
        guard !members.isEmpty else { return nil }
        let writer = try MetadataWriter(.members, rule: rule(isText: false), context, store)
        var rules = CatalogRules(what: "the members")
        var leftOut = 0
        for member in members {
            let entry = CatalogEntry(member)
            let bytes = entry.bytes
            guard bytes.count <= Limits.catalogEntryBytes, (try? rules.add(entry)) != nil else {
                leftOut += 1
                continue
            }
            try writer.write(bytes)
        }
        if leftOut > 0 {
            notes.append("\(leftOut) members cannot be restored by themselves: not listed")
        }
        return try writer.finish()
    }

    /// Where the parent has the members of its archive; nil where that is not known.
    private func memberPlaces() -> MemberPlaces? {
        guard let stream = parentManifest?.stream(.members), let lists = try? store.listReader()
        else { return nil }
        return MemberPlaces(stream, list: parentList(.members), lists)
    }

    /// Program and names of options; never a value, which may be a password.
    private func producer(_ source: some ByteSource, _ exit: ProducerExit?) -> Manifest.Producer? {
        guard case .command(let arguments) = request.source, let program = source.program
        else { return nil }
        var producer = Manifest.Producer(
            program: program, options: optionNames(arguments.dropFirst()),
            standardError: source.standardError)
        if case .status(let status) = exit { producer.exitStatus = Int64(status) }
        return producer
    }
}

/// The names of options among arguments: `--user` of `--user=root`, `-p` of `-psecret`.
func optionNames(_ arguments: some Sequence<[UInt8]>) -> [String] {
    arguments.compactMap { argument in
        let text = String(decoding: argument, as: UTF8.self)
        if text.hasPrefix("--") && text.count > 2 { return String(text.prefix { $0 != "=" }) }
        if text.hasPrefix("-") && text.count > 1 { return String(text.prefix(2)) }
        return nil
    }
}

extension Refusal {
    /// What is said where it is saved all the same.
    var overruled: String {
        message.replacing(": nothing saved", with: ": saved as incomplete")
    }
}

extension Head.Evidence {
    init(_ evidence: Evidence) {
        switch evidence {
        case .trailer: self = .trailer
        case .exitStatus: self = .exitStatus
        case .both: self = .both
        case .none: self = .none
        }
    }
}

extension Head.Position {
    /// What the stream tells; nil where that is nothing.
    init?(_ report: StreamReport) {
        guard report.position != nil || report.gtid != nil else { return nil }
        self.init(file: report.position?.file, offset: report.position?.offset, gtid: report.gtid)
    }
}

extension Manifest.Facts {
    init(_ report: StreamReport) {
        self.init(
            tool: report.tool?.clipped, toolVersion: report.toolVersion?.clipped,
            serverVersion: report.serverVersion?.clipped,
            innerFormat: report.innerFormat?.rawValue, databases: report.databases.map(\.clipped),
            notes: report.notes.map(\.clipped)
                + report.facts.map { "\($0.name): \($0.value)".clipped })
    }
}

extension String {
    var nonEmpty: String? { isEmpty ? nil : self }

    /// What a manifest takes, whatever a stream says of itself.
    fileprivate var clipped: String {
        utf8.count <= 16 << 10 ? self : String(decoding: utf8.prefix(16 << 10), as: UTF8.self)
    }
}
