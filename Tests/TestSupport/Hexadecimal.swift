/// The bytes that hexadecimal digits spell; spaces and line ends are passed over. Anything else is
/// a slip in a test.
package func hex(_ text: String) -> [UInt8] {
    var digits: [UInt8] = []
    for character in text where !character.isWhitespace {
        guard let digit = character.hexDigitValue else {
            fatalError("\(character) is no hexadecimal digit")
        }
        digits.append(UInt8(digit))
    }
    guard digits.count.isMultiple(of: 2) else { fatalError("a digit is missing: \(text)") }
    return stride(from: 0, to: digits.count, by: 2).map { digits[$0] << 4 | digits[$0 + 1] }
}
