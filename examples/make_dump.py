#!/usr/bin/env python3
"""Writes a dump such as mariadb-dump writes, for trying things out where there is no server.

    make_dump.py [--night N] [--rows N] [--cut]

The rows are a function of the night and of nothing else. From one night to the next a few are changed, added and
removed, as in a shop that is open. --cut stops in the middle of a row, without the line that ends every dump.
"""
import argparse
import hashlib
import sys
import time

FIRST = "Ada Alan Barbara Claude Edsger Frances Grace Jean John Katherine Margaret Radia".split()
LAST = "Lovelace Turing Liskov Shannon Dijkstra Allen Hopper Bartik Backus Johnson Hamilton Perlman".split()
CITIES = "Lisbon Kyiv Oslo Vienna Porto Galway Lyon Tartu Ghent Turin".split()
STATES = "new paid packed sent delivered returned".split()

HEADER = """\
/*M!999999\\- enable the sandbox mode */ 
-- MariaDB dump 10.19  Distrib 10.11.0-MariaDB, for debian-linux-gnu (x86_64)
--
-- Host: localhost    Database: shop
-- ------------------------------------------------------
-- Server version\t10.11.0-MariaDB-generated

/*!40101 SET @OLD_CHARACTER_SET_CLIENT=@@CHARACTER_SET_CLIENT */;
/*!40101 SET NAMES utf8mb4 */;
/*!40014 SET @OLD_FOREIGN_KEY_CHECKS=@@FOREIGN_KEY_CHECKS, FOREIGN_KEY_CHECKS=0 */;
/*!40111 SET @OLD_SQL_NOTES=@@SQL_NOTES, SQL_NOTES=0 */;
"""
TABLE = """
--
-- Table structure for table `{name}`
--

DROP TABLE IF EXISTS `{name}`;
CREATE TABLE `{name}` (
{columns}
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4;

--
-- Dumping data for table `{name}`
--

LOCK TABLES `{name}` WRITE;
/*!40000 ALTER TABLE `{name}` DISABLE KEYS */;
"""
TABLE_END = """\
/*!40000 ALTER TABLE `{name}` ENABLE KEYS */;
UNLOCK TABLES;
"""
FOOTER = """
/*!40014 SET FOREIGN_KEY_CHECKS=@OLD_FOREIGN_KEY_CHECKS */;
/*!40101 SET CHARACTER_SET_CLIENT=@OLD_CHARACTER_SET_CLIENT */;
/*!40111 SET SQL_NOTES=@OLD_SQL_NOTES */;

"""
ROWS_PER_INSERT = 5000


def draw(*what):
    """A number that depends on its arguments only."""
    return int.from_bytes(hashlib.blake2b(repr(what).encode(), digest_size=8).digest(), "big")


def changed_on(table, row, night):
    """The last night on which the row was changed: one row in 500 is, each night."""
    for candidate in range(night, 1, -1):
        if draw(table, row, candidate) % 500 == 0:
            return candidate
    return 1


def customer(row, night):
    n, touched = draw("customer", row), changed_on("customer", row, night)
    first, last = FIRST[n % 12], LAST[n // 12 % 12]
    mail = f"{first}.{last}{row}@example.org".lower()
    return (f"({row},'{first} {last}','{mail}','{CITIES[n // 144 % 10]}',"
            f"{draw('balance', row, touched) % 1000000 / 100:.2f},'{hashlib.sha256(mail.encode()).hexdigest()}',"
            f"'2026-01-{touched % 28 + 1:02d} 10:{n % 60:02d}:00')")


def order(row, night, customers):
    n, touched = draw("order", row), changed_on("order", row, night)
    return (f"({row},{n % customers + 1},'{STATES[min(touched + n % 3, 5)]}',{n // 7 % 50000 / 100:.2f},"
            f"{'NULL' if n % 5 else repr('leave it with ' + FIRST[n // 11 % 12])},"
            f"'2026-01-{touched % 28 + 1:02d} 11:{n % 60:02d}:00')")


def dump(night, rows, out):
    customers, orders = rows // 3, rows + (night - 1) * rows // 200
    out.write(HEADER)
    tables = [
        ("customers", "  `id` int NOT NULL PRIMARY KEY,\n  `name` varchar(80),\n  `email` varchar(120),\n  `city` varchar(40),\n"
         "  `balance` decimal(12,2),\n  `token` char(64),\n  `changed` datetime",
         lambda: (customer(row, night) for row in range(1, customers + 1))),
        ("orders", "  `id` int NOT NULL PRIMARY KEY,\n  `customer` int,\n  `state` varchar(10),\n  `total` decimal(12,2),\n"
         "  `note` varchar(80),\n  `changed` datetime",
         lambda: (order(row, night, customers) for row in range(1, orders + 1)
                  if not any(draw("removed", row, past) % 2000 == 0 for past in range(2, night + 1)))),
    ]
    for name, columns, table_rows in tables:
        out.write(TABLE.format(name=name, columns=columns))
        batch = []
        for line in table_rows():
            batch.append(line)
            if len(batch) == ROWS_PER_INSERT:
                out.write(f"INSERT INTO `{name}` VALUES\n" + ",\n".join(batch) + ";\n")
                batch = []
        if batch:
            out.write(f"INSERT INTO `{name}` VALUES\n" + ",\n".join(batch) + ";\n")
        out.write(TABLE_END.format(name=name))
    out.write(FOOTER)
    out.write(time.strftime("-- Dump completed on %Y-%m-%d %k:%M:%S\n"))


class Cut:
    """Passes on the first `count` characters and then ends the program, as a full disk or a lost connection would."""

    def __init__(self, out, count):
        self.out, self.left = out, count

    def write(self, text):
        self.out.write(text[:self.left])
        self.left -= len(text)
        if self.left <= 0:
            self.out.flush()
            sys.exit(0)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Writes a dump such as mariadb-dump writes.")
    parser.add_argument("--night", type=int, default=1)
    parser.add_argument("--rows", type=int, default=90000)
    parser.add_argument("--cut", action="store_true")
    options = parser.parse_args()
    dump(options.night, options.rows, Cut(sys.stdout, options.rows * 40) if options.cut else sys.stdout)
