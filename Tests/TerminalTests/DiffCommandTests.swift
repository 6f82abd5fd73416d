import Operations
import Testing

@testable import Terminal

private func line(_ difference: Difference, isTerminal: Bool = true) -> String {
    String(decoding: DiffCommand.line(difference, isTerminal: isTerminal), as: UTF8.self)
}

private func path(_ text: String) -> Difference.Subject { .path(Array(text.utf8)) }

@Test func `a difference is a line with a mark, a name and what it is about`() {
    #expect(line(.init(subject: path("a"), change: .added, bytesAfter: 1200)) == "+ a  1.2 kB")
    #expect(line(.init(subject: path("a"), change: .removed, bytesBefore: 1)) == "- a  1 byte")
    #expect(line(.init(subject: path("a/b"), change: .added)) == "+ a/b")
    #expect(
        line(
            .init(
                subject: path("a"), change: .content, bytesBefore: 10, bytesAfter: 20,
                metadata: [.time])) == "M a  10 bytes -> 20 bytes")
    #expect(
        line(.init(subject: path("a"), change: .content, bytesAfter: 20, metadata: [.kind, .mode]))
            == "M a  20 bytes; kind")
    #expect(
        line(.init(subject: path("a"), change: .metadata, metadata: [.mode, .time]))
            == "m a  mode, time")
    #expect(
        line(
            .init(
                subject: .table(space: "shop", name: "t"), change: .content, bytesBefore: 5000,
                bytesAfter: 5000, chunkBytes: (1500, 1400)))
            == "M shop.t  5.0 kB; 1.5 kB new, 1.4 kB gone")
    #expect(
        line(.init(subject: .outsideTables, change: .content, chunkBytes: (7, 8)))
            == "M (outside tables)  7 bytes new, 8 bytes gone")
}

@Test func `a path cannot steer the terminal, and another program reads the very name`() {
    let difference = Difference(subject: path("a\u{1b}[2J"), change: .added)
    #expect(line(difference) == "+ a?[2J")
    #expect(line(difference, isTerminal: false) == "+ a\u{1b}[2J")
}

@Test func `the last line counts`() {
    var outcome = DiffOutcome()
    (outcome.added, outcome.content, outcome.unchanged, outcome.seconds) = (1, 2, 3000, 0.04)
    #expect(
        DiffCommand.summary(outcome)
            == "files and directories: 1 added, 2 changed, 3,000 the same; 40 ms")
    var dump = DiffOutcome()
    (dump.unit, dump.unchanged, dump.streamBytes) = (.tables, 5, (700, 0, 0))
    #expect(
        DiffCommand.summary(dump)
            == "no difference; tables: 5 the same; 0 bytes new, 0 bytes gone, 700 bytes in both; 0 ms"
    )
    var stream = DiffOutcome()
    (stream.unit, stream.streamBytes) = (.nothing, (700, 1, 0))
    #expect(DiffCommand.summary(stream) == "1 byte new, 0 bytes gone, 700 bytes in both; 0 ms")
}

@Test func `differences as JSON have the fields that scripts rely on`() {
    #expect(
        DiffCommand.json(
            .init(
                subject: path("a"), change: .metadata, bytesBefore: 1, bytesAfter: 1,
                metadata: [.mode])
        ).line
            == #"{"type":"difference","path":"a","change":"metadata","bytes_before":1,"bytes_after":1,"metadata":["mode"]}"#
    )
    #expect(
        DiffCommand.json(
            .init(
                subject: .table(space: "shop", name: "t"), change: .added, bytesAfter: 9,
                chunkBytes: (9, 0))
        ).line
            == #"{"type":"difference","space":"shop","name":"t","change":"added","bytes_before":null,"bytes_after":9,"bytes_new":9,"bytes_gone":0}"#
    )
}
