import Chunking
import PackStore
import Sealing
import WireFormat
import Workers

/// A window's worth of pieces on their way to their names.
struct NamingJob: Sendable {
    let buffer: Buffer
    let pieces: [Piece]
    var pages: [PageJob] = []
}

/// The same, with the name of each chunk in order.
struct NamedPieces: Sendable {
    let buffer: Buffer
    let pieces: [Piece]
    let names: [ChunkID]
    var pages = PageTally()
}

/// Names chunks, and looks at the pages of databases while they are at hand. One a thread.
final class ChunkNaming: PipelineWorker {
    private let namer: ChunkNamer

    init(namer: consuming ChunkNamer) { self.namer = namer }

    func run(_ job: NamingJob) throws -> NamedPieces {
        var names: [ChunkID] = []
        names.reserveCapacity(job.pieces.count)
        for case .chunk(let range) in job.pieces {
            names.append(namer.id(of: job.buffer.bytes(range)))
        }
        var pages = PageTally()
        for page in job.pages { pages.look(job.buffer.bytes(page.range), page) }
        return NamedPieces(buffer: job.buffer, pieces: job.pieces, names: names, pages: pages)
    }
}

extension CutDecider: CutDeciding {}
