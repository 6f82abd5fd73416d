import DumpFormats
import Faults
import Testing

@Suite("judgements")
struct JudgementTests {
    private func cutOff(_ format: StreamFormat = .mysqldump, inside: String = "table shop.orders")
        -> StreamReport
    {
        var report = StreamReport(format: format)
        report.byteCount = 412_300_000
        report.end = .missing(
            at: 412_300_000, inside: inside, wanted: "the line '-- Dump completed'")
        return report
    }

    @Test("a refusal says where the stream stopped and what is missing")
    func message() throws {
        let refusal = try #require(cutOff().inPipe.refusal)
        #expect(
            refusal.message
                == "mysqldump stream ended after 412.3 MB inside table shop.orders; "
                + "the line '-- Dump completed' is missing: nothing saved"
        )
        #expect(
            refusal.hint == "run the producer as repo add SERIES -- COMMAND, or say --format raw")
        #expect(refusal.exitCode == .incompleteStream)
        #expect(!refusal.mayRetry)
    }

    @Test("a refusal of a failed command names its status or signal")
    func failed() throws {
        let cut = judge(cutOff(), exit: .signal(9), acceptedStatuses: [])
        #expect(
            cut.refusal?.message.contains(
                "is missing; the producer was ended by signal 9: nothing saved") == true)
        var report = cutOff()
        report.end = .seen
        let failed = try #require(judge(report, exit: .status(2), acceptedStatuses: [1]).refusal)
        #expect(
            failed.message == "the producer failed with exit status 2 after 412.3 MB: nothing saved"
        )
        #expect(failed.hint == "if that status is harmless, say --accept-status 2")
    }

    @Test("a missing end is refused even where the command said 0")
    func missing() {
        let judgement = judge(cutOff(), exit: .status(0), acceptedStatuses: [])
        #expect(judgement.refusal?.hint == "if a filter removed its end, say --format raw")
    }

    @Test("an empty stream is refused whatever the command said")
    func empty() {
        for exit in [nil, ProducerExit.status(0), .status(1), .signal(15)] {
            let judgement = judge(StreamReport(format: .raw), exit: exit, acceptedStatuses: [1])
            #expect(judgement.refusal?.message.hasPrefix("the stream is empty") == true)
            #expect(judgement.complete == false)
        }
    }

    @Test("names bring no control characters into a message")
    func controlCharacters() {
        let message = cutOff(inside: "table a\n\u{1B}[31mb\u{9B}").inPipe.refusal?.message
        #expect(message?.contains("table a??[31mb?;") == true)
    }

    @Test(
        "sizes are told in powers of 1,000",
        arguments: [
            (UInt64(1), "1 byte"), (999, "999 bytes"), (1_000, "1.0 kB"), (999_949, "999.9 kB"),
            (999_950, "1.0 MB"), (412_340_000, "412.3 MB"), (1_999_999_999, "2.0 GB"),
            (UInt64.max, "18.4 EB"),
        ])
    func sizes(_ bytes: UInt64, _ text: String) {
        var report = cutOff()
        report.byteCount = bytes
        report.end = .missing(at: bytes, inside: "", wanted: "x")
        #expect(
            report.inPipe.refusal?.message
                == "mysqldump stream ended after \(text); x is missing: nothing saved")
    }

    @Test("every format has a name, an ending and a way of being cut")
    func formats() {
        #expect(Set(StreamFormat.allCases.map(\.rawValue)).count == StreamFormat.allCases.count)
        #expect(
            StreamFormat.allCases.filter(\.isText).map(\.rawValue) == [
                "mysqldump", "mysqldump-xml", "pg_dump", "pg_dumpall", "sqlite",
            ])
        #expect(StreamFormat.allCases.allSatisfy { !$0.fileExtension.isEmpty })
        var report = StreamReport(format: .gzip)
        #expect(report.fileExtension == "gz")
        report.innerFormat = .mysqldump
        #expect(report.fileExtension == "sql.gz")
    }
}
