import Files

/// The time zones that this machine knows.
package struct TimeZones: Sendable {
    private let calls: SystemCalls
    private let directory: Path

    package init(
        _ calls: SystemCalls, directory: Path = Path("/usr/share/zoneinfo")
    ) {
        self.calls = calls
        self.directory = directory
    }

    /// A zone by its name in the tz database, such as `Europe/Berlin`. UTC is always known.
    package func zone(_ name: String?) throws -> ZoneOffsets {
        guard let name, !["UTC", "Etc/UTC", "Z"].contains(name) else { return .utc }
        // A name from a repository must not lead anywhere else on this machine.
        let parts = name.utf8.split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false)
        guard parts.count <= 3, parts.allSatisfy(Self.isPart) else {
            throw RetentionError.unknownZone(name)
        }
        let bytes: [UInt8]
        do {
            bytes = try Directories(calls).contents(
                of: directory / name, limit: ZoneFile.byteCountMax)
        } catch {
            throw RetentionError.unknownZone(name)
        }
        guard let zone = ZoneFile.read(bytes) else { throw RetentionError.unknownZone(name) }
        return zone
    }

    private static func isPart(_ part: Substring.UTF8View) -> Bool {
        guard let first = part.first, first != UInt8(ascii: ".") else { return false }
        return part.allSatisfy { byte in
            let letter = byte | 0x20
            return (letter >= 0x61 && letter <= 0x7a) || (byte >= 0x30 && byte <= 0x39)
                || "_+-".utf8.contains(byte)
        }
    }
}
