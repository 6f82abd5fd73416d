import Sealing
import TestSupport
import Testing

struct ChunkNamerTests {
    private func keys(_ root: UInt8 = 1, _ domain: UInt64 = 0) throws -> DomainKeys {
        try #require(keyring(root).keys(of: domain))
    }

    @Test func `a name is the beginning of the HMAC of class and plaintext`() throws {
        let keys = try keys()
        guard let dataKey = bytes(ofOptional: keys.chunkIDs) else {
            throw SealingError.lacksKey("name data chunks")
        }
        for count in [0, 1, 63, 64, 65, 1000, 1 << 20] {
            let plaintext = block(5, count)
            let data = HMAC256(key: secret(dataKey))
            let list = HMAC256(key: keys.listIDs)
            #expect(
                name(plaintext, try keys.namer(ofClass: 0))
                    == Array(data.code([0] + plaintext).prefix(24)))
            #expect(
                name(plaintext, try keys.namer(ofClass: 1))
                    == Array(list.code([1] + plaintext).prefix(24)))
        }
    }

    @Test func `one namer names many chunks, each as a new namer would`() throws {
        let keys = try keys()
        let namer = try keys.namer(ofClass: 0)
        for count in 0..<300 {
            #expect(
                name(block(6, count), namer) == name(block(6, count), try keys.namer(ofClass: 0)))
        }
    }

    @Test func `names differ between plaintexts, classes, domains and repositories`() throws {
        var names: Set<[UInt8]> = []
        var count = 0
        for keys in [try keys(), try keys(1, 1), try keys(2, 0)] {
            for contentClass: UInt8 in 0...1 {
                let namer = try keys.namer(ofClass: contentClass)
                for plaintext in [block(1, 64)] + flipped(block(1, 64)) + [
                    block(1, 63), block(1, 65),
                ] {
                    names.insert(name(plaintext, namer))
                    count += 1
                }
            }
        }
        #expect(names.count == count)
    }
}

struct CutDeciderTests {
    private func values(_ key: [UInt8], _ bytes: [UInt8], _ positions: [Int32]) throws -> [UInt32] {
        let domain = DomainKeys(
            domain: 0, chunkIDs: secret(block(1)), cuts: secret(key), listIDs: secret(block(2)),
            index: secret(block(3)), auth: secret(block(4)))
        var decider = try domain.cutDecider()
        return decide(&decider, bytes, positions)
    }

    private func decide(_ decider: inout CutDecider, _ bytes: [UInt8], _ positions: [Int32])
        -> [UInt32]
    {
        var values = [UInt32](repeating: 0, count: positions.count)
        bytes.withUnsafeBufferPointer { bytes in
            positions.withUnsafeBufferPointer { positions in
                values.withUnsafeMutableBufferPointer {
                    guard let base = bytes.baseAddress, let room = $0.baseAddress else { return }
                    decider.decide(base, positions: positions, values: room)
                }
            }
        }
        return values
    }

    private func expected(_ aes: ReferenceAES128, _ bytes: [UInt8], _ position: Int32) -> UInt32 {
        let code = aes.cbcMAC(Array(bytes[Int(position) - 64..<Int(position)]))
        return UInt32(code[0]) | UInt32(code[1]) << 8 | UInt32(code[2]) << 16 | UInt32(code[3])
            << 24
    }

    @Test func `values are those of a plain CBC-MAC, in batches of every size`() throws {
        var random = SeededRandom(seed: announcedSeed())
        for count in [0, 1, 2, 3, 15, 16, 17, 100, 1000] {
            let key = random.bytes(16)
            let aes = ReferenceAES128(key: key)
            let bytes = random.bytes(4096)
            let positions = (0..<count).map { _ in Int32(random.number(64...4096)) }
            #expect(try values(key, bytes, positions) == positions.map { expected(aes, bytes, $0) })
        }
    }

    @Test func `a batch larger than any before is decided like the smaller ones`() throws {
        var random = SeededRandom(seed: announcedSeed())
        let stream = random.bytes(20_000)
        let positions = (64...20_000).map { Int32($0) }
        let keys = try #require(keyring().keys(of: 0))
        guard let key = bytes(ofOptional: keys.cuts) else {
            throw SealingError.lacksKey("cut streams")
        }
        let aes = ReferenceAES128(key: key)
        var decider = try keys.cutDecider()
        let small = decide(&decider, stream, Array(positions.prefix(10)))
        let large = decide(&decider, stream, positions)
        #expect(Array(large.prefix(10)) == small)
        #expect(decide(&decider, stream, Array(positions.prefix(10))) == small)
        for index in stride(from: 0, to: positions.count, by: 997) {
            #expect(large[index] == expected(aes, stream, positions[index]))
        }
    }

    @Test func `a value depends on the 64 bytes before and on no others`() throws {
        let bytes = block(3, 200)
        let value = try values(block(9, 16), bytes, [100])
        for offset in bytes.indices {
            var changed = bytes
            changed[offset] ^= 0x10
            #expect(
                (try values(block(9, 16), changed, [100]) == value) == !(36..<100).contains(offset),
                "byte \(offset)")
        }
        #expect(try values(block(10, 16), bytes, [100]) != value)
        #expect(CutDecider.windowBytes == 64)
    }
}
