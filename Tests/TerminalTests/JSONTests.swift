import Testing

@testable import Terminal

@Test func `an object is one line with its members in order`() {
    let object = JSON.object([
        "type": "summary", "n": 9_007_199_254_740_993, "none": nil, "yes": true,
        "list": .array(["a", 1, .object(["b": 2])]),
    ])
    #expect(
        object.line
            == #"{"type":"summary","n":9007199254740993,"none":null,"yes":true,"list":["a",1,{"b":2}]}"#
    )
}

@Test func `quotes, backslashes and control characters are escaped, other characters are not`() {
    #expect(JSON.string("a\"b\\c\nd\re\tf").line == #""a\"b\\c\nd\re\tf""#)
    #expect(JSON.string("\u{0}\u{1b}[31m\u{7f}\u{9b}").line == #""\u0000\u001b[31m\u007f\u009b""#)
    #expect(JSON.string("größe-笑-😀/").line == "\"größe-笑-😀/\"")
    // A carriage return and a line feed are one character to Swift and two to JSON.
    #expect(JSON.string("a\r\nb").line == #""a\r\nb""#)
}

@Test func `numbers that JSON does not know are null`() {
    #expect(JSON.number(.nan).line == "null")
    #expect(JSON.number(-.infinity).line == "null")
    #expect(JSON.seconds(1.23456).line == "1.235")
    #expect(JSON.integer(.min).line == "-9223372036854775808")
}

@Test func `members can be added at the end`() {
    #expect(JSON.object(["a": 1]).with(["b": nil]).line == #"{"a":1,"b":null}"#)
}
