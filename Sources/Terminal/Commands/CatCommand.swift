import CLinux
import DumpFormats
import Faults
import Files
import Operations
import Snapshots
import WireFormat

/// `repo cat`: a stream, to standard output.
enum CatCommand {
    static let command = Command(
        "cat", summary: "print a dump, or a file of a snapshot",
        usage: ["REF [MEMBER]"],
        description: """
            Writes the stream of a snapshot to standard output, or with MEMBER one of its
            files, also one in an archive. Every byte is proven to be the one that was
            saved before it is written.
            """,
        operands: [Operand("REF"), Operand("MEMBER", .optional)],
        options: [Session.acceptRollback],
        examples: [
            .init(
                "repo cat shop | mariadb",
                "load the latest dump; repo restore shop -- mariadb also proves its end first"),
            .init("repo cat shop@2026-11-20 > shop.sql", "an older one, into a file"),
            .init(
                "repo cat shop/physical xtrabackup_info", "one member of a mariabackup stream"),
            .init("repo cat etc etc/fstab", "one file; repo show etc --members lists them"),
        ],
        run: run)

    private static func run(_ session: Session) throws -> ExitCode {
        let reference = try session.reference(operand: 0)
        let member = session.arguments.operands.dropFirst().first.map { Path(bytes: $0) }
        let vault = try session.openVault()
        let snapshot = try reference.resolve(in: session.history(vault))
        if session.console.settings.outputIsTerminal {
            try refuseBinary(snapshot, member, reference)
            session.console.endProgress()
        }
        do {
            _ = try writeStream(of: snapshot, member: member, to: 1, from: vault)
        } catch let error as FileError where error.code == EPIPE {
            throw OutputClosed()
        }
        return .done
    }

    /// A terminal is no place for what is no text.
    private static func refuseBinary(
        _ snapshot: Snapshot, _ member: Path?, _ reference: Reference
    ) throws {
        guard member == nil,
            let format = snapshot.head.format.flatMap({ StreamFormat(rawValue: $0) }),
            !format.isText, format != .raw
        else { return }
        throw UsageError(
            "\(snapshot.id.short) is a \(format.rawValue) stream, which is nothing for a terminal",
            hint: "repo cat \(shellWord(reference.text)) > FILE")
    }
}
