import Sealing
import TestSupport
import Testing

struct RecoveryKeyTests {
    private func root(_ text: String) throws(SealingError) -> [UInt8] {
        bytes(try RecoveryKey.root(of: Array(text.utf8)))
    }

    private func isRefused(_ text: String) -> Bool {
        do throws(SealingError) {
            _ = try root(text)
            return false
        } catch {
            if case .malformed = error { return true }
            return false
        }
    }

    private let text = RecoveryKey.text(of: secret(block(200)))

    @Test func `the text has 14 groups of 4 digits of Crockford's alphabet`() {
        let groups = text.split(separator: "-", omittingEmptySubsequences: false)
        #expect(groups.count == 14 && groups.allSatisfy { $0.count == 4 })
        #expect(text.allSatisfy { "0123456789ABCDEFGHJKMNPQRSTVWXYZ-".contains($0) })
    }

    @Test func `every root comes back`() throws {
        var random = SeededRandom(seed: announcedSeed())
        let roots =
            [[UInt8](repeating: 0, count: 32), [UInt8](repeating: 0xff, count: 32)]
            + (0..<200).map { _ in random.bytes(32) }
        for bytes in roots { #expect(try root(RecoveryKey.text(of: secret(bytes))) == bytes) }
        #expect(RecoveryKey.text(of: secret(roots[0])).hasPrefix("0000-0000-"))
        #expect(RecoveryKey.text(of: secret(roots[1])).hasPrefix("ZZZZ-ZZZZ-"))
    }

    @Test func `what people do to case, spaces, dashes, lines and look-alikes is forgiven`() throws
    {
        let forms = [
            text.lowercased(), text.replacing("-", with: ""), text.replacing("-", with: " "),
            " \(text) ", text + "\n",
            "\r\n" + text.replacing("-", with: "\r\n"), text.replacing("-", with: "--"),
            text.replacing("-", with: "\t"),
            "# recovery key of shop\n\(text)\n# keep it safe\n", text.replacing("0", with: "O"),
            text.replacing("0", with: "o"), text.replacing("1", with: "I"),
            text.replacing("1", with: "l"),
            text.replacing("1", with: "L").lowercased(),
        ]
        for form in forms { #expect(try root(form) == block(200), "\(form)") }
        // A root whose text has both digits that have look-alikes.
        let both = RecoveryKey.text(of: secret([0x00, 0x42, 0x10] + block(1, 29)))
        #expect(both.contains("0") && both.contains("1"))
        #expect(
            try root(both.replacing("0", with: "o").replacing("1", with: "i")) == [
                0x00, 0x42, 0x10,
            ] + block(1, 29))
    }

    @Test func `one wrong digit is told, wherever it stands`() {
        let digits = Array("0123456789ABCDEFGHJKMNPQRSTVWXYZ")
        let characters = Array(text)
        var refused = 0
        for index in characters.indices where characters[index] != "-" {
            for digit in digits where digit != characters[index] {
                var wrong = characters
                wrong[index] = digit
                #expect(isRefused(String(wrong)), "digit \(index) as \(digit)")
                refused += 1
            }
        }
        #expect(refused == 56 * 31)
    }

    @Test func `two digits that changed places are told`() {
        let characters = Array(text.replacing("-", with: ""))
        for index in 1..<characters.count where characters[index] != characters[index - 1] {
            var wrong = characters
            wrong.swapAt(index, index - 1)
            #expect(isRefused(String(wrong)), "digits \(index - 1) and \(index)")
        }
    }

    @Test func `digits too few, too many or of another alphabet are refused`() {
        let digits = text.replacing("-", with: "")
        for count in 0..<56 { #expect(isRefused(String(digits.prefix(count))), "\(count)") }
        #expect(isRefused(digits + "0"))
        #expect(isRefused(digits + digits))
        for character in ["U", "u", "!", "_", ".", "é", "\u{0}", "#"] {
            #expect(
                isRefused(String(digits.prefix(20)) + character + String(digits.dropFirst(20))),
                "\(character)")
            #expect(
                isRefused(String(digits.prefix(20)) + character + String(digits.dropFirst(21))),
                "\(character)")
        }
        #expect(isRefused("# " + digits))
        #expect(isRefused(" #\n" + digits))
    }
}
