import Faults
import Sealing
import TestSupport
import Testing

struct BoxTests {
    private let name = block(9, 16)
    private let salt = block(8)
    private let associated = block(7, 40)

    private func seal(
        _ plaintext: [UInt8], key: UInt8 = 1, label: String = "head", salt: [UInt8]? = nil
    ) -> [UInt8] {
        Box.seal(
            plaintext, key: secret(block(key)), label: label, name: name, salt: salt ?? self.salt,
            associated: associated)
    }

    private func open(
        _ box: [UInt8], key: UInt8 = 1, label: String = "head", name: [UInt8]? = nil,
        associated: [UInt8]? = nil
    ) throws(SealingError) -> [UInt8] {
        try Box.open(
            box[...], key: secret(block(key)), label: label, name: name ?? self.name,
            associated: associated ?? self.associated, what: "the box")
    }

    private func expectDoesNotOpen(
        _ why: String, sourceLocation: SourceLocation = #_sourceLocation,
        _ open: () throws(SealingError) -> [UInt8]
    ) {
        do {
            _ = try open()
            Issue.record("it opens: \(why)", sourceLocation: sourceLocation)
        } catch {
            guard case .doesNotOpen("the box") = error else {
                Issue.record("\(error): \(why)", sourceLocation: sourceLocation)
                return
            }
        }
    }

    @Test(arguments: [0, 1, 15, 16, 17, 255, 256, 1000, 1 << 20])
    func `what was sealed opens`(_ count: Int) throws {
        let box = seal(block(3, count))
        #expect(box.count == count + Box.overhead && Box.overhead == 80)
        #expect(Array(box.prefix(32)) == salt)
        #expect(try open(box) == block(3, count))
    }

    @Test func `a slice of an object opens where it lies`() throws {
        let object = block(1, 40) + seal(block(3, 50)) + block(2, 64)
        let opened = try Box.open(
            object[40..<170], key: secret(block(1)), label: "head", name: name,
            associated: associated, what: "the box")
        #expect(opened == block(3, 50))
    }

    @Test func `no box opens with one bit changed`() {
        for (index, changed) in flipped(seal(block(3, 33))).enumerated() {
            expectDoesNotOpen("bit \(index)") { () throws(SealingError) in try open(changed) }
        }
    }

    @Test func `no box opens cut short or made longer`() {
        let box = seal(block(3, 33))
        for count in 0..<box.count {
            #expect(throws: SealingError.self, "\(count) bytes") {
                try open(Array(box.prefix(count)))
            }
        }
        expectDoesNotOpen("longer") { () throws(SealingError) in try open(box + [0]) }
        do {
            _ = try open(Array(box.prefix(79)))
        } catch {
            guard case .malformed("the box") = error else {
                return #expect(Bool(false), "\(error)")
            }
        }
    }

    @Test func `a box opens under its own key, label, name and associated bytes only`() {
        let box = seal(block(3, 33))
        expectDoesNotOpen("another key") { () throws(SealingError) in try open(box, key: 2) }
        for label in ["record", "", "head ", "hea"] {
            expectDoesNotOpen("label \(label)") { () throws(SealingError) in
                try open(box, label: label)
            }
        }
        for changed in flipped(name) {
            expectDoesNotOpen("another name") { () throws(SealingError) in
                try open(box, name: changed)
            }
        }
        for changed in flipped(associated) + [[], Array(associated.dropLast()), associated + [0]] {
            expectDoesNotOpen("other associated bytes") { () throws(SealingError) in
                try open(box, associated: changed)
            }
        }
    }

    @Test func `two boxes with one salt share no key`() {
        let (first, second) = (block(3, 64), block(4, 64))
        let (a, b) = (seal(first), seal(second))
        // Under one key and nonce the difference of the sealed bytes would be that of the
        // plaintexts.
        let sealed = zip(a.dropFirst(64), b.dropFirst(64)).map { $0 ^ $1 }
        #expect(Array(sealed.prefix(64)) != zip(first, second).map { $0 ^ $1 })
        #expect(a[32..<64] != b[32..<64])
        #expect(seal(first) == a, "nothing but the arguments decides")
        #expect(seal(first, salt: block(5)).dropFirst(32) != a.dropFirst(32))
    }

    /// Who knows the index key could choose a check and seal under the key that follows from it.
    @Test func `a box whose check is another's does not open though its seal holds`() {
        let prk = KeyDerivation.extract(salt: salt, secret(block(1)))
        let check = block(6)
        let cipher = MessageCipher(
            key: KeyDerivation.expand(prk, "repo box key v1head", name + check))
        let forged = salt + check + cipher.seal(associated: associated, block(3, 33))
        expectDoesNotOpen("a check of other bytes") { () throws(SealingError) in try open(forged) }
    }

    @Test func `errors name what did not open and lead to exit 5`() {
        #expect(
            SealingError.doesNotOpen("packs/3f").message
                == "packs/3f does not open: it was changed, or belongs to another repository")
        #expect(SealingError.doesNotOpen("x").exitCode == .damage)
        #expect(SealingError.malformed("x").exitCode == .damage)
        #expect(SealingError.signature("x").exitCode == .damage)
        #expect(SealingError.wrongSecret.exitCode == .noKeyOpens)
        #expect(SealingError.lacksKey("sign").exitCode == .failed)
        #expect(SealingError.lacksKey("sign").hint?.contains("repo key list") == true)
    }
}
