import DumpFormats
import Testing

@Suite("dumps tell of themselves")
struct FactsTests {
    @Test("mariadb-dump tells its versions, position, GTID, databases and tables")
    func mariadb() throws {
        let bytes = try Recorded("my-databases").bytes
        let report = report(bytes)
        #expect(report.tool == "mariadb-dump")
        #expect(report.toolVersion?.hasPrefix("10.11.") == true)
        #expect(report.serverVersion?.hasPrefix("10.11.") == true)
        #expect(report.position?.file == "binlog.000001")
        #expect(report.position.map { $0.offset > 1_000 } == true)
        #expect(report.gtid?.hasPrefix("0-1-") == true)
        #expect(report.databases == ["shop", "odd`name"])
        #expect(report.facts == [Fact(name: "host", value: "localhost")])
        // the name of `evil` goes on in the next line
        #expect(
            report.tables.map(\.qualifiedName) == [
                "shop.customers", "shop.evil...", "shop.orders", "odd`name.we`ird 'tab\"le",
            ])
        let orders = try #require(report.tables.first { $0.name == "orders" })
        let text = orders.ranges.map { bytes.text($0) }.joined()
        #expect(text.hasPrefix("--\n-- Table structure for table `orders`"))
        #expect(text.contains("INSERT INTO `orders` VALUES"))
        #expect(text.contains("(60,"))
        #expect(!text.contains("CREATE TABLE `customers`"))
        let last = report.volatileRanges.last.map { bytes.text($0) }
        #expect(last?.hasPrefix("-- Dump completed on 20") == true)
    }

    @Test("the position of --dump-slave is that of the source")
    func dumpSlave() throws {
        let report = report(try Recorded("my-dump-slave").bytes)
        #expect(report.position == nil)
        #expect(report.sourcePosition == BinlogPosition(file: "src-bin.000007", offset: 4_242))
    }

    @Test("--gtid still tells the position")
    func gtid() throws {
        let report = report(try Recorded("my-gtid").bytes)
        #expect(report.position?.file == "binlog.000001")
        #expect(report.gtid?.hasPrefix("0-1-") == true)
    }

    @Test("without comments the tables are found by their statements")
    func noComments() throws {
        let bytes = try Recorded("my-skip-comments-databases").bytes
        let report = report(bytes)
        #expect(report.databases == ["shop", "odd`name"])
        #expect(report.tables.map(\.name).contains("orders"))
        let orders = try #require(report.tables.first { $0.name == "orders" })
        #expect(orders.database == "shop")
        #expect(orders.ranges.map { bytes.text($0) }.joined().contains("(60,"))
    }

    @Test("XML tells its databases and tables")
    func xml() throws {
        let report = report(try Recorded("my-xml").bytes)
        #expect(report.databases == ["shop", "empty"])
        #expect(report.tables.contains { $0.qualifiedName == "shop.orders" })
    }

    /// In the words of MySQL 8; there is no MySQL here to record from.
    static let mysql = """
        -- MySQL dump 10.13  Distrib 8.0.36, for Linux (x86_64)
        --
        -- Host: db1    Database: shop
        -- ------------------------------------------------------
        -- Server version\t8.0.36

        /*!40101 SET @OLD_CHARACTER_SET_CLIENT=@@CHARACTER_SET_CLIENT */;
        /*!40111 SET @OLD_SQL_NOTES=@@SQL_NOTES, SQL_NOTES=0 */;
        Warning: A partial dump from a server. If you don't want to restore GTIDs, pass OFF.
        SET @MYSQLDUMP_TEMP_LOG_BIN = @@SESSION.SQL_LOG_BIN;
        SET @@SESSION.SQL_LOG_BIN= 0;

        --
        -- GTID state at the beginning of the backup\u{20}
        --

        SET @@GLOBAL.GTID_PURGED=/*!80000 '+'*/ '3e11fa47-71ca-11e1-9e33-c80aa9429562:1-447,
        8ba6c684-dd5d-11f0-b2f8-00155d24608c:1-475';

        --
        -- Position to start replication or point-in-time recovery from
        --

        -- CHANGE REPLICATION SOURCE TO SOURCE_LOG_FILE='binlog.000042', SOURCE_LOG_POS=157;

        --
        -- Table structure for table `orders`
        --

        CREATE TABLE `orders` (`a` int);
        LOCK TABLES `orders` WRITE;
        INSERT INTO `orders` VALUES (1,'it\\'s;'),(2,'-- Dump completed\\n');
        UNLOCK TABLES;
        /*!40101 SET CHARACTER_SET_CLIENT=@OLD_CHARACTER_SET_CLIENT */;
        /*!40111 SET SQL_NOTES=@OLD_SQL_NOTES */;

        -- Dump completed on 2026-11-21  4:04:29

        """

    @Test("mysqldump of MySQL 8 tells a GTID set over several lines and the position of a source")
    func mysqlText() {
        let report = report(Self.mysql)
        #expect(report.end == .seen)
        #expect(report.tool == "mysqldump")
        #expect(report.toolVersion == "8.0.36")
        #expect(
            report.gtid
                == "3e11fa47-71ca-11e1-9e33-c80aa9429562:1-447,"
                + "8ba6c684-dd5d-11f0-b2f8-00155d24608c:1-475"
        )
        #expect(report.position == BinlogPosition(file: "binlog.000042", offset: 157))
        #expect(report.tables.map(\.qualifiedName) == ["shop.orders"])
        #expect(report.warnings.count == 1)
    }

    @Test("the header of MariaDB 11 tells its version")
    func mariadb11() {
        let text = Self.mysql.replacing(
            "-- MySQL dump 10.13  Distrib 8.0.36, for",
            with:
                "/*!999999\\- enable the sandbox mode */\n-- MariaDB dump 10.19-11.8.2-MariaDB, for"
        ).replacing(
            "/*!40111 SET @OLD_SQL_NOTES=@@SQL_NOTES",
            with: "/*M!100616 SET @OLD_NOTE_VERBOSITY=@@NOTE_VERBOSITY"
        )
        .replacing(
            "/*!40111 SET SQL_NOTES=@OLD_SQL_NOTES",
            with: "/*M!100616 SET NOTE_VERBOSITY=@OLD_NOTE_VERBOSITY")
        let report = report(text)
        #expect(report.end == .seen)
        #expect(report.toolVersion == "11.8.2-MariaDB")
    }

    @Test("pg_dump tells its versions and the ranges of its tables")
    func postgres() throws {
        for name in ["pg15-plain", "pg15-inserts", "pg18-plain"] {
            let bytes = try Recorded(name).bytes
            let report = report(bytes)
            #expect(report.tool == "pg_dump")
            #expect(report.toolVersion?.hasPrefix(name.hasPrefix("pg15") ? "15." : "18.") == true)
            #expect(report.serverVersion == report.toolVersion)
            let customers = try #require(report.tables.first { $0.name == "customers" })
            #expect(customers.schema == "public")
            #expect(customers.ranges.count == 2)
            #expect(bytes.text(customers.ranges[0]).contains("CREATE TABLE public.customers"))
            let rows = bytes.text(customers.ranges[1])
            #expect(rows.hasPrefix("--\n-- Data for Name: customers; Type: TABLE DATA"))
            #expect(rows.contains("name 15"))
            #expect(!rows.contains("Name: nodata"))
        }
    }

    @Test("pg_dumpall tells the databases, and which table is in which")
    func dumpall() throws {
        let report = report(try Recorded("pg15-dumpall").bytes)
        #expect(report.tool == "pg_dumpall")
        #expect(report.databases == ["template1", "postgres", "shop"])
        #expect(report.tables.contains { $0.qualifiedName == "shop.public.customers" })
    }

    @Test("a custom archive tells its database, versions and where the data of its tables stands")
    func custom() throws {
        for (name, version) in [("pg15-custom-z0", "1.14"), ("pg18-custom-z0", "1.16")] {
            let bytes = try Recorded(name).bytes
            let report = report(bytes)
            #expect(report.databases == ["shop"])
            #expect(report.facts == [Fact(name: "archive version", value: version)])
            let customers = try #require(report.tables.first { $0.name == "customers" })
            #expect(customers.qualifiedName == "shop.public.customers")
            #expect(bytes.text(customers.ranges[0]).contains("name 15"))
            // the date of the dump
            #expect(report.volatileRanges.map(\.count) == [35])
        }
    }

    @Test("what follows a custom archive is noted")
    func customFile() throws {
        let report = report(try Recorded("pg18-custom-file").bytes)
        #expect(report.notes.contains { $0.contains("follow the end of the archive") })
    }

    @Test("mariabackup tells its versions, LSNs and the position")
    func mariabackup() throws {
        let report = report(try Recorded("xb-full").bytes)
        #expect(report.tool == "mariabackup")
        #expect(report.toolVersion?.hasPrefix("10.11.") == true)
        #expect(report.position?.file == "binlog.000001")
        #expect(report.gtid?.hasPrefix("0-1-") == true)
        let facts = Dictionary(uniqueKeysWithValues: report.facts.map { ($0.name, $0.value) })
        #expect(facts["backup_type"] == "full-backuped")
        #expect(facts["from_lsn"] == "0")
        #expect(facts["incremental"] == "N")
    }

    @Test("pg_basebackup tells where its WAL begins")
    func basebackup() throws {
        let report = report(try Recorded("pg15-basebackup").bytes)
        #expect(report.tool == "pg_basebackup")
        #expect(
            report.facts.contains { $0.name == "start wal location" && $0.value.hasPrefix("0/") })
    }

    @Test("sqlite3 tells its tables")
    func sqlite() throws {
        let bytes = try Recorded("sqlite-good").bytes
        let report = report(bytes)
        let customers = try #require(report.tables.first { $0.name == "customers" })
        #expect(customers.ranges.map { bytes.text($0) }.joined().contains("name 40"))
    }

    @Test("text around dumps is accepted, and what follows them is noted")
    func around() throws {
        let report = report(try Recorded("my-wrapped").bytes)
        #expect(
            report.notes == [
                "8 bytes of text follow the end of the dump at byte \(report.byteCount - 8)"
            ])
    }

    @Test("of more than 100,000 tables the first are listed, and a note says so")
    func manyTables() {
        var text = "-- MySQL dump 10.13  Distrib 8.0.36, for Linux (x86_64)\n"
        for index in 0..<100_100 { text += "-- Table structure for table `t\(index)`\n" }
        text += "-- Dump completed\n"
        let report = report(text)
        #expect(report.end == .seen)
        #expect(report.tables.count == 100_000)
        #expect(report.notes == ["only the first 100000 tables are listed"])
    }
}
