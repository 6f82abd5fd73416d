import Glibc

/// `dump BYTES [SEED]`: a made dump on standard output, whole blocks, so a little more or less.
enum WriteDump {
    static func run(_ arguments: ArraySlice<String>) throws {
        var arguments = arguments
        let count = try number(arguments.popFirst(), "BYTES")
        let seed = try arguments.popFirst().map { UInt64(try number($0, "SEED", atLeast: 0)) } ?? 1
        guard arguments.isEmpty else { throw Misused("dump takes BYTES and SEED") }
        var dump = MadeDump(seed: seed)
        var done = 0
        try write(MadeDump.beginning, &done)
        repeat { try write(dump.block(), &done) } while done < count - MadeDump.blockBytes / 2
        try write(MadeDump.end, &done)
    }

    private static func write(_ bytes: [UInt8], _ done: inout Int) throws {
        done += bytes.count
        var rest = bytes[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { Glibc.write(1, $0.baseAddress, $0.count) }
            if count < 0 && errno == EINTR { continue }
            guard count > 0 else { throw Failed("standard output takes no more") }
            rest = rest.dropFirst(count)
        }
    }
}
