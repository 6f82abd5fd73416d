import COpenSSL
import Sealing
import TestSupport
import Testing
import WireFormat

struct SealingVectorTests {
    @Test func `recovery keys are those of the vectors, and give their roots back`() throws {
        try checkVectors("recovery-key") {
            [("text", Array(RecoveryKey.text(of: secret($0["root"])).utf8))]
        }
        for vector in try VectorFile("recovery-key").cases {
            #expect(bytes(try RecoveryKey.root(of: vector["expected text"])) == vector["root"])
        }
    }

    @Test func `boxes and their intermediate values are those of the vectors, and open`() throws {
        try checkVectors("box") { vector in
            let (label, name) = (vector.text("label"), vector["name"])
            let prk = KeyDerivation.extract(salt: vector["salt"], secret(vector["key"]))
            let check = HMAC256(key: KeyDerivation.expand(prk, "repo box check v1" + label, name))
                .code(vector["plaintext"])
            let box = Box.seal(
                vector["plaintext"], key: secret(vector["key"]), label: label, name: name,
                salt: vector["salt"],
                associated: vector["associated"])
            return [
                ("prk", bytes(prk)), ("check", check),
                ("key", bytes(KeyDerivation.expand(prk, "repo box key v1" + label, name + check))),
                ("box", box),
            ]
        }
        for vector in try VectorFile("box").cases {
            let plaintext = try Box.open(
                vector["expected box"][...], key: secret(vector["key"]),
                label: vector.text("label"),
                name: vector["name"], associated: vector["associated"], what: vector.title)
            #expect(plaintext == vector["plaintext"])
        }
    }

    @Test
    func `envelopes, their intermediate values and messages are those of the vectors, and open`()
        throws
    {
        try checkVectors("envelope") { vector in
            let contentClass = try #require(ContentClass(rawValue: vector.byte("class")))
            let (stored, key) = try vector.envelope(contentClass)
            let ring = vector.keyring
            let publicKey = contentClass == .data ? ring.dataPublicKey : ring.listPublicKey
            var shared = [UInt8](repeating: 0, count: 32)
            #expect(repo_x25519(vector["ephemeral key"], publicKey, &shared) == 1)
            var material = shared + publicKey + bytes(try vector.keys.auth)
            let prk = KeyDerivation.extract(salt: vector["envelope salt"], moving: &material)
            let derived = KeyDerivation.expand(prk, "enc", key.headerHash)
            var made: [(name: String, value: [UInt8])] = [
                ("header", stored.header.bytes), ("shared", shared), ("prk", bytes(prk)),
                ("key", bytes(derived)),
                ("commit", stored.commitment),
            ]
            for (index, number) in messageNumbers(vector).enumerated() {
                let associated = key.associated(number, vector.all("context")[index])
                let plaintext = vector.all("plaintext")[index]
                let message = key.cipher().seal(number: number, associated: associated, plaintext)
                // The key that the file shows is the one that sealed.
                #expect(
                    MessageCipher(key: derived).open(
                        number: number, associated: associated, message) == plaintext)
                made.append(("message \(index)", message))
            }
            return made
        }
        for vector in try VectorFile("envelope").cases {
            var reader = ByteReader(
                vector["expected header"] + vector["expected commit"], what: vector.title)
            let key = try vector.opening(try StoredEnvelope(&reader))
            for (index, number) in messageNumbers(vector).enumerated() {
                let plaintext = key.cipher().open(
                    number: number,
                    associated: key.associated(number, vector.all("context")[index]),
                    vector["expected message \(index)"])
                #expect(plaintext == vector.all("plaintext")[index])
            }
        }
    }

    private func messageNumbers(_ vector: VectorCase) -> [UInt64] {
        vector.all("number").map { UInt64(number($0)) }
    }

    @Test func `ids of chunks are those of the vectors`() throws {
        try checkVectors("chunk-id") { vector in
            let isList = vector.byte("class") == 1
            let keys = DomainKeys(
                domain: 0, chunkIDs: secret(isList ? [1] : vector["key"]),
                cuts: secret([UInt8](repeating: 1, count: 16)),
                listIDs: secret(isList ? vector["key"] : [1]), index: secret([1]), auth: secret([1])
            )
            return [
                (
                    "id",
                    chunkName(vector["plaintext"], try keys.namer(ofClass: vector.byte("class")))
                )
            ]
        }
    }

    @Test func `checksums of streams are those of the vectors`() throws {
        try checkVectors("stream-checksum") { vector in
            let checksum = StreamChecksum(key: vector["key"])
            vector["stream"].withUnsafeBytes { checksum.update($0) }
            return [("code", checksum.finish())]
        }
    }

    @Test func `key slots are those of the vectors, and open with their secret`() throws {
        try checkVectors("key-slot") { vector in
            let bundle = try bundle(vector)
            var slot = try slot(vector)
            (slot.commitment, slot.ciphertext) = try SlotSealing.seal(
                Padding.pad(bundle), secret: secret(vector["secret"]), cost: cost(slot),
                salt: slot.salt,
                header: slot.header)
            return [
                ("bundle", bundle), ("header", slot.header), ("commitment", slot.commitment),
                ("object", slot.bytesBeforeHash + SHA256.hash(slot.bytesBeforeHash)),
            ]
        }
        for vector in try VectorFile("key-slot").cases {
            let (content, hash) = try KeySlot.split(vector["expected object"], what: vector.title)
            #expect(SHA256.hash(content) == hash)
            let slot = try KeySlot(content, what: vector.title)
            #expect(slot.header == vector["expected header"])
            let padded = try SlotSealing.open(
                commitment: slot.commitment, ciphertext: slot.ciphertext,
                secret: secret(vector["secret"]),
                cost: cost(slot), salt: slot.salt, header: slot.header)
            let place = try Padding.content(of: padded, what: vector.title)
            #expect(Array(padded[place]) == vector["expected bundle"])
            let bundle = try KeyBundle(padded, in: place, what: vector.title)
            #expect(bundle.kind == slot.kind)
            #expect(bundle.domain == vector.optionalBytes("domain").map { DomainID($0) })
            #expect(bundle.label == vector.optionalText("label"))
            for (name, key) in Self.keys {
                #expect(
                    bundle.keys[key].map { Array(padded[$0]) } == vector.optionalBytes(name),
                    "\(name)")
            }
            #expect(try Config(bundle.config).repository == slot.repository)
        }
    }

    private func cost(_ slot: KeySlot) -> ScryptCost {
        ScryptCost(log2N: slot.log2N, r: slot.r, p: slot.p)
    }

    private func slot(_ vector: VectorCase) throws -> KeySlot {
        let cost = vector["cost"]
        return KeySlot(
            secret: try #require(KeySlot.SecretKind(rawValue: vector.byte("secret kind"))),
            kind: try #require(KeySlot.KeyKind(rawValue: vector.byte("kind"))), log2N: cost[0],
            r: cost[1], p: cost[2],
            created: vector.signed("created"), repository: vector.id("repository"),
            id: vector.id("slot id"),
            salt: vector["salt"])
    }

    /// The names of the keys in the vectors.
    private static let keys: KeyValuePairs<String, KeyBundle.Key> = [
        "root": .root, "pkD": .dataPublicKey, "pkL": .listPublicKey, "pkP": .signingPublicKey,
        "skL": .listKey, "skP": .signingSeed, "structure root": .structureRoot, "K_id": .chunkIDs,
        "K_cut": .cuts, "K_list": .listIDs, "K_index": .index, "K_auth": .auth,
    ]

    private func bundle(_ vector: VectorCase) throws -> [UInt8] {
        var bytes = KeyBundle.blank(
            try #require(KeySlot.KeyKind(rawValue: vector.byte("kind"))), config: vector["config"],
            domain: vector.optionalBytes("domain").map { DomainID($0) },
            label: vector.optionalText("label"))
        let places = try KeyBundle(bytes, what: vector.title).keys
        for (name, key) in Self.keys {
            guard let value = vector.optionalBytes(name) else { continue }
            bytes.replaceSubrange(try #require(places[key]), with: value)
        }
        return bytes
    }

    @Test func `tombstones are those of the vectors, and signed`() throws {
        try checkVectors("tombstone") { vector in
            let tombstone = Tombstone(
                target: try #require(Tombstone.Target(rawValue: vector.byte("target"))),
                reason: Tombstone.Reason(rawValue: vector.byte("reason")),
                domain: vector.domain,
                id: vector.id("target id"), time: vector.signed("time"))
            let content = tombstone.bytesBeforeSignature
            return [
                ("object", content + (try vector.keyring.sign(Tombstone.signaturePrefix + content)))
            ]
        }
        for vector in try VectorFile("tombstone").cases {
            let (tombstone, signature) = try Tombstone.read(
                vector["expected object"], what: vector.title)
            #expect(
                tombstone.id == vector.id("target id") && tombstone.time == vector.signed("time"))
            #expect(
                vector.keyring.isSigned(
                    Tombstone.signaturePrefix + tombstone.bytesBeforeSignature, by: signature))
        }
    }

    @Test func `records are those of the vectors, signed, and open`() throws {
        try checkVectors("record") { vector in
            let fields = try recordFields(vector)
            let header = ObjectHeader(
                .record, detail: vector.byte("kind"), domain: vector.domain,
                id: vector.id("record id"))
            let content = try vector.sealed(header, Record.label, fields)
            return [
                ("fields", fields),
                ("object", content + (try vector.keyring.sign(Record.signaturePrefix + content))),
            ]
        }
        for vector in try VectorFile("record").cases {
            let object = vector["expected object"]
            let signed = Array(object.dropLast(Record.signatureBytes))
            #expect(
                vector.keyring.isSigned(
                    Record.signaturePrefix + signed, by: Array(object.suffix(64))))
            let (header, fields) = try vector.opened(signed, .record, Record.label)
            #expect(header.detail == vector.byte("kind"))
            #expect(try rewritten(fields, header.detail, vector.title) == fields)
        }
    }

    private func rewritten(_ fields: [UInt8], _ kind: UInt8, _ title: String) throws -> [UInt8] {
        switch Record.Kind(rawValue: kind) {
        case .forgotten: try ForgottenRecord(fields, what: title).bytes
        case .policy: try PolicyRecord(fields, what: title).bytes
        case .hold: try HoldRecord(fields, what: title).bytes
        case .acknowledgement: try AcknowledgementRecord(fields, what: title).bytes
        case .key: try KeyRecord(fields, what: title).bytes
        default: []
        }
    }

    private func recordFields(_ vector: VectorCase) throws -> [UInt8] {
        switch Record.Kind(rawValue: vector.byte("kind")) {
        case .policy: policy(vector).bytes
        case .hold: hold(vector).bytes
        case .acknowledgement:
            AcknowledgementRecord(
                series: vector.text("series"), domain: DomainID(vector["of domain"]),
                recorded: vector.signed("recorded"),
                snapshots: vector.all("snapshot").map { ObjectID($0) }
            ).bytes
        case .key:
            KeyRecord(
                slot: vector.id("slot"),
                kind: try #require(KeySlot.KeyKind(rawValue: vector.byte("slot kind"))),
                domain: vector.optionalBytes("slot domain").map { DomainID($0) },
                label: vector.optionalText("label"),
                created: vector.signed("created")
            ).bytes
        default:
            ForgottenRecord(
                snapshot: vector.id("snapshot"), writer: vector.id("writer"),
                sequence: vector.number("sequence"),
                series: vector.text("series"), time: vector.signed("time"),
                recorded: vector.signed("recorded"),
                reason: Tombstone.Reason(rawValue: vector.byte("reason"))
            ).bytes
        }
    }

    private func policy(_ vector: VectorCase) -> PolicyRecord {
        func count(_ name: String) -> UInt32 {
            vector.has(name) ? UInt32(number(vector[name])) : 0
        }
        var rules: RetentionRules?
        if vector.has("rules") {
            var given = RetentionRules()
            given.keepLast = count("last")
            given.keepHourly = count("hourly")
            given.keepDaily = count("daily")
            given.keepWeekly = count("weekly")
            given.keepMonthly = count("monthly")
            given.keepYearly = count("yearly")
            given.keepWithin = span(vector, "within")
            given.keepTags = vector.texts("tag")
            given.maxAge = span(vector, "max age")
            given.timezone = vector.optionalText("timezone")
            given.weekStart = vector.has("week start") ? vector.byte("week start") : 0
            given.byHost = vector.has("by host")
            given.expectEvery = span(vector, "expect every")
            rules = given
        }
        return PolicyRecord(
            pattern: vector.text("pattern"), version: vector.number("version"),
            recorded: vector.signed("recorded"), rules: rules)
    }

    private func hold(_ vector: VectorCase) -> HoldRecord {
        let term: HoldRecord.Term =
            vector.has("until")
            ? .until(vector.signed("until")) : span(vector, "age").map { .age($0) } ?? .forever
        return HoldRecord(
            name: vector.text("name"), recorded: vector.signed("recorded"),
            content: vector.optionalID("ends").map { .end(of: $0) }
                ?? .hold(patterns: vector.texts("pattern"), term: term),
            reason: vector.optionalText("reason"), source: vector.optionalText("source"))
    }

    private func span(_ vector: VectorCase, _ name: String) -> CalendarSpan? {
        vector.optionalBytes(name).flatMap { value in
            CalendarSpan.Unit(rawValue: value[0]).map {
                CalendarSpan(UInt32(number(value.dropFirst())), $0)
            }
        }
    }
}

func chunkName(_ plaintext: [UInt8], _ namer: borrowing ChunkNamer) -> [UInt8] {
    var result = [UInt8](repeating: 0, count: 32)
    plaintext.withUnsafeBytes { namer.name($0, into: &result) }
    return Array(result.prefix(ChunkNamer.nameBytes))
}
