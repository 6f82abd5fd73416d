import Glibc
import Synchronization

/// A thread of a test, waited for with `join`.
package struct TestThread {
    let thread: pthread_t
    package func join() { pthread_join(thread, nil) }
}

/// Starts a thread of its own: one that waits for others does not keep a task waiting.
package func startThread(_ body: @escaping @Sendable () -> Void) -> TestThread {
    final class Box: Sendable {
        let body: @Sendable () -> Void
        init(_ body: @escaping @Sendable () -> Void) { self.body = body }
    }
    var thread = pthread_t()
    let result = pthread_create(
        &thread, nil,
        { argument in
            Unmanaged<Box>.fromOpaque(argument!).takeRetainedValue().body()
            return nil
        }, Unmanaged.passRetained(Box(body)).toOpaque())
    precondition(result == 0, "a thread starts")
    return TestThread(thread: thread)
}

/// What threads tell of how they ended.
package final class Outcomes: Sendable {
    private let errors = Mutex<[String]>([])
    package init() {}
    package func add(_ result: Result<Void, any Error>) {
        if case .failure(let error) = result { errors.withLock { $0.append("\(error)") } }
    }
    package var failures: [String] { errors.withLock { $0 } }
}
