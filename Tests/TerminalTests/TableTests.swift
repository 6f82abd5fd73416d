import Testing

@testable import Terminal

@Test func `columns stand two spaces apart, numbers at the right, nothing at the ends`() {
    var table = Table([.init("id"), .init("size", isNumber: true), .init("label")])
    table.add(["3f9c02ab", "1.2 GiB", ""])
    table.add(["91be77d0", "812 B", "größe"])
    #expect(
        table.lines == [
            "id           size  label",
            "3f9c02ab  1.2 GiB",
            "91be77d0    812 B  größe",
        ])
}

@Test func `what steers a terminal is not shown`() {
    var table = Table([.init("series")])
    table.add(["a\u{1b}[2Jb\nc\u{9b}d\u{202e}e"])
    #expect(table.lines[1] == "a?[2Jb?c?d?e")
    #expect(printable("größe-笑-😀") == "größe-笑-😀")
}

@Test func `words for a shell are quoted where they must be`() {
    #expect(shellWord("mariadb-bin.000003") == "mariadb-bin.000003")
    #expect(shellWord("/srv/größe") == "/srv/größe")
    #expect(shellWord("it's here") == #"'it'\''s here'"#)
    #expect(shellWord("$HOME") == "'$HOME'")
    #expect(shellWord("") == "''")
}
