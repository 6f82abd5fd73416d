import CLinux
import Files
import PackStore
import Sealing
import Synchronization
import WireFormat

/// Keys of the envelopes that a write key sealed on this machine, in a file of the cache.
///
/// A write key can open nothing that is stored. To make a delta against last night it must: so it
/// keeps the keys of what it sealed itself. Whoever takes over the host can read with them what the
/// host wrote lately, which it could read on the host itself; what others wrote stays closed. Each
/// is sealed by a key made of a secret of this machine and one of the write key: the file alone, or
/// the key alone, opens nothing.
///
/// A file of records: `envelope id (16) | box of the secret (112)`. All of it may be lost.
final class KeptEnvelopes: EnvelopeKeys {
    private let path: Path
    private let calls: SystemCalls
    private let randomBytes: @Sendable (Int) throws -> [UInt8]
    private let cacheKey: Secret
    private let records: Mutex<[ObjectID: [UInt8]]>

    private static let recordBytes = ObjectID.byteCount + Box.overhead + 32
    /// Keys of a terabyte and more of packs; beyond, the older half is forgotten.
    private static let bytesMax = 16 << 20
    private static let label = "kept envelope"

    /// - Parameters:
    ///   - machineSecret: 32 bytes that stay on this machine.
    ///   - auth: the domain's K_auth.
    init(
        _ path: Path, machineSecret: inout [UInt8], auth: borrowing Secret, calls: SystemCalls,
        randomBytes: @escaping @Sendable (Int) throws -> [UInt8]
    ) throws {
        self.path = path
        self.calls = calls
        self.randomBytes = randomBytes
        cacheKey = KeyDerivation.extract(salt: machineSecret, auth)
        machineSecret.wipe()
        records = Mutex(try Self.load(path, calls, randomBytes))
    }

    func key(of envelope: StoredEnvelope) -> EnvelopeKey? {
        let id = envelope.header.id
        guard let box = records.withLock({ $0[id] }),
            var secret = try? Box.open(
                box[...], key: cacheKey, label: Self.label, name: id.bytes, associated: [],
                what: "a kept key"), secret.count == 32
        else { return nil }
        return try? EnvelopeKey(
            kept: Secret(moving: &secret), header: envelope.header.bytes,
            commitment: envelope.commitment)
    }

    func keep(_ key: EnvelopeKey, of envelope: StoredEnvelope) {
        guard let salt = try? randomBytes(32) else { return }
        let id = envelope.header.id
        var secret = key.withSecret { Array($0) }
        let box = Box.seal(
            secret, key: cacheKey, label: Self.label, name: id.bytes, salt: salt, associated: [])
        secret.wipe()
        records.withLock { $0[id] = box }
        // One write: records of several processes stand whole, one after the other.
        guard
            let file = try? Descriptor(
                path, flags: repo_append_flags(), mode: 0o600, calls: calls, action: "write to")
        else { return }
        try? (id.bytes + box).withUnsafeBytes { try file.write($0) }
    }

    private static func load(
        _ path: Path, _ calls: SystemCalls, _ randomBytes: @Sendable (Int) throws -> [UInt8]
    ) throws -> [ObjectID: [UInt8]] {
        let directories = Directories(calls)
        guard try directories.status(path) != nil else { return [:] }
        var bytes = try directories.contents(of: path, limit: 4 * bytesMax)
        let isTorn = bytes.count % recordBytes != 0
        bytes.removeLast(bytes.count % recordBytes)
        if isTorn || bytes.count > bytesMax {
            bytes.removeFirst(max(0, bytes.count - bytesMax / 2) / recordBytes * recordBytes)
            let temporary = Path("\(path).\(hexadecimal(try randomBytes(8)))")
            try directories.replace(path, with: bytes, through: temporary)
        }
        var records: [ObjectID: [UInt8]] = [:]
        for start in stride(from: 0, to: bytes.count, by: recordBytes) {
            let record = bytes[start..<(start + recordBytes)]
            records[ObjectID(Array(record.prefix(ObjectID.byteCount)))] = Array(
                record.dropFirst(ObjectID.byteCount))
        }
        return records
    }
}
