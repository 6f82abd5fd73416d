import COpenSSL

/// SHA-256 of bytes that arrive in parts.
package struct SHA256: ~Copyable {
    private let context: OpaquePointer

    package init() {
        guard let context = EVP_MD_CTX_new(), EVP_DigestInit_ex(context, EVP_sha256(), nil) == 1
        else {
            fatalError("the cryptographic library has no SHA-256")
        }
        self.context = context
    }

    deinit { EVP_MD_CTX_free(context) }

    package func update(_ bytes: UnsafeRawBufferPointer) {
        let done = EVP_DigestUpdate(context, bytes.baseAddress, bytes.count)
        precondition(done == 1, "SHA-256 cannot fail once begun")
    }

    package func update(_ bytes: [UInt8]) { bytes.withUnsafeBytes { update($0) } }

    /// The 32 bytes; the value is used up.
    package consuming func finish() -> [UInt8] {
        [UInt8](unsafeUninitializedCapacity: 32) { buffer, count in
            let done = EVP_DigestFinal_ex(context, buffer.baseAddress, nil)
            precondition(done == 1, "SHA-256 cannot fail once begun")
            count = 32
        }
    }

    package static func hash(_ parts: [UInt8]...) -> [UInt8] {
        let hash = SHA256()
        for part in parts { hash.update(part) }
        return hash.finish()
    }

    package static func hash(_ bytes: UnsafeRawBufferPointer) -> [UInt8] {
        let hash = SHA256()
        hash.update(bytes)
        return hash.finish()
    }
}

/// MD5, for stores that want it beside a body. It proves nothing.
package enum MD5 {
    package static func hash(_ bytes: UnsafeRawBufferPointer) -> [UInt8] {
        [UInt8](unsafeUninitializedCapacity: 16) { buffer, count in
            let done = EVP_Digest(
                bytes.baseAddress, bytes.count, buffer.baseAddress, nil, EVP_md5(), nil)
            precondition(done == 1, "the cryptographic library has MD5")
            count = 16
        }
    }
}

/// HMAC-SHA-256 under one key, for many messages.
package struct HMAC256: ~Copyable {
    private let context: OpaquePointer

    package init(key: borrowing Secret) {
        guard let context = repo_mac_new("HMAC"),
            key.withPointer({ repo_hmac_init(context, $0, key.count) }) == 1
        else { fatalError("the cryptographic library has no HMAC-SHA-256") }
        self.context = context
    }

    deinit { EVP_MAC_CTX_free(context) }

    /// Writes the 32 bytes of the code of `first | second` to `result`.
    package func code(
        _ first: UnsafeRawBufferPointer, _ second: UnsafeRawBufferPointer,
        into result: UnsafeMutablePointer<UInt8>
    ) {
        var count = 0
        let done =
            repo_hmac_restart(context) == 1
            && EVP_MAC_update(
                context, first.baseAddress?.assumingMemoryBound(to: UInt8.self), first.count) == 1
            && EVP_MAC_update(
                context, second.baseAddress?.assumingMemoryBound(to: UInt8.self), second.count) == 1
            && EVP_MAC_final(context, result, &count, 32) == 1
        precondition(done && count == 32, "HMAC-SHA-256 cannot fail once begun")
    }

    package func code(_ bytes: [UInt8]) -> [UInt8] {
        [UInt8](unsafeUninitializedCapacity: 32) { buffer, count in
            bytes.withUnsafeBytes {
                code($0, UnsafeRawBufferPointer(start: nil, count: 0), into: buffer.baseAddress!)
            }
            count = 32
        }
    }
}

/// Poly1305 of a whole stream under a one-time key: a check that shares nothing with the chunk ids.
package struct StreamChecksum: ~Copyable {
    package static let keyBytes = 32
    package static let codeBytes = 16
    private let context: OpaquePointer

    /// - Parameter key: 32 random bytes, used for this stream only.
    package init(key: [UInt8]) {
        precondition(key.count == Self.keyBytes, "a one-time key has 32 bytes")
        guard let context = repo_mac_new("POLY1305"), repo_poly1305_init(context, key) == 1 else {
            fatalError("the cryptographic library has no Poly1305")
        }
        self.context = context
    }

    deinit { EVP_MAC_CTX_free(context) }

    package func update(_ bytes: UnsafeRawBufferPointer) {
        let done = EVP_MAC_update(
            context, bytes.baseAddress?.assumingMemoryBound(to: UInt8.self), bytes.count)
        precondition(done == 1, "Poly1305 cannot fail once begun")
    }

    /// The 16 bytes; the value is used up.
    package consuming func finish() -> [UInt8] {
        [UInt8](unsafeUninitializedCapacity: Self.codeBytes) { buffer, count in
            let done = EVP_MAC_final(context, buffer.baseAddress, &count, Self.codeBytes)
            precondition(done == 1, "Poly1305 cannot fail once begun")
        }
    }
}

/// Compares in a time that does not depend on where the bytes differ.
package func equalInConstantTime(_ a: [UInt8], _ b: [UInt8]) -> Bool {
    a.count == b.count && CRYPTO_memcmp(a, b, a.count) == 0
}
