/// What a stream is. The raw value is the name in `--format`, in manifests and in JSON: add, never
/// rename.
package enum StreamFormat: String, Sendable, CaseIterable, Equatable {
    /// Anything else: stored as it is, nothing believed.
    case raw
    /// The text of mysqldump and mariadb-dump, and of others that write in its manner.
    case mysqldump
    case mysqldumpXML = "mysqldump-xml"
    case pgDump = "pg_dump"
    case pgDumpall = "pg_dumpall"
    case pgCustom = "pg_custom"
    case sqlite
    case tar
    case xbstream

    case gzip, zstd, xz, lz4, bzip2, lzop, lzip, qpress, zip
    case sevenZip = "7z"

    case xbcrypt, age, gpg, openssl

    /// Whether the stream is text to be cut at row ends.
    package var isText: Bool {
        switch self {
        case .mysqldump, .mysqldumpXML, .pgDump, .pgDumpall, .sqlite: true
        default: false
        }
    }

    /// Whether it is split into members.
    package var isArchive: Bool { self == .tar || self == .xbstream }

    package var isCompressed: Bool {
        switch self {
        case .gzip, .zstd, .xz, .lz4, .bzip2, .lzop, .lzip, .qpress, .zip, .sevenZip: true
        default: false
        }
    }

    package var isEncrypted: Bool {
        switch self {
        case .xbcrypt, .age, .gpg, .openssl: true
        default: false
        }
    }

    /// The ending of a restored file's name, without a dot.
    package var fileExtension: String {
        switch self {
        case .raw: "bin"
        case .mysqldump, .pgDump, .pgDumpall, .sqlite: "sql"
        case .mysqldumpXML: "xml"
        case .pgCustom: "dump"
        case .tar: "tar"
        case .xbstream: "xb"
        case .gzip: "gz"
        case .zstd: "zst"
        case .xz: "xz"
        case .lz4: "lz4"
        case .bzip2: "bz2"
        case .lzop: "lzo"
        case .lzip: "lz"
        case .qpress: "qp"
        case .zip: "zip"
        case .sevenZip: "7z"
        case .xbcrypt: "xbcrypt"
        case .age: "age"
        case .gpg: "gpg"
        case .openssl: "enc"
        }
    }
}
