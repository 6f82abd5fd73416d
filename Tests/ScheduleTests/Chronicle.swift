import WireFormat

/// What is stored, and what each client was answered, as numbers. Clients do nothing that does not follow from
/// answers, so two plays that agree in these are in the same state, in whatever order they came there.
///
/// A class: all clients of a play write in it, one at a time (see `World`).
final class Chronicle: @unchecked Sendable {
    private var answers: [Int]
    private var objects: [ObjectName: Int] = [:]
    /// What is stored.
    private(set) var stored = 0

    /// - Parameter names: what is stored at the beginning.
    init(clients: Int, _ names: [ObjectName]) {
        answers = [Int](repeating: 0, count: clients)
        for name in names { objects[name] = 0 }
    }

    /// The state that the play is in.
    var state: Int {
        var hasher = Hasher()
        hasher.combine(answers)
        hasher.combine(stored)
        return hasher.finalize()
    }

    func tell(_ client: Int, _ answer: some Hashable) {
        var hasher = Hasher()
        hasher.combine(answers[client])
        hasher.combine(answer)
        answers[client] = hasher.finalize()
    }

    func put(_ name: ObjectName, _ bytes: UnsafeRawBufferPointer) {
        var hasher = Hasher()
        hasher.combine(name)
        hasher.combine(bytes: bytes)
        let number = hasher.finalize()
        objects[name] = number
        stored ^= number
    }

    func remove(_ name: ObjectName) {
        guard let number = objects.removeValue(forKey: name) else { return }
        // What was there at the beginning is missed.
        stored ^= number == 0 ? name.hashValue : number
    }
}
