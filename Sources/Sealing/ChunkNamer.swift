import COpenSSL

/// Names chunks: the first 24 bytes of HMAC-SHA-256 of class and plaintext (docs/format.md, section
/// 9).
package struct ChunkNamer: ~Copyable {
    package static let nameBytes = 24
    private let code: HMAC256
    private let contentClass: UInt8

    init(key: borrowing Secret, contentClass: UInt8) {
        code = HMAC256(key: key)
        self.contentClass = contentClass
    }

    /// Writes 32 bytes to `result`, of which the first 24 are the name.
    package func name(_ plaintext: UnsafeRawBufferPointer, into result: UnsafeMutablePointer<UInt8>)
    {
        withUnsafeBytes(of: contentClass) { code.code($0, plaintext, into: result) }
    }
}

/// Gives candidates for cuts their values: AES-128 CBC-MAC of the 64 bytes before (docs/format.md,
/// section 14).
///
/// The blocks of all candidates of a batch are enciphered together, four calls in all: one call a
/// candidate would cost fifty times as much.
package struct CutDecider: ~Copyable {
    package static let windowBytes = 64
    private let cipher: OpaquePointer
    /// The blocks being enciphered, 16 bytes a candidate.
    private var blocks: UnsafeMutableBufferPointer<UInt64>

    init(key: borrowing Secret) {
        guard let cipher = key.withPointer({ repo_aes128_blocks_new($0) }) else {
            fatalError("the cryptographic library has no AES-128")
        }
        self.cipher = cipher
        blocks = .allocate(capacity: 2 * 4096)
    }

    deinit {
        EVP_CIPHER_CTX_free(cipher)
        blocks.deallocate()
    }

    /// Values of candidates.
    /// - Parameters:
    ///   - positions: offsets from `bytes`; the 64 bytes before each must be readable.
    ///   - values: receives one value a position.
    package mutating func decide(
        _ bytes: UnsafePointer<UInt8>, positions: UnsafeBufferPointer<Int32>,
        values: UnsafeMutablePointer<UInt32>
    ) {
        let count = positions.count
        guard count > 0 else { return }
        if blocks.count < 2 * count {
            blocks.deallocate()
            blocks = .allocate(capacity: 2 * count)
        }
        // In bounds: room for two words a candidate was made above, and every load stays in the
        // window before it.
        let state = blocks.baseAddress!
        for index in 0..<count {
            let window = UnsafeRawPointer(bytes + Int(positions[index]) - 64)
            state[2 * index] = window.loadUnaligned(as: UInt64.self)
            state[2 * index + 1] = window.loadUnaligned(fromByteOffset: 8, as: UInt64.self)
        }
        encipher(state, count)
        for block in 1..<4 {
            for index in 0..<count {
                let window = UnsafeRawPointer(bytes + Int(positions[index]) - 64 + 16 * block)
                state[2 * index] ^= window.loadUnaligned(as: UInt64.self)
                state[2 * index + 1] ^= window.loadUnaligned(fromByteOffset: 8, as: UInt64.self)
            }
            encipher(state, count)
        }
        for index in 0..<count {
            values[index] = UInt32(truncatingIfNeeded: UInt64(littleEndian: state[2 * index]))
        }
    }

    private func encipher(_ state: UnsafeMutablePointer<UInt64>, _ count: Int) {
        var written: Int32 = 0
        state.withMemoryRebound(to: UInt8.self, capacity: count * 16) {
            let done = EVP_EncryptUpdate(cipher, $0, &written, $0, Int32(count * 16))
            precondition(done == 1 && written == count * 16, "AES cannot fail on whole blocks")
        }
    }
}
