import COpenSSL
import Sealing
import TestSupport
import Testing

/// The library and our wrappers against the test vectors that the standards print.
struct PublishedVectorTests {
    // MARK: hashes

    @Test(arguments: [
        ("", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"),
        ("abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
        (
            "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
            "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"
        ),
        (
            String(repeating: "a", count: 1_000_000),
            "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0"
        ),
    ])
    func `SHA-256 is that of FIPS 180-4`(_ text: String, _ hash: String) {
        let message = Array(text.utf8)
        #expect(SHA256.hash(message) == hex(hash))
        #expect(message.withUnsafeBytes { SHA256.hash($0) } == hex(hash))
        #expect(SHA256.hash(Array(message.prefix(2)), [], Array(message.dropFirst(2))) == hex(hash))
        let inParts = SHA256()
        for byte in message.prefix(1000) { inParts.update([byte]) }
        inParts.update(Array(message.dropFirst(1000)))
        #expect(inParts.finish() == hex(hash))
    }

    private static let hmacVectors: [(key: [UInt8], message: [UInt8], code: String)] = [
        (
            [UInt8](repeating: 0x0b, count: 20), Array("Hi There".utf8),
            "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7"
        ),
        (
            Array("Jefe".utf8), Array("what do ya want for nothing?".utf8),
            "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"
        ),
        (
            [UInt8](repeating: 0xaa, count: 20), [UInt8](repeating: 0xdd, count: 50),
            "773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe"
        ),
        (
            Array(1...25), [UInt8](repeating: 0xcd, count: 50),
            "82558a389a443c0ea4cc819899f2083a85f0faa3e578f8077a2e3ff46729665b"
        ),
        (
            [UInt8](repeating: 0xaa, count: 131),
            Array("Test Using Larger Than Block-Size Key - Hash Key First".utf8),
            "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54"
        ),
        (
            [UInt8](repeating: 0xaa, count: 131),
            Array(
                """
                This is a test using a larger than block-size key and a larger than \
                block-size data. The key needs to be hashed before being used by the HMAC algorithm.
                """.utf8),
            "9b09ffa71b942fcb27635fbcd5b0e944bfdc63644f0713938a7f51535c3a35e2"
        ),
    ]

    @Test(arguments: hmacVectors.indices)
    func `HMAC-SHA-256 is that of RFC 4231`(_ index: Int) throws {
        let (key, message, code) = Self.hmacVectors[index]
        if key.count <= 64 {
            // A secret holds no longer key; no key of ours is longer.
            let mac = HMAC256(key: secret(key))
            #expect(mac.code(message) == hex(code))
            #expect(mac.code(message) == hex(code), "the key is used again")
            var result = [UInt8](repeating: 0, count: 32)
            message.withUnsafeBytes { whole in
                mac.code(
                    UnsafeRawBufferPointer(rebasing: whole[..<3]),
                    UnsafeRawBufferPointer(rebasing: whole[3...]),
                    into: &result)
            }
            #expect(result == hex(code))
        }
        let context = try #require(repo_mac_new("HMAC"))
        defer { EVP_MAC_CTX_free(context) }
        for round in 0..<2 {
            let began =
                round == 0 ? repo_hmac_init(context, key, key.count) : repo_hmac_restart(context)
            var result = [UInt8](repeating: 0, count: 32)
            var count = 0
            #expect(began == 1 && EVP_MAC_update(context, message, message.count) == 1)
            #expect(EVP_MAC_final(context, &result, &count, 32) == 1 && count == 32)
            #expect(result == hex(code))
        }
    }

    // MARK: key derivation

    @Test(arguments: [
        (
            "0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b", "000102030405060708090a0b0c",
            "f0f1f2f3f4f5f6f7f8f9",
            "077709362c2e32df0ddc3f0dc47bba6390b6c73bb50f9c3122ec844ad7c2b3e5",
            "3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b887185865"
        ),
        (
            """
            000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f2021222324252627
            28292a2b2c2d2e2f30313233343
            5363738393a3b3c3d3e3f404142434445464748494a4b4c4d4e4f
            """,
            """
            606162636465666768696a6b6c6d6e6f707172737475767778797a7b7c7d7e7f8081828384858687
            88898a8b8c8d8e8f90919293949
            5969798999a9b9c9d9e9fa0a1a2a3a4a5a6a7a8a9aaabacadaeaf
            """,
            """
            b0b1b2b3b4b5b6b7b8b9babbbcbdbebfc0c1c2c3c4c5c6c7c8c9cacbcccdcecfd0d1d2d3d4d5d6d7
            d8d9dadbdcdddedfe0e1e2e3e4e
            5e6e7e8e9eaebecedeeeff0f1f2f3f4f5f6f7f8f9fafbfcfdfeff
            """,
            "06a6b88c5853361a06104c9ceb35b45cef760014904671014a193f40c15fc244",
            // The first 64 of 82 bytes: no secret of ours is longer.
            """
            b11e398dc80327a1c8e7f78c596a49344f012eda2d4efad8a050cc4c19afa97c59045a99cac78272
            71cb41c65e590e09
            da3275600c2f09b8367793a9aca3db71
            """
        ),
        (
            "0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b", "", "",
            "19ef24a32c717b167f33a91d6f648bdf96596776afdb6377ac434c1c293ccb04",
            "8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d9d201395faa4b61a96c8"
        ),
    ])
    func `HKDF-SHA-256 is that of RFC 5869`(
        _ material: String, _ salt: String, _ info: String, _ prk: String, _ output: String
    ) {
        var moved = hex(material)
        let extracted = KeyDerivation.extract(salt: hex(salt), moving: &moved)
        #expect(bytes(extracted) == hex(prk))
        #expect(moved.isEmpty, "the material is wiped")
        if hex(material).count <= 64 {
            #expect(
                bytes(KeyDerivation.extract(salt: hex(salt), secret(hex(material)))) == hex(prk))
        }
        #expect(
            bytes(KeyDerivation.expand(extracted, "", hex(info), count: hex(output).count))
                == hex(output))
    }

    /// The wrapper gives the first 32 of the 64 bytes that are printed: scrypt's output is one
    /// stream.
    private func checkScrypt(
        _ password: String, _ salt: String, _ n: UInt64, _ r: UInt32, _ p: UInt32, _ output: String
    ) {
        var result = [UInt8](repeating: 0, count: 32)
        let (password, salt) = (Array(password.utf8), Array(salt.utf8))
        #expect(repo_scrypt(password, password.count, salt, salt.count, n, r, p, &result) == 1)
        #expect(result == hex(output))
    }

    @Test(
        arguments: [
            ("", "", 16, 1, 1, "77d6576238657b203b19ca42c18a0497f16b4844e3074ae8dfdffa3fede21442"),
            (
                "password", "NaCl", 1024, 8, 16,
                "fdbabe1c9d3472007856e7190d01e9fe7c6ad7cbc8237830e77376634b373162"
            ),
            (
                "pleaseletmein", "SodiumChloride", 16384, 8, 1,
                "7023bdcb3afd7348461c06cd81fd38ebfda8fbba904f8e3ea9b543f6545da1f2"
            ),
        ] as [(String, String, UInt64, UInt32, UInt32, String)])
    func `scrypt is that of RFC 7914`(
        _ password: String, _ salt: String, _ n: UInt64, _ r: UInt32, _ p: UInt32, _ output: String
    ) { checkScrypt(password, salt, n, r, p, output) }

    @Test(.enabled(if: isLong, "LONG=1: it takes 1 GiB"))
    func `scrypt with N = 2^20 is that of RFC 7914`() {
        checkScrypt(
            "pleaseletmein", "SodiumChloride", 1 << 20, 8, 1,
            "2101cb9b6a511aaeaddbbe09cf70f881ec568d574a2ffd4dabe5ee9820adaa47")
    }

    // MARK: curves

    private func x25519(_ scalar: [UInt8], _ point: [UInt8]) -> [UInt8]? {
        var result = [UInt8](repeating: 0, count: 32)
        return repo_x25519(scalar, point, &result) == 1 ? result : nil
    }

    @Test(arguments: [
        (
            "a546e36bf0527c9d3b16154b82465edd62144c0ac1fc5a18506a2244ba449ac4",
            "e6db6867583030db3594c1a424b15f7c726624ec26b3353b10a903a6d0ab1c4c",
            "c3da55379de9c6908e94ea4df28d084f32eccf03491c71f754b4075577a28552"
        ),
        (
            "4b66e9d4d1b4673c5ad22691957d6af5c11b6421e0ea01d42ca4169e7918ba0d",
            "e5210f12786811d3f4b7959d0538ae2c31dbe7106fc03c3efc4cd549c715a493",
            "95cbde9476e8907d7aade45cb4b873f88b595a68799fa152e6f8f7647aac7957"
        ),
    ])
    func `X25519 is that of RFC 7748, section 5.2`(
        _ scalar: String, _ point: String, _ result: String
    ) {
        #expect(x25519(hex(scalar), hex(point)) == hex(result))
    }

    @Test func `X25519 again and again is that of RFC 7748, section 5.2`() throws {
        var scalar = [9] + [UInt8](repeating: 0, count: 31)
        var point = scalar
        for round in 1...1000 {
            let result = try #require(x25519(scalar, point))
            (scalar, point) = (result, scalar)
            if round == 1 {
                #expect(
                    scalar
                        == hex("422c8e7a6227d7bca1350b3e2bb7279f7897b87bb6854b783c60e80311ae3079"))
            }
        }
        #expect(scalar == hex("684cf59ba83309552800ef566f2f4d3c1c3887c49360e3875f2eb94d99532c51"))
    }

    @Test func `two agree on the secret of RFC 7748, section 6.1`() {
        let alice = hex("77076d0a7318a57d3c16c17251b26645df4c2f87ebc0992ab177fba51db92c2a")
        let bob = hex("5dab087e624a8a4b79e17f8b83800ee66f3bb1292618b6fd1c2f8b27ff88e0eb")
        let alicePublic = hex("8520f0098930a754748b7ddcb43ef75a0dbf3a0d26381af4eba4a98eaa9b4e6a")
        let bobPublic = hex("de9edb7d7b7dc1b4d35b61c2ece435373f8343c85b78674dadfc7e146f882b4f")
        #expect(EnvelopeKey.publicKey(ofEphemeral: secret(alice)) == alicePublic)
        #expect(EnvelopeKey.publicKey(ofEphemeral: secret(bob)) == bobPublic)
        let shared = hex("4a5d9d5ba4ce2de1728e3bf480350f25e07e21c947d19e3376f09b3c1e161742")
        #expect(x25519(alice, bobPublic) == shared)
        #expect(x25519(bob, alicePublic) == shared)
    }

    /// The points of small order of RFC 7748, section 7: they agree on zero with everybody.
    @Test(arguments: [
        "0000000000000000000000000000000000000000000000000000000000000000",
        "0100000000000000000000000000000000000000000000000000000000000000",
        "e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800",
        "5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157",
        "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    ])
    func `agreement on zero is refused`(_ point: String) throws {
        #expect(x25519(block(1), hex(point)) == nil)
        let ring = keyring()
        let keys = try #require(ring.keys(of: 0))
        #expect {
            try EnvelopeKey(
                opening: 0, keyring: ring, auth: keys.auth, ephemeralPublic: hex(point),
                header: block(2, 104),
                salt: block(3), commitment: block(4))
        } throws: { if case SealingError.malformed = $0 { true } else { false } }
    }

    @Test(arguments: [
        (
            "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
            "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a", "",
            """
            e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e06522490155
            5fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b
            """
        ),
        (
            "4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb",
            "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c", "72",
            """
            92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da
            085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00
            """
        ),
        (
            "c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7",
            "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025", "af82",
            """
            6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac
            18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a
            """
        ),
    ])
    func `signatures are those of RFC 8032`(
        _ seed: String, _ key: String, _ message: String, _ signature: String
    ) throws {
        let ring = Keyring(
            maintaining: secret(block(1)), signingSeed: secret(hex(seed)),
            structureRoot: secret(block(2)), data: block(3))
        #expect(ring.signingPublicKey == hex(key))
        #expect(try ring.sign(hex(message)) == hex(signature))
        #expect(ring.isSigned(hex(message), by: hex(signature)))
    }

    // MARK: ciphers and codes

    @Test(arguments: [
        (
            "85d6be7857556d337f4452fe42d506a80103808afb0db2fd4abff6af4149f51b",
            Array("Cryptographic Forum Research Group".utf8), "a8061dc1305136c6c22b8baf0c0127a9"
        ),
        (
            "0000000000000000000000000000000000000000000000000000000000000000",
            [UInt8](repeating: 0, count: 64),
            "00000000000000000000000000000000"
        ),
        // RFC 8439, appendix A.3, 7 to 9: where arithmetic modulo 2^130 - 5 goes wrong first.
        (
            "0200000000000000000000000000000000000000000000000000000000000000",
            [UInt8](repeating: 0xff, count: 16),
            "03000000000000000000000000000000"
        ),
        (
            "02000000000000000000000000000000ffffffffffffffffffffffffffffffff",
            [2] + [UInt8](repeating: 0, count: 15),
            "03000000000000000000000000000000"
        ),
        (
            "0100000000000000000000000000000000000000000000000000000000000000",
            hex(
                """
                ffffffffffffffffffffffffffffffff f0ffffffffffffffffffffffffffffff
                11000000000000000000000000000000
                """
            ),
            "05000000000000000000000000000000"
        ),
    ])
    func `Poly1305 is that of RFC 8439`(_ key: String, _ message: [UInt8], _ code: String) {
        let whole = StreamChecksum(key: hex(key))
        message.withUnsafeBytes { whole.update($0) }
        #expect(whole.finish() == hex(code))
        let inParts = StreamChecksum(key: hex(key))
        for byte in message { withUnsafeBytes(of: byte) { inParts.update($0) } }
        #expect(inParts.finish() == hex(code))
    }

    /// Test cases 13 and 14 of the paper NIST's SP 800-38D is made after: key and nonce zero, as
    /// under our first number.
    @Test(arguments: [
        ("", "530f8afbc74536b9a963b4f1c4cb738b"),
        (
            "00000000000000000000000000000000",
            "cea7403d4d606b6e074ec5d3baf39d18 d0d1c8a799996bf0265b98b5d48ab919"
        ),
    ])
    func `messages number 0 under a zero key are those of AES-256-GCM's test cases`(
        _ plaintext: String, _ sealed: String
    ) {
        let cipher = MessageCipher(key: secret([UInt8](repeating: 0, count: 32)))
        #expect(cipher.seal(associated: [], hex(plaintext)) == hex(sealed))
        #expect(cipher.open(associated: [], hex(sealed)) == hex(plaintext))
    }

    /// Test cases 15 and 16.
    @Test(arguments: [
        (64, "", "b094dac5d93471bdec1a502270e3cc6c"),
        (60, "feedfacedeadbeeffeedfacedeadbeefabaddad2", "76fc6ece0f4e1768cddf8853bb2d551b"),
    ])
    func `AES-256-GCM through our wrappers is that of its test cases`(
        _ count: Int, _ associated: String, _ tag: String
    ) throws {
        let key = hex("feffe9928665731c6d6a8f9467308308feffe9928665731c6d6a8f9467308308")
        let plaintext = hex(
            """
            d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a72
            1c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657ba637b391aafd255
            """)
        let ciphertext = hex(
            """
            522dc1f099567d07f47f37a32a84427d643a8cdcbfe5c0c97598a2bd2555d1aa
            8cb08e48590dbb3da7b08b1056828838c5f61e6393ba7a0abcc9f662898015ad
            """)
        let context = try #require(repo_gcm_new(key))
        defer { EVP_CIPHER_CTX_free(context) }
        var (out, made, moved) = (
            [UInt8](repeating: 0, count: 64), [UInt8](repeating: 0, count: 16), Int32(0)
        )
        let aad = hex(associated)
        #expect(repo_gcm_begin(context, hex("cafebabefacedbaddecaf888"), 1) == 1)
        #expect(aad.isEmpty || EVP_CipherUpdate(context, nil, &moved, aad, Int32(aad.count)) == 1)
        #expect(
            EVP_CipherUpdate(context, &out, &moved, plaintext, Int32(count)) == 1
                && Int(moved) == count)
        #expect(EVP_CipherFinal_ex(context, &made, &moved) == 1 && moved == 0)
        #expect(repo_gcm_tag(context, &made) == 1)
        #expect(out.prefix(count) == ciphertext.prefix(count))
        #expect(made == hex(tag))
    }

    @Test func `AES-128 is that of FIPS 197`() throws {
        let context = try #require(repo_aes128_blocks_new(hex("000102030405060708090a0b0c0d0e0f")))
        defer { EVP_CIPHER_CTX_free(context) }
        var (out, count) = ([UInt8](repeating: 0, count: 16), Int32(0))
        #expect(
            EVP_EncryptUpdate(context, &out, &count, hex("00112233445566778899aabbccddeeff"), 16)
                == 1)
        #expect(out == hex("69c4e0d86a7b0430d8cdb78070b4c55a"))
        #expect(
            ReferenceAES128(key: hex("000102030405060708090a0b0c0d0e0f")).encipher(
                hex("00112233445566778899aabbccddeeff")) == out)
    }
}
