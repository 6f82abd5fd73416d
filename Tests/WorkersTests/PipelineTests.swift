import CLinux
import Glibc
import Synchronization
import TestSupport
import Testing
import Workers

/// A count that many threads raise, and the greatest it was.
private final class Gauge: Sendable {
    private let state = Mutex((now: 0, most: 0, all: 0))

    func enter() {
        state.withLock {
            $0.now += 1
            $0.all += 1
            $0.most = max($0.most, $0.now)
        }
    }
    func leave() { state.withLock { $0.now -= 1 } }
    var most: Int { state.withLock { $0.most } }
    var all: Int { state.withLock { $0.all } }
    var now: Int { state.withLock { $0.now } }
}

/// A door that threads wait at until it is opened.
private final class Gate: @unchecked Sendable {
    // A semaphore is made to be shared; it lives as long as this.
    private let semaphore: UnsafeMutablePointer<sem_t>

    init() {
        semaphore = .allocate(capacity: 1)
        sem_init(semaphore, 0, 0)
    }
    deinit {
        sem_destroy(semaphore)
        semaphore.deallocate()
    }
    func pass() { while sem_wait(semaphore) != 0 {} }
    func open(for count: Int) { for _ in 0..<count { sem_post(semaphore) } }
}

private struct Refusal: Error, Equatable { let number: Int }

/// What a job does is a closure, so that every test says it itself.
private final class ClosureWorker: PipelineWorker {
    let body: @Sendable (Int) throws -> Int
    init(_ body: @escaping @Sendable (Int) throws -> Int) { self.body = body }
    func run(_ job: Int) throws -> Int { try body(job) }
}

private func pipeline(
    workers: Int, inFlight: Int, _ body: @escaping @Sendable (Int) throws -> Int
) -> Pipeline<ClosureWorker> {
    Pipeline(workers: workers, inFlight: inFlight) { ClosureWorker(body) }
}

/// Takes some time that is not the same for every job, without sleeping.
@Sendable private func spin(_ seed: Int) -> Int {
    var random = SeededRandom(seed: UInt64(seed))
    var sum: UInt64 = 0
    for _ in 0..<random.number(0...2000) { sum &+= random.next() }
    return sum == 1 ? -1 : seed
}

struct PipelineTests {
    @Test(arguments: [0, 1, 2, 3, 8])
    func `results come in the order of the jobs`(_ workers: Int) throws {
        for inFlight in [1, 2, 3, 17] {
            let pipeline = pipeline(workers: workers, inFlight: inFlight) { spin($0) * 2 }
            var taken: [Int] = []
            for job in 0..<500 {
                if pipeline.isFull { taken.append(try #require(try pipeline.take())) }
                pipeline.submit(job)
            }
            while let result = try pipeline.take() { taken.append(result) }
            #expect(taken == (0..<500).map { $0 * 2 })
            #expect(pipeline.count == 0)
        }
    }

    @Test(arguments: [0, 1, 4])
    func `no more jobs are in flight than there is room for`(_ workers: Int) throws {
        let pipeline = pipeline(workers: workers, inFlight: 5) { $0 }
        #expect(pipeline.count == 0 && !pipeline.isFull)
        for job in 0..<5 {
            #expect(!pipeline.isFull)
            pipeline.submit(job)
            #expect(pipeline.count == job + 1)
        }
        #expect(pipeline.isFull)
        #expect(try pipeline.take() == 0)
        #expect(!pipeline.isFull && pipeline.count == 4)
        pipeline.submit(5)
        #expect(pipeline.isFull)
        for job in 1...5 { #expect(try pipeline.take() == job) }
        #expect(try pipeline.take() == nil)
        #expect(try pipeline.takeIfReady() == nil)
    }

    @Test func `a job without room for it is our own bug`() async {
        await #expect(processExitsWith: .failure) {
            let full = pipeline(workers: 0, inFlight: 1) { $0 }
            full.submit(0)
            full.submit(1)
        }
        await #expect(processExitsWith: .failure) {
            let full = pipeline(workers: 2, inFlight: 1) { $0 }
            full.submit(0)
            full.submit(1)
        }
        await #expect(processExitsWith: .failure) { _ = pipeline(workers: 0, inFlight: 0) { $0 } }
    }

    @Test(arguments: [1, 2, 5])
    func `at most as many jobs run at once as there are workers, and so many do`(_ workers: Int)
        throws
    {
        let (gauge, gate) = (Gauge(), Gate())
        let pipeline = pipeline(workers: workers, inFlight: 20) { job in
            gauge.enter()
            gate.pass()
            gauge.leave()
            return job
        }
        for job in 0..<20 { pipeline.submit(job) }
        // Every worker is inside a job before the first may end.
        while gauge.now < workers { sched_yield() }
        gate.open(for: 20)
        for job in 0..<20 { #expect(try pipeline.take() == job) }
        #expect(gauge.most == workers && gauge.all == 20)
    }

    @Test(arguments: [0, 1, 3])
    func `an error is thrown where its result would have been taken`(_ workers: Int) throws {
        let pipeline = pipeline(workers: workers, inFlight: 10) { job in
            if job == 5 || job == 7 { throw Refusal(number: job) }
            return job
        }
        for job in 0..<10 { pipeline.submit(job) }
        for job in 0..<10 {
            if job == 5 || job == 7 {
                #expect(throws: Refusal(number: job)) { try pipeline.take() }
            } else {
                #expect(try pipeline.take() == job)
            }
        }
        pipeline.submit(11)
        #expect(try pipeline.take() == 11, "it goes on behind an error")
    }

    @Test(arguments: [0, 1, 3])
    func `a worker that cannot be made fails every job`(_ workers: Int) throws {
        let pipeline = Pipeline<ClosureWorker>(workers: workers, inFlight: 4) {
            throw Refusal(number: -1)
        }
        for round in 0..<3 {
            for job in 0..<4 { pipeline.submit(job) }
            for _ in 0..<4 {
                #expect(throws: Refusal(number: -1), "\(round)") { try pipeline.take() }
            }
        }
    }

    @Test func `a result that is not ready is not waited for`() throws {
        let gate = Gate()
        let pipeline = pipeline(workers: 2, inFlight: 4) { job in
            gate.pass()
            return job
        }
        for job in 0..<3 { pipeline.submit(job) }
        #expect(try pipeline.takeIfReady() == nil)
        #expect(pipeline.count == 3)
        gate.open(for: 3)
        var taken: [Int] = []
        while taken.count < 3 {
            if let result = try pipeline.takeIfReady() {
                taken.append(result)
            } else {
                sched_yield()
            }
        }
        #expect(taken == [0, 1, 2])
    }

    @Test func `the oldest result is waited for though later ones are ready`() throws {
        let gate = Gate()
        let done = Gauge()
        let pipeline = pipeline(workers: 2, inFlight: 8) { job in
            if job == 0 { gate.pass() }
            done.enter()
            return job
        }
        for job in 0..<8 { pipeline.submit(job) }
        while done.all < 7 { sched_yield() }
        #expect(try pipeline.takeIfReady() == nil)
        gate.open(for: 1)
        for job in 0..<8 { #expect(try pipeline.take() == job) }
    }

    // MARK: stopping

    @Test(arguments: [1, 2, 4])
    func `stopping ends the threads and drops the jobs not begun`(_ workers: Int) {
        let (begun, gate) = (Gauge(), Gate())
        let pipeline = pipeline(workers: workers, inFlight: 50) { job in
            begun.enter()
            gate.pass()
            return job
        }
        for job in 0..<50 { pipeline.submit(job) }
        while begun.all < workers { sched_yield() }
        // Whatever began is let through; the others must not begin once stop has returned.
        gate.open(for: 50)
        pipeline.stop()
        let after = begun.all
        #expect(after >= workers && after <= 50)
        pipeline.stop()
        #expect(begun.all == after)
    }

    @Test
    func
        `to wait for what a stop has dropped is our own bug`()
        async
    {
        await #expect(processExitsWith: .failure) {
            let gate = Gate()
            let stopped = pipeline(workers: 1, inFlight: 10_000) { job in
                if job == 0 { gate.pass() }
                return spin(job)
            }
            for job in 0..<10_000 { stopped.submit(job) }
            gate.open(for: 1)
            stopped.stop()
            // Where it waits for ever, or nothing was dropped, the process ends well, and the test
            // fails.
            signal(SIGALRM) { _ in _exit(0) }
            alarm(60)
            var taken = 0
            while let result = try stopped.take() {
                guard result == taken else { _exit(0) }
                taken += 1
            }
            _exit(0)
        }
    }

    @Test(arguments: [1, 4])
    func `a pipeline that is dropped with jobs in it ends its threads and its workers`(
        _ workers: Int
    ) {
        let (living, begun) = (Gauge(), Gauge())
        final class CountedWorker: PipelineWorker {
            let (living, begun): (Gauge, Gauge)
            init(_ living: Gauge, _ begun: Gauge) {
                (self.living, self.begun) = (living, begun)
                living.enter()
            }
            deinit { living.leave() }
            func run(_ job: Int) -> Int {
                begun.enter()
                return spin(job)
            }
        }
        do {
            let pipeline = Pipeline(workers: workers, inFlight: 100) {
                CountedWorker(living, begun)
            }
            for job in 0..<100 { pipeline.submit(job) }
        }
        #expect(living.now == 0 && living.all <= workers)
        let after = begun.all
        sched_yield()
        #expect(begun.all == after && after <= 100)
    }

    // MARK: threads

    private final class ThreadWorker: PipelineWorker {
        let made = pthread_self()
        func run(_ job: Int) throws -> Bool { pthread_equal(made, pthread_self()) != 0 }
    }

    @Test(arguments: [1, 3])
    func `a worker is made on the thread that uses it`(_ workers: Int) throws {
        let pipeline = Pipeline(workers: workers, inFlight: 8) { ThreadWorker() }
        for _ in 0..<20 {
            for job in 0..<8 { pipeline.submit(job) }
            while let isSame = try pipeline.take() { #expect(isSame) }
        }
    }

    @Test func `without workers a job runs at once on the thread that submits it`() throws {
        let own = pthread_self()
        let ran = Gauge()
        let pipeline = pipeline(workers: 0, inFlight: 3) { job in
            guard pthread_equal(own, pthread_self()) != 0 else { throw Refusal(number: job) }
            ran.enter()
            return job
        }
        for job in 0..<3 {
            pipeline.submit(job)
            #expect(ran.all == job + 1)
        }
        for job in 0..<3 { #expect(try pipeline.takeIfReady() == job) }
    }

    @Test func `without workers one worker is made, when the first job comes`() throws {
        let made = Gauge()
        let pipeline = Pipeline(workers: 0, inFlight: 2) {
            made.enter()
            return ClosureWorker { $0 }
        }
        #expect(made.all == 0)
        for job in 0..<10 {
            pipeline.submit(job)
            #expect(try pipeline.take() == job)
        }
        #expect(made.all == 1)
    }

    @Test func `thousands of runs of every shape give the same`() throws {
        var random = SeededRandom(seed: announcedSeed())
        for run in 0..<3000 {
            let (workers, inFlight, jobs) = (
                random.number(0...4), random.number(1...6), random.number(0...20)
            )
            let failing = random.number(0...40)
            let pipeline = pipeline(workers: workers, inFlight: inFlight) { job in
                if job == failing { throw Refusal(number: job) }
                return job * 3
            }
            var results: [Int] = []
            func take() throws {
                do {
                    results.append(try #require(try pipeline.take()))
                } catch let refusal as Refusal {
                    results.append(-refusal.number)
                }
            }
            for job in 0..<jobs {
                if pipeline.isFull { try take() }
                pipeline.submit(job)
            }
            while pipeline.count > 0 { try take() }
            let expected = (0..<jobs).map { $0 == failing ? -$0 : $0 * 3 }
            guard results == expected else {
                Issue.record(
                    "run \(run): \(workers) workers, \(inFlight) in flight, \(jobs) jobs: \(results)"
                )
                return
            }
        }
    }
}
