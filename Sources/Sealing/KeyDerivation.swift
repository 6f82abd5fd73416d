import COpenSSL

/// HKDF-SHA-256 (RFC 5869), its two halves apart.
package enum KeyDerivation {
    /// The pseudo-random key of input key material.
    package static func extract(salt: [UInt8], _ material: borrowing Secret) -> Secret {
        Secret(count: 32) { result in
            let done = material.withPointer {
                repo_hkdf_extract(salt, salt.count, $0, material.count, result.bytePointer)
            }
            precondition(done == 1, "HKDF cannot fail on keys of this size")
        }
    }

    /// The same for material that is put together from several parts; `material` is wiped.
    package static func extract(salt: [UInt8], moving material: inout [UInt8]) -> Secret {
        let prk = Secret(count: 32) { result in
            let done = repo_hkdf_extract(
                salt, salt.count, material, material.count, result.bytePointer)
            precondition(done == 1, "HKDF cannot fail on keys of this size")
        }
        material.wipe()
        return prk
    }

    /// `count` bytes for a purpose.
    package static func expand(
        _ prk: borrowing Secret, _ label: String, _ info: [UInt8] = [], count: Int = 32
    ) -> Secret {
        Secret(count: count) { result in
            let info = Array(label.utf8) + info
            let done = prk.withPointer {
                repo_hkdf_expand($0, info, info.count, result.bytePointer, count)
            }
            precondition(done == 1, "HKDF cannot fail on keys of this size")
        }
    }
}

extension UnsafeMutableRawBufferPointer {
    var bytePointer: UnsafeMutablePointer<UInt8> {
        baseAddress!.assumingMemoryBound(to: UInt8.self)
    }
}
