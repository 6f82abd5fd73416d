import ChunkIndex
import Faults
import ObjectStorage
import PackStore
import Sealing
import WireFormat
import Workers

/// A pack to be looked at.
struct PackJob: Sendable {
    let id: ObjectID
    let byteCount: Int
    /// Whether all of it is read, or its directory only.
    let readsData: Bool
}

/// What was found out about one.
struct PackFinding: Sendable {
    let job: PackJob
    /// Nil where it cannot be read.
    var directory: OpenDirectory?
    /// SHA-256 of the directory's fields, to compare copies of it with.
    var fieldsHash: [UInt8] = []
    var damage: (any Error)?
    /// Of a damaged pack that was read: segments that are sound, but for what deltas stand on.
    var sound: Set<Int> = []
}

/// Reads packs: the hash of the whole, every seal, and every chunk that does not stand on another
/// frame. One a thread.
final class PackVerifier: PipelineWorker {
    private let context: DomainContext
    private let decoder: FrameDecoder
    /// Used for one pack after the other: fresh pages cost as much as reading into them.
    private var buffer = Buffer(capacity: 0)

    init(_ context: DomainContext, _ index: ChunkIndex) throws {
        self.context = context
        // No frame that is verified here is needed a second time.
        decoder = try FrameDecoder(
            context, ChunkFinder(context, index), DecodedFrames(bytesMax: 0))
    }

    func run(_ job: PackJob) throws -> PackFinding {
        var finding = PackFinding(job: job)
        do {
            if job.readsData {
                try verify(job, &finding)
            } else {
                let (directory, indexed) = try PackDirectories.read(job.id, context)
                take(directory, indexed, job.id, &finding)
            }
        } catch  where isDamage(error) {
            finding.damage = error
            // What it holds and cannot give any more is known all the same, if the directory is.
            if finding.directory == nil,
                let (directory, indexed) = try? PackDirectories.read(job.id, context)
            {
                take(directory, indexed, job.id, &finding)
            }
            if job.readsData, let directory = finding.directory {
                finding.sound = try soundSegments(of: directory)
            }
        }
        return finding
    }

    private func soundSegments(of directory: OpenDirectory) throws -> Set<Int> {
        var sound: Set<Int> = []
        for segment in directory.segments.indices {
            guard directory.contentClass(ofSegment: segment) == .list || context.keyring.opensData
            else { continue }
            do {
                try decoder.verify(segment: segment, of: directory)
                sound.insert(segment)
            } catch  where isDamage(error) {
                continue
            }
        }
        return sound
    }

    private func take(
        _ directory: PackDirectory, _ indexed: IndexObject.Pack, _ id: ObjectID,
        _ finding: inout PackFinding
    ) {
        finding.directory = OpenDirectory(.pack(.pack(context.domain, id)), directory, context)
        finding.fieldsHash = SHA256.hash(indexed.directory)
    }

    private func verify(_ job: PackJob, _ finding: inout PackFinding) throws {
        let name = ObjectName.pack(context.domain, job.id)
        guard job.byteCount <= Limits.objectBytes else {
            throw StorageError.tooLong(name, byteCount: job.byteCount, limit: Limits.objectBytes)
        }
        if buffer.capacity < job.byteCount { buffer = Buffer(capacity: job.byteCount) }
        let whole = 0..<job.byteCount
        try context.store.read(name, whole, into: buffer.room(whole))
        let (directory, indexed) = try PackDirectories.open(
            Slice(buffer, whole), pack: job.id, context)
        take(directory, indexed, job.id, &finding)
        // Whoever has no key for it proves that it is as it was written, and no more.
        guard indexed.contentClass == .list || context.keyring.opensData else { return }
        let loaded = OpenDirectory(.loaded(Slice(buffer, whole), of: name), directory, context)
        for segment in loaded.segments.indices { try decoder.verify(segment: segment, of: loaded) }
    }
}

/// Frames that are deltas, to be verified in this order.
struct DeltaJob: Sendable {
    var frames: [(directory: OpenDirectory, number: Int)] = []
    var rawBytes = 0
}

/// Decodes deltas and verifies every chunk of them. One a thread; bases are shared.
final class DeltaVerifier: PipelineWorker {
    private let decoder: FrameDecoder

    init(_ context: DomainContext, _ finder: ChunkFinder, _ shared: DecodedFrames) throws {
        decoder = try FrameDecoder(context, finder, shared)
    }

    /// The frames that are not what they should be: their places in the job, and why.
    func run(_ job: DeltaJob) throws -> [(place: Int, damage: any Error)] {
        var failed: [(place: Int, damage: any Error)] = []
        for (place, frame) in job.frames.enumerated() {
            do {
                try decoder.verify(frame: frame.number, of: frame.directory)
            } catch  where isDamage(error) {
                failed.append((place, error))
            }
        }
        return failed
    }
}
