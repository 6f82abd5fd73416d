import Sealing
import TestSupport
import Testing

struct SlotSealingTests {
    private let header = block(1, 88)
    private let salt = block(2)
    /// So low that a test may make many; what a slot may say is the wire format's affair.
    private static let cheap = ScryptCost(log2N: 4, r: 8, p: 1)

    private func sealed(_ password: [UInt8], _ cost: ScryptCost) throws -> (
        commitment: [UInt8], ciphertext: [UInt8]
    ) {
        try SlotSealing.seal(
            block(3, 256), secret: secret(password), cost: cost, salt: salt, header: header)
    }

    private func isWrongSecret(_ error: any Error) -> Bool {
        if case SealingError.wrongSecret = error { true } else { false }
    }

    private func doesNotOpen(_ error: any Error) -> Bool {
        if case SealingError.doesNotOpen = error { true } else { false }
    }

    @Test(arguments: [cheap, .none, ScryptCost(log2N: 15, r: 8, p: 1)])
    func `a slot opens with its secret`(_ cost: ScryptCost) throws {
        let slot = try sealed(block(4), cost)
        #expect(slot.commitment.count == 32 && slot.ciphertext.count == 256 + 16)
        let bundle = try SlotSealing.open(
            commitment: slot.commitment, ciphertext: slot.ciphertext, secret: secret(block(4)),
            cost: cost, salt: salt,
            header: header)
        #expect(bundle == block(3, 256))
    }

    @Test(arguments: [cheap, .none])
    func `another secret is told before anything is decrypted`(_ cost: ScryptCost) throws {
        let slot = try sealed(block(4), cost)
        for wrong in flipped(block(4)).prefix(40) + [block(4, 31), block(4, 33), [0]] {
            #expect(
                performing: {
                    try SlotSealing.open(
                        commitment: slot.commitment, ciphertext: slot.ciphertext,
                        secret: secret(wrong), cost: cost,
                        salt: salt, header: header)
                }, throws: isWrongSecret)
        }
    }

    @Test func `a changed bit anywhere keeps a slot closed`() throws {
        let slot = try sealed(block(4), .none)
        func open(_ commitment: [UInt8], _ ciphertext: [UInt8], _ salt: [UInt8], _ header: [UInt8])
            throws
        {
            _ = try SlotSealing.open(
                commitment: commitment, ciphertext: ciphertext, secret: secret(block(4)),
                cost: .none, salt: salt,
                header: header)
        }
        for changed in flipped(slot.commitment) + [[], slot.commitment + [0]] {
            #expect(
                performing: { try open(changed, slot.ciphertext, salt, header) },
                throws: isWrongSecret)
        }
        for changed in flipped(salt) {
            #expect(
                performing: { try open(slot.commitment, slot.ciphertext, changed, header) },
                throws: isWrongSecret)
        }
        for changed in flipped(header) {
            #expect(
                performing: { try open(slot.commitment, slot.ciphertext, salt, changed) },
                throws: isWrongSecret)
        }
        for changed in flipped(slot.ciphertext) + [
            [], Array(slot.ciphertext.dropLast()), slot.ciphertext + [0],
        ] {
            #expect(
                performing: { try open(slot.commitment, changed, salt, header) },
                throws: doesNotOpen)
        }
        #expect(throws: Never.self) { try open(slot.commitment, slot.ciphertext, salt, header) }
    }

    @Test func `the cost is part of the key`() throws {
        let costs = [
            Self.cheap, ScryptCost(log2N: 5, r: 8, p: 1), ScryptCost(log2N: 4, r: 8, p: 2), .none,
        ]
        let commitments = try costs.map { try sealed(block(4), $0).commitment }
        #expect(Set(commitments).count == costs.count)
        #expect(ScryptCost.standard == ScryptCost(log2N: 16, r: 8, p: 2))
    }

    @Test func `a cost that the library refuses is an error and no trap`() {
        #expect(
            performing: { try sealed(block(4), ScryptCost(log2N: 0, r: 8, p: 1)) },
            throws: {
                if case SealingError.library = $0 { true } else { false }
            })
    }
}
