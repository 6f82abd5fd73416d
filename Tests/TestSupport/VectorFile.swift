import Glibc

/// A file of golden vectors below Tests/Vectors (its README says how they are written): cases of
/// `name: hex` lines. What a case expects has names that begin with `expected `.
package struct VectorFile {
    /// Blocks between empty lines, some of them comments only.
    private var blocks: [VectorCase] = []
    private let path: String
    package var cases: [VectorCase] { blocks.filter { !$0.lines.isEmpty } }

    package struct Unreadable: Error, CustomStringConvertible {
        package let description: String
    }

    package init(_ name: String) throws {
        path = Self.folder + name + ".txt"
        var current = VectorCase(file: name)
        for (number, line) in try Self.read(path).split(
            separator: "\n", omittingEmptySubsequences: false
        ).enumerated() {
            if line.isEmpty {
                close(&current)
            } else if line.hasPrefix("#") {
                current.comments.append(String(line))
            } else if line.hasPrefix(" "), let last = current.lines.indices.last {
                current.lines[last].value += hex(String(line))
            } else if let colon = line.firstIndex(of: ":") {
                current.lines.append(
                    (String(line[..<colon]), hex(String(line[line.index(after: colon)...]))))
            } else {
                throw Unreadable(
                    description: "\(path), line \(number + 1): neither `name: hex` nor a comment")
            }
        }
        close(&current)
        guard !cases.isEmpty else { throw Unreadable(description: "\(path) holds no case") }
    }

    private mutating func close(_ current: inout VectorCase) {
        if !current.lines.isEmpty || !current.comments.isEmpty { blocks.append(current) }
        current = VectorCase(file: current.file)
    }

    private static let folder =
        String(#filePath.prefix(through: #filePath.lastIndex(of: "/")!)) + "../Vectors/"

    private static func read(_ path: String) throws -> String {
        guard let file = fopen(path, "r") else {
            throw Unreadable(description: "\(path) cannot be opened")
        }
        defer { fclose(file) }
        var bytes: [UInt8] = []
        var block = [UInt8](repeating: 0, count: 64 << 10)
        while true {
            let count = fread(&block, 1, block.count, file)
            if count == 0 { return String(decoding: bytes, as: UTF8.self) }
            bytes += block[..<count]
        }
    }
}

extension VectorFile {
    /// Holds every case against what `make` makes of its inputs, as `expected` lines without that
    /// word. With REPO_WRITE_VECTORS=1 the file is rewritten with what was made instead.
    /// - Returns: what differs, a line each.
    package func check(_ make: (VectorCase) throws -> [(name: String, value: [UInt8])]) throws
        -> [String]
    {
        var differences: [String] = []
        var remade = blocks
        for (index, vector) in blocks.enumerated() where !vector.lines.isEmpty {
            let made = try make(vector).map {
                (name: VectorCase.expected + $0.name, value: $0.value)
            }
            let wanted = vector.lines.filter { $0.name.hasPrefix(VectorCase.expected) }
            if made.map({ $0.name }) != wanted.map({ $0.name }) {
                differences.append(
                    "\(vector.title): it has \(wanted.map { $0.name }), made were \(made.map { $0.name })"
                )
            }
            for (name, value) in made
            where vector.lines.contains(where: { $0.name == name }) && vector[name] != value {
                differences.append(
                    "\(vector.title): \(name) is \(digits(value)), not \(digits(vector[name]))")
            }
            remade[index].lines =
                vector.lines.filter { !$0.name.hasPrefix(VectorCase.expected) } + made
        }
        guard getenv("REPO_WRITE_VECTORS") != nil else { return differences }
        try write(remade)
        return []
    }

    private func write(_ blocks: [VectorCase]) throws {
        let text = blocks.map { $0.text }.joined(separator: "\n")
        guard let file = fopen(path, "w") else {
            throw Unreadable(description: "\(path) cannot be written")
        }
        let count = fwrite(Array(text.utf8), 1, text.utf8.count, file)
        guard fclose(file) == 0, count == text.utf8.count else {
            throw Unreadable(description: "\(path) cannot be written")
        }
    }
}

/// One case: comments, inputs, what is expected.
package struct VectorCase {
    package static let expected = "expected "
    package let file: String
    package var comments: [String] = []
    package var lines: [(name: String, value: [UInt8])] = []

    fileprivate init(file: String) { self.file = file }

    /// For messages: the file and the case's first comment.
    package var title: String { "\(file)\(comments.last.map { " " + $0 } ?? "")" }

    package func has(_ name: String) -> Bool { lines.contains { $0.name == name } }

    /// The value of a line that must be there.
    package subscript(_ name: String) -> [UInt8] {
        guard let line = lines.first(where: { $0.name == name }) else {
            fatalError("\(title) has no \(name)")
        }
        return line.value
    }

    package func all(_ name: String) -> [[UInt8]] {
        lines.filter { $0.name == name }.map { $0.value }
    }

    /// A little-endian number.
    package func number(_ name: String) -> UInt64 {
        self[name].reversed().reduce(0) { $0 << 8 | UInt64($1) }
    }

    package func text(_ name: String) -> String { String(decoding: self[name], as: UTF8.self) }

    fileprivate var text: String {
        comments.map { $0 + "\n" }.joined() + lines.map { Self.line($0.name, $0.value) }.joined()
    }

    private static let columns = 100

    /// A line, or several of which the further ones begin with spaces.
    private static func line(_ name: String, _ value: [UInt8]) -> String {
        let hexadecimal = digits(value)
        if name.count + 2 + hexadecimal.count <= columns {
            return "\(name): \(hexadecimal)\n".trimmedEnd
        }
        var text = "\(name):\n"
        var rest = hexadecimal[...]
        while !rest.isEmpty {
            text += "    \(rest.prefix(columns - 4))\n"
            rest = rest.dropFirst(columns - 4)
        }
        return text
    }
}

extension String {
    /// Without the space that an empty value leaves behind its colon.
    fileprivate var trimmedEnd: String { hasSuffix(": \n") ? dropLast(2) + "\n" : self }
}

func digits(_ bytes: [UInt8]) -> String {
    let alphabet = Array("0123456789abcdef".utf8)
    return String(
        decoding: bytes.flatMap { [alphabet[Int($0 >> 4)], alphabet[Int($0 & 15)]] }, as: UTF8.self)
}
