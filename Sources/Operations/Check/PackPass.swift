import ChunkIndex
import Faults
import ObjectStorage
import PackStore
import Vault
import WireFormat
import Workers

/// Looks at packs, several at once; those that are read whole are fetched ahead where the store is far.
struct PackPass {
    private let context: DomainContext
    private let index: ChunkIndex
    private let surroundings: Surroundings
    private let fetching: FetchingStore?

    /// - Parameter fetching: the store behind `context` where that is far.
    init(
        _ context: DomainContext, _ index: ChunkIndex, _ surroundings: Surroundings,
        _ fetching: FetchingStore?
    ) {
        self.context = context
        self.index = index
        self.surroundings = surroundings
        self.fetching = fetching
    }

    /// - Parameter body: told what was found out about each, in their order.
    func run(_ jobs: [PackJob], _ body: (PackFinding) throws -> Void) throws {
        // Directories alone are waited for rather than worked on.
        let workers =
            jobs.contains { $0.readsData }
            ? surroundings.workers : max(surroundings.workers, context.requestsAtOnce)
        let (context, index) = (context, index)
        let verifiers = Pipeline(workers: workers, inFlight: workers + 2) {
            try PackVerifier(context, index)
        }
        defer { verifiers.stop() }
        let total = jobs.reduce(0) { $0 + $1.byteCount }
        var done = 0
        // Of packs that are read whole: what was told of ahead.
        var ahead = jobs.filter { $0.readsData }[...]
        var expected: [ObjectID: Expected] = [:]
        func fetchAhead() {
            while let fetching, let job = ahead.first, fetching.wantsMore {
                expected[job.id] = fetching.expect(
                    .pack(context.domain, job.id), byteCount: job.byteCount)
                ahead.removeFirst()
            }
        }
        func take() throws {
            guard let finding = try verifiers.take() else { return }
            if let step = expected.removeValue(forKey: finding.job.id) { fetching?.done(step) }
            try body(finding)
            done += finding.job.byteCount
            surroundings.progress(Progress(bytes: done, bytesTotal: total))
        }
        for job in jobs {
            if let signal = surroundings.stopRequested() { throw Interrupted(signal: signal) }
            while verifiers.isFull { try take() }
            fetchAhead()
            verifiers.submit(job)
        }
        while verifiers.count > 0 { try take() }
    }
}
