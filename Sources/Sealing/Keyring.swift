import COpenSSL

/// The keys somebody holds, and what can be derived from them (docs/format.md, section 3).
///
/// A class: one set of secrets, shared by everything that seals or opens; immutable once made.
package final class Keyring: Sendable {
    package enum Kind: UInt8, Sendable {
        case full = 1
        case write = 2
        case maintain = 3
    }

    package let kind: Kind
    /// Public keys, 32 bytes each: data segments, lists and manifests, signatures.
    package let dataPublicKey: [UInt8]
    package let listPublicKey: [UInt8]
    package let signingPublicKey: [UInt8]
    /// Of a full key: 16 bytes that tell its root from another one and say nothing else of it.
    package let rootCheck: [UInt8]?
    /// The one domain of a write key.
    package let writeDomain: DomainKeys?

    private let root: Secret?
    private let dataKey: Secret?
    private let listKey: Secret?
    private let signingSeed: Secret?
    private let idsRoot: Secret?
    private let structureRoot: Secret?
    /// What decides cuts in domain 0 in place of the key of its own; 16 bytes.
    private let sharedCuts: Secret?

    /// All keys, from the root of 32 bytes.
    /// - Parameter sharedCuts: decides cuts in domain 0 as another repository does.
    package init(root: consuming Secret, sharedCuts: consuming Secret? = nil) {
        precondition(root.count == 32, "a root key has 32 bytes")
        let prk = KeyDerivation.extract(salt: Array("repo root v1".utf8), root)
        let dataKey = KeyDerivation.expand(prk, "data key")
        let listKey = KeyDerivation.expand(prk, "list key")
        let seed = KeyDerivation.expand(prk, "record key")
        dataPublicKey = derivedPublicKey(of: dataKey, repo_x25519_public)
        listPublicKey = derivedPublicKey(of: listKey, repo_x25519_public)
        signingPublicKey = derivedPublicKey(of: seed, repo_ed25519_public)
        kind = .full
        writeDomain = nil
        rootCheck = KeyDerivation.expand(prk, "root check", count: 16).withBytes { Array($0) }
        idsRoot = KeyDerivation.expand(prk, "ids")
        structureRoot = KeyDerivation.expand(prk, "structure")
        self.sharedCuts = consume sharedCuts
        self.dataKey = consume dataKey
        self.listKey = consume listKey
        signingSeed = consume seed
        self.root = consume root
    }

    /// What a host needs to add to a domain of its own; it opens no data segment.
    package init(writing domain: DomainKeys, data: [UInt8], list: [UInt8], signing: [UInt8]) {
        kind = .write
        rootCheck = nil
        writeDomain = domain
        dataPublicKey = data
        listPublicKey = list
        signingPublicKey = signing
        root = nil
        dataKey = nil
        listKey = nil
        signingSeed = nil
        idsRoot = nil
        structureRoot = nil
        sharedCuts = nil
    }

    /// What retention, prune and the structural check need; it opens no data segment.
    package init(
        maintaining listKey: consuming Secret, signingSeed: consuming Secret,
        structureRoot: consuming Secret,
        data: [UInt8]
    ) {
        kind = .maintain
        rootCheck = nil
        writeDomain = nil
        dataPublicKey = data
        listPublicKey = derivedPublicKey(of: listKey, repo_x25519_public)
        signingPublicKey = derivedPublicKey(of: signingSeed, repo_ed25519_public)
        root = nil
        dataKey = nil
        idsRoot = nil
        sharedCuts = nil
        self.listKey = consume listKey
        self.signingSeed = consume signingSeed
        self.structureRoot = consume structureRoot
    }

    package var opensData: Bool { kind == .full }
    package var opensLists: Bool { kind != .write }
    package var signs: Bool { kind != .write }

    /// The keys of a domain, as far as this holder has them; nil for a write key and another domain
    /// than its own.
    /// - Parameter domain: 8 bytes, as a little-endian number.
    package func keys(of domain: UInt64) -> DomainKeys? {
        if let writeDomain { return writeDomain.domain == domain ? writeDomain : nil }
        return DomainKeys(
            domain: domain, ids: idsRoot, structure: structureRoot,
            cuts: domain == 0 && sharedCuts != nil ? sharedCuts!.copy() : nil)
    }

    /// The secret half for a class of envelopes: 0 data, 1 list.
    func withSecretKey<R>(ofClass contentClass: UInt8, _ body: (borrowing Secret) throws -> R)
        throws -> R
    {
        if contentClass == 0, dataKey != nil { return try body(dataKey!) }
        if contentClass == 1, listKey != nil { return try body(listKey!) }
        throw SealingError.lacksKey(
            contentClass == 0 ? "open stored data" : "open manifests and lists")
    }

    func publicKey(ofClass contentClass: UInt8) -> [UInt8] {
        contentClass == 0 ? dataPublicKey : listPublicKey
    }

    /// Signs with the record key; 64 bytes.
    package func sign(_ message: [UInt8]) throws(SealingError) -> [UInt8] {
        guard signingSeed != nil else { throw .lacksKey("sign tombstones and records") }
        var signature = [UInt8](repeating: 0, count: 64)
        let done = signingSeed!.withPointer {
            repo_ed25519_sign($0, message, message.count, &signature)
        }
        guard done == 1 else { throw .library("Ed25519 signature") }
        return signature
    }

    package func isSigned(_ message: [UInt8], by signature: [UInt8]) -> Bool {
        signature.count == 64
            && repo_ed25519_verify(signingPublicKey, message, message.count, signature) == 1
    }

    /// The root of a full key, in the clear for a moment: for key slots and the recovery key.
    package func withRoot<R: ~Copyable>(_ body: (borrowing Secret) throws -> R) throws -> R {
        guard root != nil else { throw SealingError.lacksKey("make keys") }
        return try body(root!)
    }

    /// What a maintain key consists of, for its slot: (list key, signing seed, structure root).
    package func withMaintainSecrets<R>(
        _ body: (borrowing Secret, borrowing Secret, borrowing Secret) throws -> R
    ) throws -> R {
        guard listKey != nil, signingSeed != nil, structureRoot != nil else {
            throw SealingError.lacksKey("make keys")
        }
        return try body(listKey!, signingSeed!, structureRoot!)
    }
}

/// The keys of one domain. A maintain key has no part in the first two.
package final class DomainKeys: Sendable {
    package let domain: UInt64
    /// Names data chunks.
    package let chunkIDs: Secret?
    /// Decides cuts; 16 bytes.
    package let cuts: Secret?
    /// Names list chunks.
    package let listIDs: Secret
    /// Seals directories, index objects, heads and records.
    package let index: Secret
    /// Mixed into every envelope.
    package let auth: Secret

    /// - Parameter cuts: in place of the domain's own.
    fileprivate init?(
        domain: UInt64, ids: borrowing Secret?, structure: borrowing Secret?,
        cuts: consuming Secret?
    ) {
        guard structure != nil else { return nil }
        let salt = Array("repo domain v1".utf8)
        let name = withUnsafeBytes(of: domain.littleEndian) { Array($0) }
        let prk = KeyDerivation.extract(salt: salt, structure!)
        self.domain = domain
        listIDs = KeyDerivation.expand(prk, "list ids", name)
        index = KeyDerivation.expand(prk, "index", name)
        auth = KeyDerivation.expand(prk, "auth", name)
        if ids != nil {
            let prk = KeyDerivation.extract(salt: salt, ids!)
            chunkIDs = KeyDerivation.expand(prk, "chunk ids", name)
            if let other = cuts.take() {
                self.cuts = consume other
            } else {
                self.cuts = KeyDerivation.expand(prk, "cut", name, count: 16)
            }
        } else {
            chunkIDs = nil
            self.cuts = nil
        }
    }

    /// The five keys as a write key's slot holds them.
    package init(
        domain: UInt64, chunkIDs: consuming Secret, cuts: consuming Secret,
        listIDs: consuming Secret,
        index: consuming Secret, auth: consuming Secret
    ) {
        self.domain = domain
        self.chunkIDs = consume chunkIDs
        self.cuts = consume cuts
        self.listIDs = listIDs
        self.index = index
        self.auth = auth
    }

    /// A namer of chunks of class 0 (data) or 1 (list), one a worker.
    package func namer(ofClass contentClass: UInt8) throws(SealingError) -> ChunkNamer {
        if contentClass == 1 { return ChunkNamer(key: listIDs, contentClass: 1) }
        guard chunkIDs != nil else { throw .lacksKey("name data chunks") }
        return ChunkNamer(key: chunkIDs!, contentClass: 0)
    }

    /// A decider of cuts, one a stream.
    package func cutDecider() throws(SealingError) -> CutDecider {
        guard cuts != nil else { throw .lacksKey("cut streams") }
        return CutDecider(key: cuts!)
    }
}

private func derivedPublicKey(
    of secret: borrowing Secret,
    _ derive: (UnsafePointer<UInt8>?, UnsafeMutablePointer<UInt8>?) -> Int32
) -> [UInt8] {
    var key = [UInt8](repeating: 0, count: 32)
    let done = secret.withPointer { derive($0, &key) }
    precondition(done == 1, "every 32 bytes are a private key")
    return key
}
