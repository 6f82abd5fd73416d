import DumpFormats
import Testing

/// What users write into a database must not end its dump early, nor keep it from ending.
@Suite("data cannot imitate a dump's end")
struct HostileTests {
    @Test(
        "a dump cut after any line that imitates its end is refused",
        arguments: [
            ("my-databases", "-- Dump completed"),
            ("my-databases", "-- Dump completed on 2026-11-21  4:04:29"),
            ("my-databases", "DELIMITER ;"), ("my-crlf", "-- Dump completed"),
            ("my-skip-comments", "DELIMITER ;"),
            ("pg15-plain", "-- PostgreSQL database dump complete"), ("pg15-plain", "\\."),
            ("pg15-inserts", "-- PostgreSQL database dump complete"),
            ("pg15-no-restrict", "-- PostgreSQL database dump complete"),
            ("pg15-rows-per-insert", "-- PostgreSQL database dump complete"),
            ("pg15-no-dollar", "-- PostgreSQL database dump complete"),
            ("pg15-dumpall", "-- PostgreSQL database dump complete"),
            ("pg18-plain", "-- PostgreSQL database dump complete"),
            ("sqlite-good", "COMMIT;"), ("my-xml", "-- Dump completed"),
        ])
    func imitations(_ name: String, _ line: String) throws {
        let bytes = try Recorded(name).bytes
        let end = name == "pg15-no-restrict" ? bytes.end(of: "dump complete\n") : bytes.count - 1
        var met = 0
        var start = 0
        while let newline = bytes[start...].firstIndex(of: 0x0A), newline + 1 < end {
            let text = bytes[start..<newline]
            if text.elementsEqual(line.utf8) || text.elementsEqual((line + "\r").utf8) {
                met += 1
                #expect(
                    report(bytes, upTo: newline + 1).inPipe.refusal != nil, "\(name) at \(newline)")
            }
            start = newline + 1
        }
        #expect(met > 0)
    }

    private func mysql(_ body: String) -> String {
        """
        -- MySQL dump 10.13  Distrib 8.0.36, for Linux (x86_64)
        /*!40111 SET @OLD_SQL_NOTES=@@SQL_NOTES, SQL_NOTES=0 */;
        \(body)
        /*!40111 SET SQL_NOTES=@OLD_SQL_NOTES */;

        -- Dump completed

        """
    }

    private static func procedure(
        _ body: String, delimiter: String = ";;", gap: String = ""
    ) -> String {
        "DELIMITER \(delimiter)\n"
            + "CREATE PROCEDURE p() BEGIN \(body) END \(delimiter)\n\(gap)DELIMITER ;"
    }

    private static let footer = """
        /*!40111 SET SQL_NOTES=@OLD_SQL_NOTES */;

        -- Dump completed

        """

    @Test(
        "a footer inside a body of MySQL ends nothing",
        arguments: [
            procedure("SELECT 'a;;\nDELIMITER ;\nFOOTER';"),
            procedure("/* ;;\nDELIMITER ;\nFOOTER*/"),
            procedure("SELECT \"\\\"\n;;\nDELIMITER ;\nFOOTER\";"),
            procedure("SELECT 1 AS -- ;;\nDELIMITER ;\nFOOTER;"),
            procedure("SELECT 1 AS # ;;\nDELIMITER ;\nFOOTER;"),
            "/*!50003 SET sql_mode              = 'NO_BACKSLASH_ESCAPES' */ ;\n"
                + procedure("SELECT '\\'; /* ' ;;\nDELIMITER ;\nFOOTER*/"),
            procedure("SELECT '\\\\'; /* ;;\nDELIMITER ;\nFOOTER*/"),
            procedure("SELECT `;;\nDELIMITER ;\nFOOTER`;"),
            procedure("SELECT ';;\nDELIMITER ;\nFOOTER';", delimiter: "$$", gap: "\n"),
            procedure("SELECT 1; END */;;\n/*!50003 TRIGGER t BEGIN /* it's\nFOOTER*/ SELECT 'x';"),
        ])
    func bodies(_ template: String) throws {
        let body = template.replacing("FOOTER", with: Self.footer)
        let text = mysql(body)
        #expect(report(text).end == .seen, "the whole dump")
        #expect(report(text).notes.isEmpty)
        let fake = try #require(text.firstRange(of: "-- Dump completed\n")).upperBound
        let cut = text[..<fake].utf8.count
        #expect(report(Array(text.utf8), upTo: cut).inPipe.refusal != nil, "cut at \(cut)")
    }

    @Test("every kind of body is left where it ends")
    func bodiesEnd() {
        for body in [
            "SELECT 1 --x", "SELECT '--'", "SELECT 5--1", "SELECT 1 /**/",
            "SELECT 2 /*!50003 + 1 */", "SELECT 6/2*3", "/*M!100000 SELECT 1*/",
        ] {
            let text = mysql("DELIMITER ;;\nCREATE PROCEDURE p() \(body) ;;\nDELIMITER ;")
            #expect(report(text).end == .seen, "\(body)")
        }
    }

    private func postgres(_ body: String) -> String {
        """
        --
        -- PostgreSQL database dump
        --

        \(body)

        --
        -- PostgreSQL database dump complete
        --

        """
    }

    @Test(
        "a trailer inside a literal, a name or a comment of PostgreSQL ends nothing",
        arguments: [
            "SELECT 'TRAILER';", "SELECT \"TRAILER\";", "SELECT $$TRAILER$$;",
            "SELECT $a$ $$ $b$TRAILER$a$;",
            "SELECT $a_1$ $a$TRAILER$a_1$;", "SELECT /* /* */TRAILER*/ 1;", "SELECT '''TRAILER''';",
            "SELECT 'a''b' || 'TRAILER';", "SELECT a$b, '$a$TRAILER';", "SELECT $1, '$TRAILER';",
            "INSERT INTO t VALUES (1, 'TRAILER');", "INSERT INTO \"a'b\" VALUES (1, 'TRAILER');",
            "INSERT INTO t VALUES\n\t(1, 'a'),\n\t(2, 'TRAILER'),\n\t(3, '''');",
            "COPY t (a) FROM stdin;TRAILER\\.\n",
            "COPY \"t\nTRAILER\" (\"a\") FROM stdin;TRAILER\\.\n",
        ])
    func literals(_ template: String) {
        let trailer = "\n-- PostgreSQL database dump complete\n"
        let body = template.replacing("TRAILER", with: trailer)
        let text = postgres(body)
        #expect(report(text).end == .seen)
        #expect(report(text).notes.isEmpty)
        var start = text.startIndex
        while let found = text[start...].firstRange(of: trailer),
            text[found.upperBound...].contains("database dump complete")
        {
            let cut = text[..<found.upperBound].utf8.count
            #expect(report(Array(text.utf8), upTo: cut).inPipe.refusal != nil, "cut at \(cut)")
            start = found.upperBound
        }
    }

    @Test("a dump that was cut and another after it are refused, whatever was open")
    func cutThenWhole() {
        let second = mysql("SELECT 1;")
        for first in [
            "CREATE TABLE `t` (", "INSERT INTO `t` VALUES\n(1,'a'),\n(2,'b",
            "INSERT INTO `t` VALUES (1,'a",
            "SELECT 1;", "DELIMITER ;;\nCREATE PROCEDURE p() BEGIN",
            "CREATE VIEW v AS SELECT 'it\\'s",
        ] {
            let cut = mysql(first)
            let end = cut.firstRange(of: "\n/*!40111 SET SQL_NOTES=@OLD")!.lowerBound
            for joint in ["", "\n"] {
                let report = report(String(cut[..<end]) + joint + second)
                #expect(report.inPipe.refusal != nil, "after \(first)\(joint)")
            }
        }
        let copied = postgres("COPY t (a, b) FROM stdin;\n1\t2\n")
        let half = String(copied[..<copied.firstRange(of: "1\t2\n")!.upperBound])
        #expect(report(half + copied).inPipe.refusal != nil)
    }

    @Test("other programs' dumps that set variables back are seen to their end")
    func othersInThatManner() {
        let text = """
            -- phpMyAdmin SQL Dump
            START TRANSACTION;
            /*!40101 SET @OLD_CHARACTER_SET_CLIENT=@@CHARACTER_SET_CLIENT */;
            /*!40101 SET @OLD_SQL_MODE=@@SQL_MODE */;
            INSERT INTO `t` (`a`) VALUES
            (1, 'it\\'s'),
            (2, 'b');
            COMMIT;
            /*!40101 SET CHARACTER_SET_CLIENT=@OLD_CHARACTER_SET_CLIENT */;
            /*!40101 SET SQL_MODE=IFNULL(@OLD_SQL_MODE, '') */;

            """
        #expect(report(text).end == .seen)
        let cut = text.firstRange(of: "/*!40101 SET SQL_MODE")!.lowerBound
        #expect(report(String(text[..<cut])).inPipe.refusal != nil)
    }
}
