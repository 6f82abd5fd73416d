/// The maxima of everything read from outside; all are checked before anything is allocated for.
enum Limits {
    /// How much of a stream's beginning is looked at to recognize it.
    static let headBytesMax = 65_536
    /// How much of a line's beginning is looked at; the rest is passed over.
    static let lineBytesMax = 65_536
    /// The longest name or header value kept; longer ones are cut.
    static let nameBytesMax = 512
    static let tablesMax = 100_000
    static let rangesMax = 400_000
    static let databasesMax = 10_000
    static let remarksMax = 32
    static let volatileRangesMax = 256
    static let gtidBytesMax = 65_536
    static let savedVariablesMax = 32
    /// Dumps that follow each other or hold each other; only the innermost open ones are kept.
    static let openPartsMax = 8
    /// Members of an archive that are listed.
    static let membersMax = 1_000_000
    static let memberPathBytesMax = 4096
    /// Pieces of members that stand by themselves in the stream.
    static let piecesMax = 2_000_000
    /// Members of an archive that began and have not ended.
    static let openMembersMax = 100_000
    /// Entries of a custom archive whose data is awaited by name; more are only counted.
    static let awaitedEntriesMax = 1_000_000
    /// The largest metadata member (`xtrabackup_info`, a pax header) that is read.
    static let metadataBytesMax = 65_536
    /// The longest path in a tar archive; xbstream's own maximum is 512.
    static let pathBytesMax = 65_536
    static let xbstreamPathBytesMax = 512
    /// A length above this in an archive cannot be meant.
    static let payloadBytesMax: UInt64 = 1 << 62
    /// Compressed streams inside compressed streams.
    static let nestingMax = 2
    static let dollarTagBytesMax = 256
}
