/// The lines that open a dump written as text.
enum TextMark: Equatable {
    /// `-- MariaDB dump 10.19  Distrib ...`, `-- MySQL dump ...`: promises a last line.
    case mysqlHeader
    /// `/*M!999999\- enable the sandbox mode */`: promises nothing.
    case mysqlSandbox
    /// `/*!40101 SET @OLD_X=@@X */;`: promises that X is set back.
    case mysqlSaves
    /// `/*!40101 SET @saved_cs_client`: what `--compact` of MySQL begins with.
    case mysqlCompact
    case mysqlXML
    case postgres
    case cluster
    case sqlite

    /// - Parameters:
    ///   - line: without its newline.
    ///   - next: what follows it, as far as it is at hand.
    init?(_ line: UnsafeRawBufferPointer, next: UnsafeRawBufferPointer) {
        guard let first = line.first else { return nil }
        switch first {
        case Ascii.dash:
            guard let mark = TextMark(comment: line) else { return nil }
            self = mark
        case Ascii.slash:
            guard let mark = TextMark(statement: line) else { return nil }
            self = mark
        case UInt8(ascii: "P"):
            guard line.withoutReturn.equals("PRAGMA foreign_keys=OFF;") else { return nil }
            guard next.hasPrefix("BEGIN TRANSACTION;") else { return nil }
            self = .sqlite
        case Ascii.less:
            guard line.hasPrefix("<mysqldump ") || line.withoutReturn.equals("<mysqldump>") else {
                return nil
            }
            self = .mysqlXML
        default: return nil
        }
    }

    init?(comment line: UnsafeRawBufferPointer) {
        guard line.hasPrefix("-- ") else { return nil }
        if line.hasPrefix("-- MariaDB dump ") || line.hasPrefix("-- MySQL dump ") {
            self = .mysqlHeader
        } else if line.withoutReturn.equals("-- PostgreSQL database dump") {
            self = .postgres
        } else if line.withoutReturn.equals("-- PostgreSQL database cluster dump") {
            self = .cluster
        } else {
            return nil
        }
    }

    init?(statement line: UnsafeRawBufferPointer) {
        if line.opensSandbox {
            self = .mysqlSandbox
        } else if line.hasPrefix("/*!"), line.part(0, 24).position(of: " SET @OLD_") != nil {
            self = .mysqlSaves
        } else if line.hasPrefix("/*!"),
            line.part(0, 40).position(of: " SET @saved_cs_client") != nil
        {
            self = .mysqlCompact
        } else {
            return nil
        }
    }

    var format: StreamFormat {
        switch self {
        case .mysqlHeader, .mysqlSandbox, .mysqlSaves, .mysqlCompact: .mysqldump
        case .mysqlXML: .mysqldumpXML
        case .postgres: .pgDump
        case .cluster: .pgDumpall
        case .sqlite: .sqlite
        }
    }
}

extension UnsafeRawBufferPointer {
    /// The first line of mariadb-dump since 2024; the first releases that had it wrote it without
    /// the `M`.
    var opensSandbox: Bool {
        hasPrefix("/*M!999999\\- enable the sandbox")
            || hasPrefix("/*!999999\\- enable the sandbox")
    }

    /// A line without the carriage return that ends it where newlines were converted.
    var withoutReturn: UnsafeRawBufferPointer {
        last == Ascii.carriageReturn ? part(0, count - 1) : self
    }
}
