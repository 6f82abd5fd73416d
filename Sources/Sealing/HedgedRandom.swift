/// Draws names, salts and ephemeral keys that do not repeat even where the generator does: each
/// draw mixes randomness with time, process, boot and what is to be sealed under a key that only
/// holders of the domain have.
package struct HedgedRandom: Sendable {
    private let randomBytes: @Sendable (Int) throws -> [UInt8]
    private let surroundings: @Sendable () -> [UInt8]

    /// - Parameters:
    ///   - randomBytes: the kernel's generator, or a seeded one in tests.
    ///   - surroundings: bytes that differ between machines, boots, processes and moments.
    package init(
        randomBytes: @escaping @Sendable (Int) throws -> [UInt8],
        surroundings: @escaping @Sendable () -> [UInt8]
    ) {
        self.randomBytes = randomBytes
        self.surroundings = surroundings
    }

    /// `count` bytes, at most 32.
    package func draw(
        _ label: String, count: Int = 32, key: borrowing Secret, mixing plaintext: [UInt8] = []
    ) throws -> [UInt8] {
        var drawn = try randomBytes(32)
        let (surroundings, hash) = (surroundings(), SHA256.hash(plaintext))
        // What is drawn may become a key: it must not stay in memory that nobody wipes.
        var input: [UInt8] = []
        input.reserveCapacity(label.utf8.count + 1 + drawn.count + surroundings.count + hash.count)
        input += label.utf8
        input += CollectionOfOne(0)
        for part in [drawn, surroundings, hash] { input += part }
        var code = HMAC256(key: key).code(input)
        drawn.wipe()
        input.wipe()
        code.removeLast(code.count - count)
        return code
    }

    /// `count` bytes straight from the generator: where no domain key is at hand yet, and for
    /// padding.
    package func plain(_ count: Int) throws -> [UInt8] { try randomBytes(count) }
}
