/// A place in PostgreSQL's log: `0/3000028`; what follows behind a space is passed over.
package struct LogNumber {
    package let value: UInt64

    package init?(_ text: String) {
        let words = text.prefix { $0 != " " }.split(separator: "/")
        guard words.count == 2, let high = UInt32(words[0], radix: 16),
            let low = UInt32(words[1], radix: 16)
        else { return nil }
        value = UInt64(high) << 32 | UInt64(low)
    }
}
