import CLinux

/// Threads that end by themselves and are waited for.
package struct Threads: Sendable {
    private var threads: [pthread_t] = []

    package init() {}

    package var isEmpty: Bool { threads.isEmpty }

    /// Starts one; false where the system has none to give.
    package mutating func start(_ body: @escaping @Sendable () -> Void) -> Bool {
        let box = Unmanaged.passRetained(ThreadBody(body))
        var thread = pthread_t()
        let result = pthread_create(
            &thread, nil,
            { argument in
                Unmanaged<ThreadBody>.fromOpaque(argument!).takeRetainedValue().body()
                return nil
            }, box.toOpaque())
        guard result == 0 else {
            box.release()
            return false
        }
        threads.append(thread)
        return true
    }

    /// Waits for all to end.
    package mutating func join() {
        for thread in threads { pthread_join(thread, nil) }
        threads = []
    }
}

/// Carries a closure through the C library's untyped pointer.
private final class ThreadBody: Sendable {
    let body: @Sendable () -> Void
    init(_ body: @escaping @Sendable () -> Void) { self.body = body }
}
