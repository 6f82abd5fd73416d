import Faults
import Files
import Sealing
import WireFormat

/// Everything of the world that a verb touches besides the object store: made once, by `Terminal`;
/// tests make their own.
package struct Surroundings: Sendable {
    package var systemCalls: SystemCalls
    /// Milliseconds since 1970.
    package var now: @Sendable () -> Int64
    package var randomBytes: @Sendable (Int) throws -> [UInt8]
    package var scryptCost: ScryptCost
    /// Threads that work beside the one that reads and writes; 0 makes everything run in one order.
    package var workers: Int
    /// What differs between machines, boots and processes, mixed into names and keys.
    package var identity: [UInt8]
    package var hostName: String
    /// Whether a signal asks to end: SIGINT or SIGTERM.
    package var stopRequested: @Sendable () -> Int32?
    /// Readable as soon as a signal asks to end, so that no read blocks for ever; negative for
    /// none.
    package var wakeUp: Int32
    /// Told now and then how far a verb has come.
    package var progress: @Sendable (Progress) -> Void
    /// Something the user should know and that is no error; one line, lower case.
    package var warn: @Sendable (String) -> Void

    package init(
        systemCalls: SystemCalls, now: @escaping @Sendable () -> Int64,
        randomBytes: @escaping @Sendable (Int) throws -> [UInt8], scryptCost: ScryptCost,
        workers: Int,
        identity: [UInt8], hostName: String, stopRequested: @escaping @Sendable () -> Int32?,
        wakeUp: Int32, progress: @escaping @Sendable (Progress) -> Void,
        warn: @escaping @Sendable (String) -> Void
    ) {
        self.systemCalls = systemCalls
        self.now = now
        self.randomBytes = randomBytes
        self.scryptCost = scryptCost
        self.workers = workers
        self.identity = identity
        self.hostName = hostName
        self.stopRequested = stopRequested
        self.wakeUp = wakeUp
        self.progress = progress
        self.warn = warn
    }

    package var hedgedRandom: HedgedRandom {
        let (now, identity) = (now, identity)
        return HedgedRandom(randomBytes: randomBytes) {
            withUnsafeBytes(of: now().littleEndian) { Array($0) } + identity
        }
    }
}

extension Surroundings {
    /// Tells of an object that does not count: it is not signed properly, or makes no sense.
    package func tellIgnored(_ name: ObjectName, _ error: any Error) {
        warn("\(name) is ignored: \(explanation(of: error))")
    }

    /// Tells of an object that cannot be used, and is passed over.
    package func tellUnusable(_ name: ObjectName, _ error: any Error) {
        warn("\(name) cannot be used: \(explanation(of: error))")
    }
}

/// How far a verb has come.
package struct Progress: Sendable {
    package var bytes: Int
    /// Where it can be known.
    package var bytesTotal: Int?
    /// Of them, what was not known before.
    package var bytesNew: Int?
    /// Where other things are counted than bytes.
    package var step: Step?

    package struct Step: Sendable {
        /// Such as `packs deleted`.
        package let name: String
        package let done: Int
        package let total: Int
    }

    /// - Parameters:
    ///   - done: how many of them.
    ///   - name: what is counted, such as `packs deleted`.
    package init(_ done: Int, of total: Int, _ name: String) {
        bytes = 0
        step = Step(name: name, done: done, total: total)
    }

    package init(bytes: Int, bytesTotal: Int? = nil, bytesNew: Int? = nil) {
        self.bytes = bytes
        self.bytesTotal = bytesTotal
        self.bytesNew = bytesNew
    }
}
