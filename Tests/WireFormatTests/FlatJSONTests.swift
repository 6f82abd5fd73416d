import Testing
import WireFormat

@Test(arguments: [
    (#""gr\u00fc\u00DFe""#, "grüße"), (#""\u4f8b""#, "例"), (#""a\"b\\c\/d\ne\tf""#, "a\"b\\c/d\ne\tf"),
    // Half of a pair, no number, and one that is cut off.
    (#""\ud83d""#, "\u{FFFD}"), (#""\uwxyz.""#, "\u{FFFD}."), (#""\u12"#, "\u{12}"),
    (#""\"#, "\\"),
])
func `escapes in a text stand for what they say`(_ json: String, _ text: String) {
    let read = FlatJSON(Array(#"{"name": \#(json)"#.utf8))["name"]
    #expect(read.map { Array($0.unicodeScalars) } == Array(text.unicodeScalars))
}
