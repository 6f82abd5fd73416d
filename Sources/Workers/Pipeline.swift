import CLinux

/// What one thread of a pipeline does with its jobs. Made on that thread and used by it alone, so
/// it may hold contexts that must not be shared; a class, because such contexts cannot be copied.
package protocol PipelineWorker: AnyObject, SendableMetatype {
    associatedtype Job: Sendable
    associatedtype Output: Sendable
    func run(_ job: Job) throws -> Output
}

/// Threads that work on jobs side by side and hand out the results in the order of the jobs.
///
/// Bounded: at most `inFlight` jobs are accepted and not yet handed out, so memory is bounded by
/// what a job and its result hold. One thread submits and takes; it never waits for room, but takes
/// the oldest result to make some. The first error is thrown where its result would have been
/// taken. With no workers the jobs run at once on the submitting thread: tests with one seed see
/// one order.
///
/// A class: the threads and their owner share it. It is stopped and joined by `stop`, at the latest
/// in `deinit`.
package final class Pipeline<Worker: PipelineWorker> {
    package typealias Job = Worker.Job
    package typealias Output = Worker.Output

    private let shared: Shared
    private var threads = Threads()
    private var inline: Worker?
    private let make: @Sendable () throws -> Worker

    /// - Parameters:
    ///   - workers: threads; 0 runs jobs on the submitting thread.
    ///   - inFlight: the most jobs submitted and not taken, at least 1.
    ///   - make: makes a thread's worker; what it throws is thrown by `take`.
    package init(workers: Int, inFlight: Int, make: @escaping @Sendable () throws -> Worker) {
        precondition(inFlight >= 1, "a pipeline has room for a job")
        shared = Shared(capacity: inFlight)
        self.make = make
        for _ in 0..<workers {
            let shared = shared
            guard threads.start({ Self.work(shared, make) }) else { break }
        }
    }

    deinit { stop() }

    /// Jobs submitted and not yet taken.
    package var count: Int { shared.submitted - shared.taken }
    package var isFull: Bool { count == shared.capacity }
    package var capacity: Int { shared.capacity }

    /// Hands a job to the workers. There must be room.
    package func submit(_ job: Job) {
        precondition(!isFull, "the oldest result is taken first")
        if threads.isEmpty {
            shared.finishInline(Result { try runHere(job) })
        } else {
            shared.submit(job)
        }
    }

    /// The oldest result, waiting for it; nil when nothing is in flight.
    package func take() throws -> Output? {
        guard count > 0 else { return nil }
        return try shared.take().get()
    }

    /// The oldest result if it is ready.
    package func takeIfReady() throws -> Output? {
        guard count > 0, let result = shared.takeIfReady() else { return nil }
        return try result.get()
    }

    /// Ends the threads; jobs not begun are dropped.
    package func stop() {
        shared.stop()
        threads.join()
    }

    private func runHere(_ job: Job) throws -> Output {
        let worker = try inline ?? make()
        inline = worker
        return try worker.run(job)
    }

    /// What a thread does until it is told to stop.
    private static func work(_ shared: Shared, _ make: @Sendable () throws -> Worker) {
        let worker = Result { try make() }
        while let (slot, job) = shared.nextJob() {
            shared.finish(slot, Result { try worker.get().run(job) })
        }
    }

    /// The ring of jobs and results. Everything in it is touched under its mutex only, but for
    /// `submitted` and `taken`, which the owner's thread alone changes and the others read under
    /// the mutex: hence `@unchecked`.
    private final class Shared: @unchecked Sendable {
        let capacity: Int
        private(set) var submitted = 0
        private(set) var taken = 0
        private var begun = 0
        private var isStopped = false
        private var jobs: [Job?]
        private var results: [Result<Output, any Error>?]
        private let mutex: UnsafeMutablePointer<pthread_mutex_t>
        private let jobReady: UnsafeMutablePointer<pthread_cond_t>
        private let resultReady: UnsafeMutablePointer<pthread_cond_t>

        init(capacity: Int) {
            self.capacity = capacity
            jobs = Array(repeating: nil, count: capacity)
            results = Array(repeating: nil, count: capacity)
            mutex = .allocate(capacity: 1)
            jobReady = .allocate(capacity: 1)
            resultReady = .allocate(capacity: 1)
            pthread_mutex_init(mutex, nil)
            pthread_cond_init(jobReady, nil)
            pthread_cond_init(resultReady, nil)
        }

        deinit {
            pthread_cond_destroy(jobReady)
            pthread_cond_destroy(resultReady)
            pthread_mutex_destroy(mutex)
            jobReady.deallocate()
            resultReady.deallocate()
            mutex.deallocate()
        }

        private func locked<R>(_ body: () -> R) -> R {
            pthread_mutex_lock(mutex)
            defer { pthread_mutex_unlock(mutex) }
            return body()
        }

        func submit(_ job: Job) {
            locked {
                jobs[submitted % capacity] = job
                submitted += 1
                pthread_cond_signal(jobReady)
            }
        }

        func finishInline(_ result: Result<Output, any Error>) {
            locked {
                results[submitted % capacity] = result
                submitted += 1
                begun += 1
            }
        }

        func nextJob() -> (slot: Int, job: Job)? {
            locked {
                while begun == submitted && !isStopped { pthread_cond_wait(jobReady, mutex) }
                guard !isStopped else { return nil }
                let slot = begun % capacity
                begun += 1
                let job = jobs[slot]!
                jobs[slot] = nil
                return (slot, job)
            }
        }

        func finish(_ slot: Int, _ result: Result<Output, any Error>) {
            locked {
                results[slot] = result
                pthread_cond_signal(resultReady)
            }
        }

        func take() -> Result<Output, any Error> {
            locked {
                let slot = taken % capacity
                while results[slot] == nil {
                    precondition(!isStopped, "a stopped pipeline is not waited for")
                    pthread_cond_wait(resultReady, mutex)
                }
                defer {
                    results[slot] = nil
                    taken += 1
                }
                return results[slot]!
            }
        }

        func takeIfReady() -> Result<Output, any Error>? {
            locked {
                let slot = taken % capacity
                guard let result = results[slot] else { return nil }
                results[slot] = nil
                taken += 1
                return result
            }
        }

        func stop() {
            locked {
                isStopped = true
                pthread_cond_broadcast(jobReady)
            }
        }
    }
}
