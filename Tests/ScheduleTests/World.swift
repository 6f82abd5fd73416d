import Glibc
import Synchronization
import TestSupport
import Workers

/// Says who goes on.
protocol Schedule: AnyObject {
    /// - Parameters:
    ///   - running: the clients that have not ended; never empty.
    ///   - current: the one whose request is due; nil where one has just ended, or nobody has begun.
    /// - Returns: who goes on; nil breaks the play off.
    func next(of running: [Int], current: Int?) -> Int?
}

/// Drawn from a seed, so that a run can be seen again.
final class DrawnSchedule: Schedule {
    private var random: SeededRandom
    private let restlessness: Int

    /// - Parameter restlessness: out of 256: how often another client is asked to go on at a request.
    init(seed: UInt64, restlessness: Int) {
        random = SeededRandom(seed: seed)
        self.restlessness = restlessness
    }

    func next(of running: [Int], current: Int?) -> Int? {
        if let current, random.number(0...255) >= restlessness { return current }
        return running[random.number(0...(running.count - 1))]
    }
}

/// Clients that share a store and of which one runs at a time: every request is a point at which another
/// may go on instead.
///
/// Threads live as long as the world and are used again and again: what is tried costs a millisecond.
///
/// A class: the clients and whoever plays share it. What is in it is touched by whoever runs, and one
/// runs at a time: handing over is a semaphore, which orders what was written before it.
final class World: @unchecked Sendable {
    /// Thrown out of every request of a client that died.
    struct Killed: Error {}

    private final class Client: @unchecked Sendable {
        let turn = Turn()
        var job: (() -> Void)?
        var isRunning = false
        /// It dies at its request of this number; whether that is still answered by the store.
        var death: (at: Int, isDone: Bool)?
        var requests = 0
        var isDead = false
    }

    private let clients: [Client]
    private let main = Turn()
    private var threads = Threads()
    private var schedule: any Schedule = DrawnSchedule(seed: 0, restlessness: 0)
    /// Nobody goes on: every request throws.
    private(set) var isBrokenOff = false
    private var isOver = false
    private(set) var steps = 0

    /// - Parameter processor: where all its threads run: handing over costs a tenth there.
    init(clients count: Int, processor: Int? = nil) {
        clients = (0..<count).map { _ in Client() }
        for client in clients {
            _ = threads.start { [self] in
                if let processor { stay(on: processor) }
                while true {
                    client.turn.wait()
                    if isOver { return }
                    client.job?()
                    client.isRunning = false
                    handOver()
                }
            }
        }
    }

    deinit { precondition(isOver, "a world is ended") }

    /// Ends the threads.
    func end() {
        isOver = true
        for client in clients { client.turn.pass() }
        threads.join()
    }

    /// Runs the jobs side by side, one a client, until all have ended.
    /// - Parameter deaths: by client, at which of its requests it dies, and whether that is still done.
    func play(
        _ schedule: any Schedule, deaths: [Int: (at: Int, isDone: Bool)] = [:], _ jobs: [() -> Void]
    ) {
        precondition(jobs.count <= clients.count, "a client for every job")
        self.schedule = schedule
        isBrokenOff = false
        steps = 0
        for (number, job) in jobs.enumerated() {
            let client = clients[number]
            client.job = job
            client.isRunning = true
            client.requests = 0
            client.isDead = false
            client.death = deaths[number]
        }
        handOver()
        main.wait()
    }

    /// A request of a client: others may come first.
    func request<Answer>(of number: Int, _ body: () throws -> Answer) throws -> Answer {
        let client = clients[number]
        if client.isDead || isBrokenOff { throw Killed() }
        steps += 1
        client.requests += 1
        if let next = next(current: number), next != number {
            clients[next].turn.pass()
            client.turn.wait()
        }
        if isBrokenOff { throw Killed() }
        guard let death = client.death, client.requests >= death.at else { return try body() }
        client.isDead = true
        if death.isDone { _ = try? body() }
        throw Killed()
    }

    /// Whoever ends lets another go on; the last one whoever plays.
    private func handOver() {
        if let next = next(current: nil) { clients[next].turn.pass() } else { main.pass() }
    }

    /// Nil where all have ended.
    private func next(current: Int?) -> Int? {
        let running = clients.indices.filter { clients[$0].isRunning }
        guard let first = running.first else { return nil }
        if !isBrokenOff {
            if let next = schedule.next(of: running, current: current) { return next }
            isBrokenOff = true
        }
        return current ?? first
    }
}

/// Keeps the calling thread on one processor. Where the system refuses it is only slower.
func stay(on processor: Int) {
    // The C library declares it for GNU sources only.
    typealias Call = @convention(c) (pid_t, Int, UnsafeRawPointer) -> Int32
    guard let symbol = dlsym(nil, "sched_setaffinity") else { return }
    var set = [UInt8](repeating: 0, count: 128)
    set[processor / 8] |= 1 << UInt8(processor % 8)
    _ = unsafeBitCast(symbol, to: Call.self)(0, set.count, set)
}

/// A semaphore of the system's.
final class Turn: @unchecked Sendable {
    private let semaphore = UnsafeMutablePointer<sem_t>.allocate(capacity: 1)

    init() { sem_init(semaphore, 0, 0) }

    deinit {
        sem_destroy(semaphore)
        semaphore.deallocate()
    }

    func pass() { sem_post(semaphore) }

    func wait() { while sem_wait(semaphore) != 0 {} }
}
