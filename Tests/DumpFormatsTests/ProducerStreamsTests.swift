import DumpFormats
import Testing

/// Real producers with real flags, as they arrive through a pipe and as they end as a command.
@Suite("what producers write is judged")
struct ProducerStreamsTests {
    struct Expectation: CustomTestStringConvertible, Sendable {
        let name: String
        let format: StreamFormat
        var inner: StreamFormat?
        /// Through a pipe: nil stands for accepted with `complete` unknown, or refused.
        let pipe: Outcome
        let command: Outcome
        var testDescription: String { name }

        init(
            _ name: String, _ format: StreamFormat, inner: StreamFormat? = nil, pipe: Outcome,
            command: Outcome
        ) {
            self.name = name
            self.format = format
            self.inner = inner
            self.pipe = pipe
            self.command = command
        }
    }

    enum Outcome: Equatable {
        case accepted(Bool?, Evidence)
        case refused
    }

    /// The end was seen; the command said 0.
    private static func whole(
        _ names: [String], _ format: StreamFormat, inner: StreamFormat? = nil
    ) -> [Expectation] {
        names.map {
            Expectation(
                $0, format, inner: inner, pipe: .accepted(true, .trailer),
                command: .accepted(true, .both))
        }
    }

    /// The producer writes no end; only its status can say.
    private static func endless(
        _ names: [String], _ format: StreamFormat, inner: StreamFormat? = nil
    ) -> [Expectation] {
        names.map {
            Expectation(
                $0, format, inner: inner, pipe: .accepted(nil, .none),
                command: .accepted(true, .exitStatus))
        }
    }

    private static func refused(
        _ names: [String], _ format: StreamFormat, inner: StreamFormat? = nil
    ) -> [Expectation] {
        names.map { Expectation($0, format, inner: inner, pipe: .refused, command: .refused) }
    }

    static let table: [Expectation] =
        whole(
            [
                "my-single", "my-databases", "my-all-schemas", "my-system", "my-skip-comments",
                "my-skip-comments-databases", "my-skip-dump-date", "my-skip-opt",
                "my-complete-insert",
                "my-replace", "my-insert-ignore", "my-no-create", "my-no-charset", "my-gtid",
                "my-small-buffer", "my-dump-slave", "my-pv", "my-sed", "my-sed-conditionals",
                "my-grep-comments", "my-sandbox-removed", "my-crlf", "my-two", "my-wrapped",
            ], .mysqldump)
        + whole(["my-xml"], .mysqldumpXML)
        + whole(["my-gzip", "my-two-gzips"], .gzip, inner: .mysqldump)
        + endless(["my-compact", "my-compact-empty", "my-compact-two"], .mysqldump)
        + endless(["my-zstd"], .zstd) + endless(["my-xz"], .xz) + endless(["my-lz4"], .lz4)
        + endless(["my-bzip2"], .bzip2) + endless(["my-gpg"], .gpg)
        + endless(["my-openssl"], .openssl) + endless(["my-zip"], .zip)
        // the filter took the promised end away; a truncated dump cannot be told from it
        + refused(["my-grep-trailer"], .mysqldump)
        + refused(
            [
                "my-cut", "my-cut-at-fake", "my-two-cut", "my-two-first-line-cut", "my-broken-view",
                "my-no-such-database", "my-killed",
            ], .mysqldump)
        + refused(["my-cut-gzip", "my-gzip-cut"], .gzip, inner: .mysqldump)
        + refused(["my-zstd-cut"], .zstd)
        // it writes its end over a broken view, and exits with 2
        + ["my-force", "my-force-messages"].map {
            Expectation($0, .mysqldump, pipe: .accepted(true, .trailer), command: .refused)
        }
        + whole(
            [
                "pg15-plain", "pg15-inserts", "pg15-create", "pg15-rows-per-insert",
                "pg15-schema-only", "pg15-data-only", "pg15-post-data", "pg15-verbose",
                "pg15-no-dollar", "pg15-no-restrict", "pg18-plain", "pg18-inserts",
                "pg18-statistics",
            ], .pgDump)
        + whole(
            ["pg15-dumpall", "pg15-globals", "pg15-globals-and-one", "pg18-dumpall"], .pgDumpall)
        + whole(["pg15-gzip"], .gzip, inner: .pgDump)
        + whole(
            [
                "pg15-custom-z0", "pg15-custom-pipe", "pg15-custom-schema", "pg15-custom-pre",
                "pg15-custom-file", "pg18-custom-z0", "pg18-custom-pipe", "pg18-custom-schema",
                "pg18-custom-statistics", "pg18-custom-file",
            ], .pgCustom)
        + refused(["pg15-cut", "pg15-cut-then-whole"], .pgDump)
        + refused(["pg15-dumpall-one-cut"], .pgDumpall)
        + refused(["pg15-custom-cut", "pg18-custom-cut"], .pgCustom)
        + refused(["pg15-no-permission", "raw-empty"], .raw)
        + whole(["pg15-tar", "pg15-basebackup"], .tar)
        + refused(["pg15-basebackup-no-control"], .tar)
        + whole(["sqlite-good"], .sqlite)
        + whole(["sqlite-gzip"], .gzip, inner: .sqlite)
        + refused(["sqlite-damaged"], .sqlite)
        + whole(
            [
                "tar-gnu", "tar-gnu-sparse", "tar-pax", "tar-pax-sparse", "tar-ustar", "tar-v7",
                "tar-volume-label", "tar-two",
            ], .tar)
        + whole(["tar-gzip"], .gzip, inner: .tar)
        + refused(["tar-one-zero-block"], .tar)
        + whole(["xb-full", "xb-incremental", "xb-compressed"], .xbstream)
        + refused(["xb-cut"], .xbstream)
        + endless(["raw-csv", "raw-random"], .raw)

    @Test("each stream is accepted or refused as the table says", arguments: table)
    func judged(_ expected: Expectation) throws {
        let recorded = try Recorded(expected.name)
        let report = report(recorded.bytes)
        #expect(report.format == expected.format)
        #expect(report.innerFormat == expected.inner)
        check(report.inPipe, expected.pipe)
        let exit = ProducerExit.status(recorded.status)
        check(judge(report, exit: exit, acceptedStatuses: []), expected.command)
        // whatever the stream, a producer that was killed is refused
        check(judge(report, exit: .signal(9), acceptedStatuses: [137]), .refused)
    }

    private func check(_ judgement: Judgement, _ outcome: Outcome) {
        switch outcome {
        case .refused:
            #expect(judgement.refusal != nil)
            #expect(judgement.complete == false)
            #expect(judgement.evidence == .none)
        case .accepted(let complete, let evidence):
            #expect(judgement.refusal == nil, "\(judgement.refusal?.message ?? "")")
            #expect(judgement.complete == complete)
            #expect(judgement.evidence == evidence)
        }
    }

    @Test("the table holds at least 40 streams, each recorded one once")
    func tableSize() {
        #expect(Self.table.count >= 40)
        #expect(Set(Self.table.map(\.name)).count == Self.table.count)
    }

    @Test("a status that was accepted beforehand counts as success")
    func acceptedStatus() throws {
        let forced = try Recorded("my-force")
        let judgement = judge(
            report(forced.bytes), exit: .status(forced.status), acceptedStatuses: [forced.status])
        #expect(judgement == Judgement.accepted(true, .both))
    }

    @Test("a gzip that cannot be looked into says nothing of its dump")
    func noDecompressor() throws {
        for name in ["my-gzip", "my-cut-gzip"] {
            let report = report(try Recorded(name).bytes, decompressors: opensNothing)
            #expect(report.inPipe == Judgement.accepted(nil, .none))
        }
    }

    @Test("compressed and encrypted streams draw one warning that names what to drop")
    func warnings() throws {
        let wanted = [
            "my-gzip": "drop '| gzip'", "pg15-gzip": "drop -Z of pg_dump", "tar-gzip": "drop -z",
            "my-zstd": "drop the producer's compression", "my-gpg": "repo encrypts itself",
            "pg15-custom-pipe": "pg_dump -Fc -Z0", "xb-compressed": "drop --compress",
        ]
        for (name, advice) in wanted {
            let warnings = report(try Recorded(name).bytes).warnings
            #expect(warnings.count == 1)
            #expect(warnings.first?.contains(advice) == true, "\(name): \(warnings)")
        }
        for name in ["my-single", "pg15-plain", "pg15-custom-z0", "tar-gnu", "xb-full"] {
            #expect(report(try Recorded(name).bytes).warnings.isEmpty)
        }
    }

    @Test("messages that came in with 2>&1 are pointed out")
    func messages() throws {
        let report = report(try Recorded("my-force-messages").bytes)
        #expect(
            report.warnings.contains { $0.contains("at byte 0: mariadb-dump: Got error: 1356") })
    }
}

extension Judgement {
    static func accepted(_ complete: Bool?, _ evidence: Evidence) -> Judgement {
        Judgement(complete: complete, evidence: evidence, refusal: nil)
    }
}
