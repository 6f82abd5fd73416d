import CLinux
import Files
import Sealing
import WireFormat

/// Reads secrets from descriptors into memory that is wiped, and nowhere else.
struct SecretReader {
    let calls: SystemCalls

    /// The password in the first line.
    /// - Parameter source: how people know it, for messages.
    func password(_ descriptor: borrowing Descriptor, source: String) throws -> Secret {
        // One byte more than a password can have, and the end of its line.
        try read(descriptor, atMost: Limits.passwordBytes + 3, untilLineEnd: true) { bytes in
            try Self.password(bytes, source: source)
        }
    }

    func password(in path: Path) throws -> Secret {
        try password(Descriptor(reading: path, calls: calls), source: "\(path)")
    }

    /// The 32 bytes of a key file.
    func key(in path: Path) throws -> Secret {
        let file = try Descriptor(reading: path, calls: calls)
        return try read(file, atMost: Self.keyBytes + 1, untilLineEnd: false) { bytes in
            guard bytes.count == Self.keyBytes else {
                let count = try max(bytes.count, Int(file.status().st_size))
                throw CredentialError.notAKeyFile("\(path)", byteCount: count)
            }
            return Secret(copying: bytes)
        }
    }

    /// The root key that a recovery key spells.
    func recoveryKey(in path: Path) throws -> Secret {
        try read(Descriptor(reading: path, calls: calls), atMost: 4096, untilLineEnd: false) {
            bytes in
            var text = Array(bytes)
            defer { text.wipe() }
            do throws(SealingError) {
                return try RecoveryKey.root(of: text)
            } catch {
                let why = error.message.replacing("the recovery key: ", with: "").replacing(
                    " is malformed", with: "")
                throw CredentialError.badRecoveryKey("\(path)", why: why)
            }
        }
    }

    static let keyBytes = 32

    /// A password out of a line of input: without its end, not empty, not too long.
    static func password(_ input: UnsafeRawBufferPointer, source: String) throws(CredentialError)
        -> Secret
    {
        let length = input.firstIndex(of: UInt8(ascii: "\n")) ?? input.count
        var line = UnsafeRawBufferPointer(rebasing: input[..<length])
        while line.last == UInt8(ascii: "\r") {
            line = UnsafeRawBufferPointer(rebasing: line.dropLast())
        }
        guard !line.isEmpty else { throw .empty(source) }
        guard line.count <= Limits.passwordBytes else { throw .tooLong(source) }
        return secret(ofPassword: line)
    }

    /// Secrets have room for 64 bytes. Passwords serve as keys of HMAC-SHA-256 inside scrypt (RFC
    /// 7914, RFC 8018), which by its definition (RFC 2104) takes a key longer than 64 bytes for its
    /// SHA-256: the same key either way.
    private static func secret(ofPassword line: UnsafeRawBufferPointer) -> Secret {
        guard line.count > 64 else { return Secret(copying: line) }
        var hash = SHA256.hash(line)
        return Secret(moving: &hash)
    }

    private func read(
        _ descriptor: borrowing Descriptor, atMost limit: Int, untilLineEnd: Bool,
        _ body: (UnsafeRawBufferPointer) throws -> Secret
    ) throws -> Secret {
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: limit, alignment: 16)
        defer {
            repo_wipe(buffer.baseAddress!, limit)
            buffer.deallocate()
        }
        var count = 0
        while count < limit {
            let got = try descriptor.read(
                into: UnsafeMutableRawBufferPointer(rebasing: buffer[count...]))
            if got == 0 { break }
            count += got
            if untilLineEnd && buffer[..<count].contains(UInt8(ascii: "\n")) { break }
        }
        return try body(UnsafeRawBufferPointer(rebasing: buffer[..<count]))
    }
}
