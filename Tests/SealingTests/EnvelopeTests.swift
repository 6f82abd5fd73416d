import Sealing
import TestSupport
import Testing

struct EnvelopeTests {
    private let header = block(20, 104)
    private let salt = block(21)
    private let ephemeral = block(22)

    private func sealing(_ contentClass: UInt8, _ ring: Keyring, auth: UInt8 = 30) throws
        -> EnvelopeKey
    {
        try EnvelopeKey(
            sealing: contentClass, keyring: ring, auth: secret(block(auth)),
            ephemeral: secret(ephemeral),
            header: header, salt: salt)
    }

    private func opening(
        _ contentClass: UInt8, _ ring: Keyring, auth: UInt8 = 30, header: [UInt8]? = nil,
        salt: [UInt8]? = nil,
        ephemeralPublic: [UInt8]? = nil, commitment: [UInt8]
    ) throws -> EnvelopeKey {
        try EnvelopeKey(
            opening: contentClass, keyring: ring, auth: secret(block(auth)),
            ephemeralPublic: ephemeralPublic
                ?? EnvelopeKey.publicKey(ofEphemeral: secret(ephemeral)),
            header: header ?? self.header, salt: salt ?? self.salt, commitment: commitment)
    }

    private func doesNotOpen(_ error: any Error) -> Bool {
        if case SealingError.doesNotOpen = error { true } else { false }
    }

    private func lacksKey(_ error: any Error) -> Bool {
        if case SealingError.lacksKey = error { true } else { false }
    }

    @Test func `a kept key opens its own envelope and no other`() throws {
        let sealer = try sealing(0, keyring())
        func kept(_ commitment: [UInt8]) throws -> EnvelopeKey {
            try EnvelopeKey(
                kept: secret(sealer.withSecret { Array($0) }), header: header,
                commitment: commitment)
        }
        #expect(try kept(sealer.commitment).commitment == sealer.commitment)
        for at in [0, 31] {
            var other = sealer.commitment
            other[at] ^= 1
            #expect { try kept(other) } throws: { doesNotOpen($0) }
        }
    }

    @Test(arguments: [UInt8(0), 1])
    func `what is sealed to a repository opens with its keys`(_ contentClass: UInt8) throws {
        let sealer = try sealing(contentClass, keyring())
        let opener = try opening(contentClass, keyring(), commitment: sealer.commitment)
        #expect(opener.commitment == sealer.commitment && sealer.commitment.count == 32)
        #expect(opener.headerHash == SHA256.hash(header))
        for count in [0, 1, 16, 1000] {
            let sealed = sealer.cipher().seal(number: 7, associated: block(1, 9), block(2, count))
            #expect(sealed.count == count + 16)
            #expect(
                opener.cipher().open(number: 7, associated: block(1, 9), sealed) == block(2, count))
        }
    }

    @Test func `a message opens under its own number and context only`() throws {
        let key = try sealing(0, keyring())
        let cipher = key.cipher()
        let sealed = cipher.seal(number: 5, associated: block(1, 9), block(2, 40))
        for number: UInt64 in [0, 4, 6, 5 + (1 << 32), 5 << 32, .max] {
            #expect(cipher.open(number: number, associated: block(1, 9), sealed) == nil)
        }
        for changed in flipped(block(1, 9)) + [[], Array(block(1, 8)), block(1, 10)] {
            #expect(cipher.open(number: 5, associated: changed, sealed) == nil)
        }
        #expect(cipher.open(number: 5, associated: block(1, 9), sealed) == block(2, 40))
    }

    @Test func `no message opens with one bit changed, cut short or made longer`() throws {
        let cipher = try sealing(0, keyring()).cipher()
        let sealed = cipher.seal(number: 5, associated: [], block(2, 40))
        for changed in flipped(sealed) {
            #expect(cipher.open(number: 5, associated: [], changed) == nil)
        }
        for count in 0..<sealed.count {
            #expect(cipher.open(number: 5, associated: [], Array(sealed.prefix(count))) == nil)
        }
        #expect(cipher.open(number: 5, associated: [], sealed + [0]) == nil)
    }

    @Test func `numbers give different keystreams`() throws {
        let cipher = try sealing(0, keyring()).cipher()
        let zeros = [UInt8](repeating: 0, count: 32)
        var streams: Set<[UInt8]> = []
        let numbers: [UInt64] = [0, 1, 2, 1 << 19, (1 << 20) - 1, 1 << 32, 1 << 63]
        for number in numbers {
            streams.insert(Array(cipher.seal(number: number, associated: [], zeros).prefix(32)))
        }
        #expect(streams.count == numbers.count)
    }

    @Test func `what was changed leaves nothing of its plaintext behind`() throws {
        let cipher = try sealing(0, keyring()).cipher()
        var sealed = cipher.seal(number: 5, associated: [], block(2, 4096))
        sealed[sealed.count - 1] ^= 1
        var room = [UInt8](repeating: 0xaa, count: 4096)
        let opened = sealed.withUnsafeBytes { sealed in
            room.withUnsafeMutableBytes { cipher.open(number: 5, associated: [], sealed, into: $0) }
        }
        #expect(!opened)
        #expect(room.allSatisfy { $0 == 0 })
    }

    @Test func `a room of another size than the message is refused`() throws {
        let cipher = try sealing(0, keyring()).cipher()
        let sealed = cipher.seal(number: 5, associated: [], block(2, 40))
        for count in [0, 39, 41] {
            var room = [UInt8](repeating: 0, count: count)
            let opened = sealed.withUnsafeBytes { sealed in
                room.withUnsafeMutableBytes {
                    cipher.open(number: 5, associated: [], sealed, into: $0)
                }
            }
            #expect(!opened, "\(count)")
        }
    }

    @Test func `a message is sealed where it lies`() throws {
        let cipher = try sealing(0, keyring()).cipher()
        var room = block(2, 5000) + [UInt8](repeating: 0, count: 16)
        room.withUnsafeMutableBytes { room in
            cipher.seal(
                number: 1, associated: [], UnsafeRawBufferPointer(rebasing: room[..<5000]),
                into: room)
        }
        #expect(room == cipher.seal(number: 1, associated: [], block(2, 5000)))
    }

    @Test func `an envelope opens with its own header, salt, key, domain and commitment only`()
        throws
    {
        let commitment = try sealing(0, keyring()).commitment
        for changed in flipped(header) {
            #expect(
                performing: { try opening(0, keyring(), header: changed, commitment: commitment) },
                throws: doesNotOpen)
        }
        for changed in flipped(salt) {
            #expect(
                performing: { try opening(0, keyring(), salt: changed, commitment: commitment) },
                throws: doesNotOpen)
        }
        for changed in flipped(commitment) {
            #expect(
                performing: { try opening(0, keyring(), commitment: changed) }, throws: doesNotOpen)
        }
        for wrong in [[], Array(commitment.dropLast()), commitment + [0]] {
            #expect(
                performing: { try opening(0, keyring(), commitment: wrong) }, throws: doesNotOpen)
        }
        #expect(
            performing: { try opening(0, keyring(2), commitment: commitment) }, throws: doesNotOpen)
        #expect(
            performing: { try opening(0, keyring(), auth: 31, commitment: commitment) },
            throws: doesNotOpen)
        #expect(
            performing: { try opening(1, keyring(), commitment: commitment) }, throws: doesNotOpen)
        #expect(
            performing: {
                try opening(
                    0, keyring(),
                    ephemeralPublic: EnvelopeKey.publicKey(ofEphemeral: secret(block(23))),
                    commitment: commitment)
            }, throws: doesNotOpen)
        #expect(throws: Never.self) { try opening(0, keyring(), commitment: commitment) }
    }

    @Test func `every bit of the public key in a header matters`() throws {
        // All but the highest, which RFC 7748 leaves out: it is bound by the header's hash.
        let commitment = try sealing(0, keyring()).commitment
        let key = EnvelopeKey.publicKey(ofEphemeral: secret(ephemeral))
        for (index, changed) in flipped(key).enumerated() where index != 255 {
            #expect(throws: SealingError.self, "bit \(index)") {
                try opening(0, keyring(), ephemeralPublic: changed, commitment: commitment)
            }
        }
    }

    @Test func `a public key of another length is refused`() throws {
        for count in [0, 31, 33] {
            #expect(
                performing: {
                    try opening(
                        0, keyring(), ephemeralPublic: block(1, count), commitment: block(2))
                }, throws: { if case SealingError.malformed = $0 { true } else { false } })
        }
    }

    @Test func `a write key seals both classes and opens neither`() throws {
        let full = keyring()
        let write = try writeKeyring(of: full, 77)
        for contentClass: UInt8 in 0...1 {
            let sealer = try sealing(contentClass, write)
            #expect(
                try opening(contentClass, full, commitment: sealer.commitment).headerHash
                    == sealer.headerHash)
            #expect(
                performing: { try opening(contentClass, write, commitment: sealer.commitment) },
                throws: lacksKey)
        }
    }

    @Test func `a maintain key opens lists and no data`() throws {
        let full = keyring()
        let maintain = try maintainKeyring(of: full)
        let sealed = try sealing(1, full).cipher().seal(number: 0, associated: [], block(1))
        let opener = try opening(1, maintain, commitment: try sealing(1, full).commitment)
        #expect(opener.cipher().open(number: 0, associated: [], sealed) == block(1))
        #expect(
            performing: { try opening(0, maintain, commitment: try sealing(0, full).commitment) },
            throws: lacksKey)
    }

    @Test func `a class that is not known opens with no key`() throws {
        for ring in [
            keyring(), try maintainKeyring(of: keyring()), try writeKeyring(of: keyring(), 1),
        ] {
            for contentClass: UInt8 in [2, 255] {
                #expect(
                    performing: { try opening(contentClass, ring, commitment: block(1)) },
                    throws: lacksKey)
            }
        }
    }
}
