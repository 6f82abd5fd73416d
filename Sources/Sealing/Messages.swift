import COpenSSL

/// AES-256-GCM under one key. One a worker: it is not shared between threads.
package struct MessageCipher: ~Copyable {
    package static let tagBytes = 16
    private let context: OpaquePointer

    package init(key: borrowing Secret) {
        precondition(key.count == 32, "an AES-256 key has 32 bytes")
        guard let context = key.withPointer({ repo_gcm_new($0) }) else {
            fatalError("the cryptographic library has no AES-256-GCM")
        }
        self.context = context
    }

    deinit { EVP_CIPHER_CTX_free(context) }

    /// Seals `plaintext` into `result`, which has 16 bytes more.
    /// - Parameter number: the message's number under this key, never used twice; the nonce is `0^4
    ///   | number`.
    package func seal(
        number: UInt64, associated: [UInt8], _ plaintext: UnsafeRawBufferPointer,
        into result: UnsafeMutableRawBufferPointer
    ) {
        precondition(
            result.count == plaintext.count + Self.tagBytes, "a sealed message is 16 bytes longer")
        let out = result.bytePointer
        let done =
            begin(number, encrypting: true) && addAssociated(associated)
            && transform(plaintext, out)
            && finish(out + plaintext.count) && repo_gcm_tag(context, out + plaintext.count) == 1
        precondition(done, "AES-256-GCM cannot fail to seal")
    }

    /// Opens a sealed message into `result`, which has 16 bytes less. False where it was changed;
    /// then `result` holds nothing that may be used.
    package func open(
        number: UInt64, associated: [UInt8], _ sealed: UnsafeRawBufferPointer,
        into result: UnsafeMutableRawBufferPointer
    ) -> Bool {
        guard sealed.count >= Self.tagBytes, result.count == sealed.count - Self.tagBytes else {
            return false
        }
        let tag = sealed.baseAddress!.assumingMemoryBound(to: UInt8.self) + result.count
        var last: [UInt8] = [UInt8](repeating: 0, count: 16)
        let out = result.count > 0 ? result.bytePointer : nil
        let opened =
            begin(number, encrypting: false) && addAssociated(associated)
            && (out == nil
                || transform(UnsafeRawBufferPointer(rebasing: sealed[..<result.count]), out!))
            && repo_gcm_expect_tag(context, tag) == 1
            && last.withUnsafeMutableBytes { finish($0.bytePointer) }
        if !opened, let base = result.baseAddress { OPENSSL_cleanse(base, result.count) }
        return opened
    }

    private func begin(_ number: UInt64, encrypting: Bool) -> Bool {
        var nonce: (UInt32, UInt32, UInt32) = (
            0, UInt32(truncatingIfNeeded: number).littleEndian,
            UInt32(truncatingIfNeeded: number >> 32).littleEndian
        )
        return withUnsafeBytes(of: &nonce) {
            repo_gcm_begin(
                context, $0.baseAddress!.assumingMemoryBound(to: UInt8.self), encrypting ? 1 : 0)
                == 1
        }
    }

    private func addAssociated(_ bytes: [UInt8]) -> Bool {
        var count: Int32 = 0
        return bytes.isEmpty
            || EVP_CipherUpdate(context, nil, &count, bytes, Int32(bytes.count)) == 1
    }

    private func transform(_ bytes: UnsafeRawBufferPointer, _ out: UnsafeMutablePointer<UInt8>)
        -> Bool
    {
        guard let base = bytes.baseAddress, bytes.count > 0 else { return true }
        var count: Int32 = 0
        return EVP_CipherUpdate(
            context, out, &count, base.assumingMemoryBound(to: UInt8.self), Int32(bytes.count)) == 1
            && count == bytes.count
    }

    private func finish(_ out: UnsafeMutablePointer<UInt8>) -> Bool {
        var count: Int32 = 0
        return EVP_CipherFinal_ex(context, out, &count) == 1
    }
}

extension MessageCipher {
    package func seal(number: UInt64 = 0, associated: [UInt8], _ plaintext: [UInt8]) -> [UInt8] {
        [UInt8](unsafeUninitializedCapacity: plaintext.count + Self.tagBytes) { buffer, count in
            plaintext.withUnsafeBytes {
                seal(
                    number: number, associated: associated, $0,
                    into: UnsafeMutableRawBufferPointer(
                        start: buffer.baseAddress, count: plaintext.count + Self.tagBytes))
            }
            count = plaintext.count + Self.tagBytes
        }
    }

    /// Nil where the message was changed.
    package func open(number: UInt64 = 0, associated: [UInt8], _ sealed: [UInt8]) -> [UInt8]? {
        guard sealed.count >= Self.tagBytes else { return nil }
        var opened = false
        let plaintext = [UInt8](unsafeUninitializedCapacity: max(1, sealed.count - Self.tagBytes)) {
            buffer, count in
            opened = sealed.withUnsafeBytes {
                open(
                    number: number, associated: associated, $0,
                    into: UnsafeMutableRawBufferPointer(
                        start: buffer.baseAddress, count: sealed.count - Self.tagBytes))
            }
            count = opened ? sealed.count - Self.tagBytes : 0
        }
        return opened ? plaintext : nil
    }
}
