import Synchronization

/// A value behind a mutex, for the one arena of secrets.
final class Locked<Value>: Sendable {
    private let mutex: Mutex<Value>

    init(_ value: sending Value) { mutex = Mutex(value) }

    func with<R>(_ body: (inout Value) -> sending R) -> sending R { mutex.withLock { body(&$0) } }
}
