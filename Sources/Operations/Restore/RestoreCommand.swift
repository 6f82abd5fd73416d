import CLinux
import Files
import Snapshots
import Vault
import WireFormat

/// How a command that a stream was fed to ended.
package struct CommandOutcome: Sendable {
    package let status: Int32?
    package let signal: Int32?
    package let bytes: Int
}

/// Verifies a whole stream, then feeds it to a command (`mysql`, `pg_restore`): the command sees a
/// stream that is known to be good to its last byte, or nothing.
package func restore(_ snapshot: Snapshot, into command: [[UInt8]], from vault: Vault) throws
    -> CommandOutcome
{
    let reader = try SnapshotReader(snapshot, vault)
    guard reader.manifest.stream(.catalog) == nil else {
        throw OperationError.notAStream(snapshot.id.short, what: "files, not a stream")
    }
    let stream = try reader.stream(.data)
    let proof = try reader.read(stream)
    var proven = 0
    while let part = try proof.part() {
        proven += part.count
        vault.surroundings.progress(Progress(bytes: proven / 2, bytesTotal: stream.byteCount))
    }
    let sink = try CommandSink(command, vault.surroundings)
    let output = Output(
        sink.input.number, path: Path("the input of \(sink.program)"), isSparse: false,
        vault.surroundings)
    do {
        let parts = try reader.read(stream)
        while let part = try parts.part() {
            try output.write(part)
            vault.surroundings.progress(
                Progress(
                    bytes: (stream.byteCount + output.byteCount) / 2, bytesTotal: stream.byteCount))
        }
        try output.finish()
    } catch let error as FileError where error.code == EPIPE {
        // The command has stopped reading: its status tells why.
        _ = error
    }
    let status = try sink.finish()
    return CommandOutcome(
        status: repo_exited(status) != 0 ? repo_exit_status(status) : nil,
        signal: repo_exited(status) != 0 ? nil : repo_term_signal(status), bytes: output.byteCount)
}
