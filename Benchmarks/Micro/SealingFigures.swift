import PackStore
import Sealing
import WireFormat

/// Sealing and opening segments of 1 MiB, and making an envelope.
enum SealingFigures {
    private static let envelopes = 1000

    static func take(_ figures: inout Figures, _ text: [UInt8]) throws {
        let context = try MadeKeys.context()
        let envelope = try NewEnvelope(.data, context)
        let cipher = envelope.key.cipher()
        let sealedBytes = Micro.frameBytes + MessageCipher.tagBytes
        var sealed = [UInt8](repeating: 0, count: sealedBytes)
        var number: UInt64 = 0
        figures.bytes("seal segments of 1 MiB", text.count) {
            text.forEachPart(of: Micro.frameBytes) { part in
                number += 1
                let associated = envelope.key.associated(number: number, context: [])
                sealed.withUnsafeMutableBytes {
                    cipher.seal(number: number, associated: associated, part, into: $0)
                }
            }
        }
        let associated = envelope.key.associated(number: number, context: [])
        var opened = [UInt8](repeating: 0, count: Micro.frameBytes)
        var isSound = true
        figures.bytes("open segments of 1 MiB", text.count) {
            for _ in 0..<(text.count / Micro.frameBytes) {
                isSound =
                    sealed.withUnsafeBytes { sealed in
                        opened.withUnsafeMutableBytes {
                            cipher.open(number: number, associated: associated, sealed, into: $0)
                        }
                    } && isSound
            }
        }
        guard isSound, opened == Array(text[(text.count - Micro.frameBytes)...]) else {
            throw Failed("what was sealed did not open")
        }
        try figures.calls("make an envelope", envelopes) {
            for _ in 0..<envelopes { _ = try NewEnvelope(.data, context) }
        }
    }
}
