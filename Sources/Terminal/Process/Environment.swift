import CLinux

/// The variables a process was started with. One that is set to nothing counts as not set.
struct Environment: Sendable {
    private let find: @Sendable (String) -> [UInt8]?
    private let forget: @Sendable (String) -> Void

    /// - Parameters:
    ///   - find: the value of a variable; nil where it is not set.
    ///   - forget: makes a value unreadable where it stood.
    init(
        find: @escaping @Sendable (String) -> [UInt8]?, forget: @escaping @Sendable (String) -> Void
    ) {
        self.find = find
        self.forget = forget
    }

    /// The variables of this process. They are read before any thread is started.
    static let ofThisProcess = Environment(
        find: { name in
            guard let value = getenv(name) else { return nil }
            return Array(
                UnsafeBufferPointer(start: value, count: strlen(value)).map {
                    UInt8(bitPattern: $0)
                })
        },
        forget: { name in
            guard let value = getenv(name) else { return }
            repo_wipe(value, strlen(value))
            unsetenv(name)
        })

    subscript(name: String) -> [UInt8]? { find(name).flatMap { $0.isEmpty ? nil : $0 } }

    func text(_ name: String) -> String? { self[name].map { String(decoding: $0, as: UTF8.self) } }

    /// Whether a variable is set, be it to nothing.
    func has(_ name: String) -> Bool { find(name) != nil }

    /// A value that nobody shall read again, nor a command that is started inherit.
    func takeSecret(_ name: String) -> [UInt8]? {
        defer { forget(name) }
        return find(name)
    }
}
