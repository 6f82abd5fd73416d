/// Text that may be shown on a terminal: what moves the cursor, changes colors or turns the
/// direction of writing is replaced. Names in a repository come from elsewhere.
func printable(_ text: some StringProtocol) -> String {
    if text.unicodeScalars.allSatisfy({ !isHarmful($0) }) { return String(text) }
    return String(String.UnicodeScalarView(text.unicodeScalars.map { isHarmful($0) ? "?" : $0 }))
}

private func isHarmful(_ scalar: Unicode.Scalar) -> Bool {
    switch scalar.value {
    case ..<0x20, 0x7f..<0xa0, 0x2028...0x202e, 0x2066...0x2069: true
    default: false
    }
}

/// A word for a shell: as it is where that is safe, else in quotes.
func shellWord(_ text: String) -> String {
    let isPlain =
        !text.isEmpty
        && text.unicodeScalars.allSatisfy { scalar in
            switch scalar {
            case "a"..."z", "A"..."Z", "0"..."9", "_", "-", ".", "/", ":", "@", "+", ",", "=", "%":
                true
            default: scalar.value >= 0xa0
            }
        }
    return isPlain ? text : "'" + text.replacing("'", with: "'\\''") + "'"
}
