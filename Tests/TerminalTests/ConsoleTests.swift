import Faults
import Files
import Glibc
import Testing
import Vault

@testable import Terminal

private struct Sad: Explained {
    var message: String { "the disk is\nfull\u{1b}[31m" }
    var hint: String? { "repo help" }
    var exitCode: ExitCode { .damage }
}

@Test func `an error is a line, and its hint another`() {
    let capture = Capture()
    console(capture).report(Sad())
    #expect(capture.err == "repo: error: the disk is?full?[31m\nrepo: hint: repo help\n")
    #expect(capture.out == "")
}

@Test func `with --json an error is an object on standard error`() {
    let capture = Capture()
    console(capture) { $0.isJSON = true }.report(Sad())
    #expect(
        capture.err
            == #"{"type":"error","message":"the disk is\nfull\u001b[31m","hint":"repo help","exit_code":5}"#
            + "\n")
}

@Test func `an error that explains nothing is still told`() {
    struct Bare: Error {}
    let capture = Capture()
    console(capture).report(Bare())
    #expect(capture.err == "repo: error: Bare()\n")
}

@Test func `colors are for terminals, and only where they are wanted`() {
    for (isTerminal, hasColors) in [(true, true), (true, false), (false, true)] {
        let capture = Capture()
        console(capture) { settings in
            settings.errorIsTerminal = isTerminal
            settings.hasColors = hasColors
        }.warn("careful")
        #expect(capture.err.contains("\u{1b}") == (isTerminal && hasColors))
    }
}

@Test func `quiet leaves out summaries and hints, not warnings`() throws {
    let capture = Capture()
    let console = console(capture) { $0.isQuiet = true }
    try console.summary("saved")
    console.hint("next")
    console.note("by the way")
    console.warn("careful")
    try console.out("data")
    try console.flush()
    #expect(capture.out == "data\n")
    #expect(capture.err == "repo: warning: careful\n")
}

@Test func `what was said on standard output stands before what comes on standard error`() throws {
    let capture = Capture()
    let console = console(capture)
    try console.out("a line")
    #expect(capture.out == "")
    console.warn("careful")
    #expect(capture.out == "a line\n")
}

@Test func `a closed pipe is no reason for words, a full disk is`() throws {
    let capture = Capture()
    let closed = console(capture, outputFails: EPIPE)
    try closed.out("a line")
    #expect(throws: OutputClosed.self) { try closed.flush() }
    let full = console(capture, outputFails: ENOSPC)
    try full.out("a line")
    #expect(throws: FileError.self) { try full.flush() }
    #expect(capture.err == "")
}

@Test func `what standard output did not take is not forgotten for a warning in between`() throws {
    let console = console(Capture(), outputFails: ENOSPC)
    try console.out("a line")
    console.warn("careful")
    #expect(throws: FileError.self) { try console.flush() }
}

@Test func `the progress line is erased before anything else is said`() {
    let (capture, clock) = (Capture(), HandClock())
    let console = console(capture, clock) {
        $0.errorIsTerminal = true
        $0.hasColors = false
    }
    console.show(Progress(bytes: 0))
    clock.advance(1000)
    console.show(Progress(bytes: 5_000_000))
    #expect(capture.err == "\r5.0 MB  5.0 MB/s\r")
    console.warn("careful")
    #expect(capture.err.hasSuffix("\r\r                \rrepo: warning: careful\n"))
}

@Test func `a shorter progress line covers a longer one, and none is wider than the terminal`() {
    let (capture, clock) = (Capture(), HandClock())
    let console = console(capture, clock) {
        $0.errorIsTerminal = true
        $0.width = 12
    }
    console.show(Progress(bytes: 0))
    clock.advance(1000)
    console.show(Progress(bytes: 5_000_000))
    #expect(capture.err == "\r5.0 MB  5.0\r")
    console.endProgress()
    clock.advance(1000)
    console.show(Progress(bytes: 9_000_000))
    #expect(capture.err == "\r5.0 MB  5.0\r\r           \r")
}

@Test func `without a terminal there is no progress, but with --json there is`() {
    let (capture, clock) = (Capture(), HandClock())
    let plain = console(capture, clock)
    let json = console(capture, clock) { $0.isJSON = true }
    let quiet = console(capture, clock) {
        $0.isJSON = true
        $0.isQuiet = true
    }
    for console in [plain, json, quiet] { console.show(Progress(bytes: 0)) }
    clock.advance(2000)
    for console in [plain, json, quiet] { console.show(Progress(bytes: 1)) }
    #expect(capture.err.split(separator: "\n").count == 1)
    #expect(capture.err.hasPrefix(#"{"type":"progress","bytes":1,"#))
}
