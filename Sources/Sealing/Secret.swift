import CLinux

/// A key of up to 64 bytes, in memory that is locked, left out of core files, and wiped when it
/// goes.
package struct Secret: ~Copyable, Sendable {
    package let count: Int
    private let slot: SecretArena.Slot

    /// - Parameter fill: writes the key into `count` zeroed bytes.
    package init<E: Error>(count: Int, _ fill: (UnsafeMutableRawBufferPointer) throws(E) -> Void)
        throws(E)
    {
        precondition(count > 0 && count <= SecretArena.slotBytes, "a secret has 1 to 64 bytes")
        let slot = SecretArena.shared.take()
        do throws(E) {
            try fill(UnsafeMutableRawBufferPointer(start: slot.base, count: count))
        } catch {
            SecretArena.shared.giveBack(slot)
            throw error
        }
        self.count = count
        self.slot = slot
    }

    /// Copies bytes that lie elsewhere; the caller wipes its own.
    package init(copying bytes: UnsafeRawBufferPointer) {
        self.init(count: bytes.count) { $0.copyMemory(from: bytes) }
    }

    /// Copies, then wipes `bytes`.
    package init(moving bytes: inout [UInt8]) {
        self.init(count: bytes.count) { target in
            bytes.withUnsafeBytes { target.copyMemory(from: $0) }
        }
        bytes.wipe()
    }

    deinit { SecretArena.shared.giveBack(slot) }

    package func withBytes<R, E: Error>(_ body: (UnsafeRawBufferPointer) throws(E) -> R) throws(E)
        -> R
    {
        try body(UnsafeRawBufferPointer(start: slot.base, count: count))
    }

    /// For the C library's parameters.
    func withPointer<R>(_ body: (UnsafePointer<UInt8>) -> R) -> R {
        body(UnsafePointer(slot.base.assumingMemoryBound(to: UInt8.self)))
    }

    package func copy() -> Secret {
        Secret(copying: UnsafeRawBufferPointer(start: slot.base, count: count))
    }
}

extension [UInt8] {
    /// Overwrites the bytes in a way the compiler may not leave out, and empties the array.
    package mutating func wipe() {
        withUnsafeMutableBytes { if let base = $0.baseAddress { repo_wipe(base, $0.count) } }
        removeAll()
    }
}

/// The pages all secrets live in. One for the process: the kernel allows few locked pages, and
/// secrets are few.
package final class SecretArena: Sendable {
    static let slotBytes = 64
    package static let shared = SecretArena()

    struct Slot: @unchecked Sendable {
        // Owned by one Secret from `take` to `giveBack`; nobody else holds the address.
        let base: UnsafeMutableRawPointer
    }

    private struct State {
        var free: [UInt] = []
        var pages = 0
        var refusals = 0
    }

    private let state = Locked(State())
    private static let blockBytes = 16 << 10

    /// Whether the kernel refused to lock a page: secrets could then reach swap space.
    package var isUnlocked: Bool { state.with { $0.refusals > 0 } }

    func take() -> Slot {
        state.with { state in
            if state.free.isEmpty {
                guard let block = repo_secret_pages(Self.blockBytes) else {
                    fatalError("no memory left for keys")
                }
                if repo_lock_pages(block, Self.blockBytes) < 0 { state.refusals += 1 }
                state.pages += 1
                for offset in stride(from: 0, to: Self.blockBytes, by: Self.slotBytes) {
                    state.free.append(UInt(bitPattern: block + offset))
                }
            }
            return Slot(base: UnsafeMutableRawPointer(bitPattern: state.free.removeLast())!)
        }
    }

    func giveBack(_ slot: Slot) {
        repo_wipe(slot.base, Self.slotBytes)
        state.with { $0.free.append(UInt(bitPattern: slot.base)) }
    }
}
