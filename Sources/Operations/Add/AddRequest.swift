import DumpFormats
import Files
import PackStore
import Snapshots
import WireFormat

/// What to save and how.
package struct AddRequest: Sendable {
    package enum Source: Sendable {
        /// An open descriptor: standard input.
        case descriptor(Int32)
        /// A file as a stream.
        case file(Path)
        /// A command, its output as the stream. Program and arguments; no shell.
        case command([[UInt8]])
        case files(FileSelection)
    }

    package var series: String
    package var source: Source
    package var kind: Head.Kind?
    package var parent: Reference?
    package var tags: [String] = []
    /// The name that all snapshots share which are made together.
    package var group: String?
    /// Milliseconds since 1970; nil for now.
    package var time: Int64?
    package var host: String?
    package var allowIncomplete = false
    package var allowShrink = false
    package var refuseShrink = false
    /// Whether an increment may be saved that goes on from no snapshot of its series.
    package var allowUnlinked = false
    /// Whether damaged database pages refuse the stream.
    package var strictPages = false
    package var acceptedStatuses: Set<Int32> = []
    /// nil: find out.
    package var format: StreamFormat?
    /// zstd's level; nil: try.
    package var level: Int?
    /// How far deltas may reach; nil makes none.
    package var deltaLimits: DeltaLimits? = .usual
    package var acceptRollback = false
    /// Whether what is little goes into the manifest instead of a pack.
    package var carriesLittle = true

    package init(series: String, source: Source) {
        self.series = series
        self.source = source
    }
}

/// Which files and directories to save.
package struct FileSelection: Sendable {
    package var paths: [Path]
    package var excluded: [String]
    package var staysOnFileSystem: Bool

    package init(paths: [Path], excluded: [String] = [], staysOnFileSystem: Bool = false) {
        self.paths = paths
        self.excluded = excluded
        self.staysOnFileSystem = staysOnFileSystem
    }
}

/// What was saved.
package struct AddOutcome: Sendable {
    package let snapshot: Snapshot
    package let manifest: Manifest
    package let chunks: Int
    package let chunksNew: Int
    /// Deltas among the data: how many frames, of how many bytes, in how many.
    package let deltas: (frames: Int, rawBytes: Int, storedBytes: Int)
    /// Of files and directories: how many, and how many files were taken over from the parent.
    package var files: (count: Int, unchanged: Int)?
    package let seconds: Double
    /// To be told to the person: warnings of the format, files that could not be read.
    package let notes: [String]
    /// Why the exit status is 3, if it is.
    package let reservations: [String]
    package let exitStatusKnown: Bool
}
