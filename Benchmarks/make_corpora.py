#!/usr/bin/env python3
"""Makes nightly dumps of real servers to measure with: a shop that is open all day, dumped every night.

    make_corpora.py DIR [--scale S] [--days N] [--only my-sql|pg-sql|my-xb|pg-tar]

Writes DIR/my-sql/dayN.sql (mariadb-dump of everything), DIR/pg-sql/dayN.sql (pg_dump), DIR/my-xb/dayN.xb (mariabackup)
and DIR/pg-tar/dayN.tar (pg_basebackup). At scale 1 they have 0.7, 0.6, 1.1 and 0.9 GB. Every day 1 to 3 % of the rows are new, some thousands of recent ones and some hundreds of old ones
change, a few go; on day 5 a table gets one more column. Rows depend on nothing but the scale and the day, so two runs
give dumps that differ in dates and positions only. Days that are there already are kept; delete DIR to begin again.
The servers are started by Tests/Services, live in DIR/servers and are gone at the end.
"""
import argparse
import itertools
import json
import os
import random
import shutil
import subprocess
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
SERVICES = os.path.join(HERE, "..", "Tests", "Services")
DAY, START = 86400, 1704067200  # 2024-01-01
ROWS = {"people": 150_000, "goods": 20_000, "orders": 500_000, "order_lines": 1_400_000, "visits": 500_000,
        "readings": 1_550_000}
NEW_EACH_DAY = {"people": 0.010, "goods": 0.002, "orders": 0.016, "order_lines": 0.016, "visits": 0.030, "readings": 0.004}

SCHEMA = {
    "people": "code CHAR(36) NOT NULL, given_name VARCHAR(40), family_name VARCHAR(60), email VARCHAR(120), phone VARCHAR(20), "
              "street VARCHAR(120), city VARCHAR(60), country CHAR(2), password_hash CHAR(60), about TEXT, joined TIMESTAMP NULL, "
              "seen TIMESTAMP NULL",
    "goods": "sku VARCHAR(24), title VARCHAR(120), description TEXT, price DECIMAL(10,2), stock INT, changed TIMESTAMP NULL",
    "orders": "person INT, state VARCHAR(10), total DECIMAL(10,2), currency CHAR(3), address VARCHAR(160), tracking CHAR(18), "
              "note TEXT, placed TIMESTAMP NULL, changed TIMESTAMP NULL",
    "order_lines": "order_id INT, good INT, quantity SMALLINT, price DECIMAL(10,2), discount DECIMAL(10,2), sku VARCHAR(24)",
    "visits": "person INT, kind VARCHAR(16), details TEXT, at TIMESTAMP NULL",
    "readings": "sensor INT, digits CHAR(119), more_digits CHAR(59)",
}
INDEXES = {"people": ["email", "seen"], "orders": ["person", "changed"], "order_lines": ["order_id"], "visits": ["at"],
           "readings": ["sensor"]}
COLUMN_ADDED_ON = 5


def log(text):
    print(time.strftime("%H:%M:%S"), text, file=sys.stderr, flush=True)


class Rows:
    """Rows of the shop, drawn from a random source seeded by table and day."""

    def __init__(self, counts):
        self.counts = counts
        source = random.Random("words")
        syllables = [c + v for c in "bdfghjklmnprstvz" for v in "aeiou"]
        words = set()
        while len(words) < 5000:
            words.add("".join(source.choices(syllables, k=source.choice((1, 2, 2, 3, 3, 4)))) + source.choice(("", "", "n", "r", "s", "st")))
        self.words = sorted(words)
        source.shuffle(self.words)
        # a few words are frequent, most are rare
        self.weights = list(itertools.accumulate(1 / (rank + 4) for rank in range(len(self.words))))
        self.names = [word.capitalize() for word in self.words[:2500]]
        self.agents = [f"Mozilla/5.0 ({system}) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/{version}.0.0.0 Safari/537.36"
                       for system in ("X11; Linux x86_64", "Windows NT 10.0; Win64; x64", "Macintosh; Intel Mac OS X 10_15_7", "Linux; Android 14")
                       for version in range(105, 131)]

    def text(self, source, low, high):
        return " ".join(source.choices(self.words, cum_weights=self.weights, k=source.randint(low, high)))

    def digits(self, source, groups):
        return "-".join(f"{source.randrange(10 ** 11):011d}" for _ in range(groups))

    def make(self, table, day, low, high):
        """Yields the tab-separated columns of rows low to high - 1, which came into being on `day`."""
        source = random.Random(f"{table} {day}")
        number, pick, uniform = source.randrange, source.choice, source.random
        counts = self.counts
        begin, end = (START, START + 700 * DAY) if day == 1 else (START + (699 + day) * DAY, START + (700 + day) * DAY)
        for row in range(low, high):
            moment = time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime(begin + (end - begin) * (row - low) // max(high - low, 1)))
            if table == "people":
                given, family = pick(self.names), pick(self.names)
                code = f"{source.getrandbits(128):032x}"
                yield (row, f"{code[:8]}-{code[8:12]}-4{code[13:16]}-{code[16:20]}-{code[20:]}", given, family,
                       f"{given}.{family}{number(10000)}@{pick(self.words[:50])}.example".lower(), f"+{number(10, 99)}{number(10 ** 9):09d}",
                       f"{number(1, 999)} {pick(self.names)} Street", pick(self.names[:900]), pick(("DE", "FR", "PL", "UA", "US", "GB")),
                       "$2y$10$" + "".join(source.choices("./ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789", k=53)),
                       self.text(source, 0, 40), moment, moment)
            elif table == "goods":
                yield (row, f"SKU-{row:06d}-{pick(self.words)[:3].upper()}", self.text(source, 2, 6).capitalize(), self.text(source, 30, 120),
                       f"{uniform() ** 3 * 900 + 1:.2f}", number(500), moment)
            elif table == "orders":
                yield (row, number(counts["people"]) + 1, pick(("delivered",) * 5 + ("paid", "sent", "canceled", "new")),
                       f"{uniform() ** 2 * 800 + 3:.2f}", pick(("EUR", "EUR", "USD", "UAH")),
                       f"{number(1, 999)} {pick(self.names)} Street, {pick(self.names[:900])}", f"1Z{source.getrandbits(64):016X}",
                       self.text(source, 3, 25) if uniform() < 0.3 else "\\N", moment, moment)
            elif table == "order_lines":
                good = int(uniform() ** 2 * counts["goods"]) + 1
                yield (row, row * counts["orders"] // counts["order_lines"] + 1, good, number(1, 6), f"{uniform() ** 3 * 900 + 1:.2f}",
                       f"{max(0, uniform() - 0.8) * 150:.2f}", f"SKU-{good:06d}")
            elif table == "visits":
                kind = pick(("page", "page", "page", "search", "basket", "checkout"))
                extra = {"page": lambda: {"path": f"/goods/{int(uniform() ** 2 * counts['goods'])}/{pick(self.words)}"},
                         "search": lambda: {"query": self.text(source, 1, 4), "hits": number(900)},
                         "basket": lambda: {"good": number(counts["goods"]), "quantity": number(1, 5)},
                         "checkout": lambda: {"goods": [number(counts["goods"]) for _ in range(number(1, 7))], "coupon": None}}[kind]()
                details = {"session": f"{source.getrandbits(128):032x}", "address": f"10.{number(256)}.{number(256)}.{number(1, 255)}",
                           "agent": self.agents[int(uniform() ** 2 * len(self.agents))], "ms": number(2000), **extra}
                yield row, number(counts["people"]) + 1, kind, json.dumps(details, separators=(",", ":")), moment
            else:
                yield row, number(counts["people"]) + 1, self.digits(source, 10), self.digits(source, 5)

    def write(self, path, table, day, low, high):
        with open(path, "w", buffering=1 << 20) as out:
            for row in self.make(table, day, low, high):
                out.write("\t".join(map(str, row)))
                out.write("\n")


class Shop:
    """What happens in the shop, in SQL that both servers take."""

    def __init__(self, scale, tables):
        self.tables = tables
        self.scale = scale
        self.counts = {table: max(200, int(rows * scale * tables[table])) for table, rows in ROWS.items() if table in tables}
        self.rows = Rows({**{table: max(200, int(rows * scale)) for table, rows in ROWS.items()}, **self.counts})
        self.new = {table: max(1, int(self.counts[table] * NEW_EACH_DAY[table])) for table in self.counts}

    def range(self, table, day):
        """The ids that a table gets on a day."""
        if day == 1:
            return 1, self.counts[table] + 1
        low = self.counts[table] + 1 + self.new[table] * (day - 2)
        return low, low + self.new[table]

    def changes(self, day):
        """What changes on a day, before the new rows come."""
        source = random.Random(f"changes {day}")
        now = time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime(START + (700 + day) * DAY))
        top = {table: self.range(table, day)[0] - 1 for table in self.counts}
        statements = []

        def update(table, change, count, newest=None):
            """`count` rows at random, among the `newest` only or among all."""
            low = 1 if newest is None else max(1, top[table] - int(newest * self.scale))
            count = min(int(count * self.scale), top[table] - low)
            ids = sorted(source.sample(range(low, top[table] + 1), count))
            for at in range(0, len(ids), 2000):
                statements.append(f"UPDATE {table} SET {change} WHERE id IN ({','.join(map(str, ids[at:at + 2000]))});")

        update("orders", f"state = 'sent', changed = '{now}'", 12000, newest=30000)
        update("orders", f"state = 'delivered', changed = '{now}'", 8000, newest=60000)
        update("people", f"seen = '{now}'", 2000, newest=10000)
        update("orders", f"note = 'mended by support on day {day}', changed = '{now}'", 600)
        update("people", f"seen = '{now}'", 900)
        update("goods", f"stock = stock + {day}, changed = '{now}'", 1500)
        if "readings" in self.counts:
            for _ in range(int(30 * self.scale) + 1):  # a hundred rows each, at thirty places
                at = source.randint(1, top["readings"])
                statements.append(f"UPDATE readings SET digits = '{self.rows.digits(source, 10)}' WHERE id BETWEEN {at} AND {at + 99};")
        statements.append(f"DELETE FROM visits WHERE id <= {int(0.02 * self.counts['visits'] * (day - 1))};")
        gone = ",".join(map(str, sorted(source.sample(range(1, top["orders"]), max(1, int(150 * self.scale))))))
        if "order_lines" in self.counts:
            statements.append(f"DELETE FROM order_lines WHERE order_id IN ({gone});")
        statements.append(f"DELETE FROM orders WHERE id IN ({gone});")
        if day == COLUMN_ADDED_ON:
            statements.append("ALTER TABLE people ADD COLUMN tier VARCHAR(16) NOT NULL DEFAULT 'basic';")
            statements.append("UPDATE people SET tier = 'gold' WHERE MOD(id, 40) = 0;")
        return "\n".join(statements) + "\n"


def columns_of(table):
    return "id, " + ", ".join(column.split()[0] for column in SCHEMA[table].split(", "))


def create(tables, indexes_inline):
    return "".join(
        f"CREATE TABLE {table} (id INT PRIMARY KEY, {SCHEMA[table]}"
        + ("".join(f", KEY ({column})" for column in INDEXES.get(table, ())) if indexes_inline else "") + ");\n" for table in tables)


def service(name, verb, directory, *options):
    out = subprocess.run([os.path.join(SERVICES, name + ".sh"), verb, directory, *options], check=True, stdout=subprocess.PIPE, text=True).stdout
    return dict(line.split("=", 1) for line in out.splitlines() if "=" in line)


class MariaDB:
    corpus, ending = "my-sql", "sql"
    tables = {table: 1.0 for table in ROWS}

    def __init__(self, directory):
        self.directory = directory

    def start(self):
        found = service("mariadb", "start", self.directory, "--innodb-buffer-pool-size=1G", "--local-infile=1")
        self.config, self.socket = found["MARIADB_CONFIG"], found["MARIADB_SOCKET"]
        self.sql("CREATE DATABASE shop CHARACTER SET utf8mb4", database=None)
        self.sql(create(self.tables, indexes_inline=True))

    def stop(self):
        service("mariadb", "stop", self.directory)

    def sql(self, text, database="shop"):
        command = ["mariadb", "--defaults-file=" + self.config, "--local-infile=1"] + ([database] if database else [])
        subprocess.run(command, input=("SET sql_log_bin = 0;\n" + text).encode(), check=True, stdout=subprocess.DEVNULL)

    def load(self, table, path):
        self.sql(f"SET unique_checks = 0; LOAD DATA LOCAL INFILE '{path}' INTO TABLE {table} ({columns_of(table)});")

    def settle(self):
        pass

    def dump(self, out):
        subprocess.run(["mariadb-dump", "--defaults-file=" + self.config, "--single-transaction", "--routines", "--triggers", "--events",
                        "--master-data=2", "--all-databases"], check=True, stdout=out)


class MariaBackup(MariaDB):
    corpus, ending = "my-xb", "xb"

    def dump(self, out):
        subprocess.run(["mariabackup", "--defaults-file=" + self.config, "--backup", "--stream=xbstream",
                        "--socket=" + self.socket], check=True, stdout=out, stderr=subprocess.DEVNULL)


class PostgreSQL:
    corpus, ending = "pg-sql", "sql"
    tables = {"people": 1.0, "goods": 1.0, "orders": 1.0, "order_lines": 0.8, "visits": 1.0, "readings": 0.8}

    def __init__(self, directory):
        self.directory = directory

    def start(self):
        # rows freed by an update are used again after the nightly VACUUM, and at no other time
        found = service("postgres", "start", self.directory, "-c", "autovacuum=off", "-c", "shared_buffers=1GB", "-c", "max_wal_size=2GB",
                        "-c", "synchronous_commit=off")
        self.bin = found["PGBIN"]
        self.environment = {**os.environ, **{key: found[key] for key in ("PGHOST", "PGPORT", "PGUSER")}}
        self.sql(create(self.tables, indexes_inline=False))
        self.has_indexes = False

    def stop(self):
        service("postgres", "stop", self.directory)

    def run(self, program, *arguments, **how):
        subprocess.run([os.path.join(self.bin, program), *arguments], check=True, env=self.environment, **how)

    def sql(self, text):
        self.run("psql", "-X", "-q", "-v", "ON_ERROR_STOP=1", "postgres", input=text.encode(), stdout=subprocess.DEVNULL)

    def load(self, table, path):
        with open(path, "rb") as rows:
            self.run("psql", "-X", "-q", "-v", "ON_ERROR_STOP=1", "-c", f"COPY {table} ({columns_of(table)}) FROM STDIN", "postgres", stdin=rows)

    def settle(self):
        if not self.has_indexes:
            self.sql("".join(f"CREATE INDEX ON {table} ({column});\n" for table in self.tables for column in INDEXES.get(table, ())))
            self.has_indexes = True
        self.sql("VACUUM;")

    def dump(self, out):
        self.run("pg_dump", "-Fp", "postgres", stdout=out)


class BaseBackup(PostgreSQL):
    corpus, ending = "pg-tar", "tar"

    def dump(self, out):
        self.run("pg_basebackup", "-D", "-", "-Ft", "-Xf", "-c", "fast", stdout=out)


def make(server, directory, scale, days):
    corpus = os.path.join(directory, server.corpus)
    mark = os.path.join(corpus, "made.json")
    wanted = {"scale": scale, "days": days}
    if os.path.exists(mark):
        with open(mark) as file:
            made = json.load(file)
        if made["scale"] == scale and made["days"] >= days:
            return
    shutil.rmtree(corpus, ignore_errors=True)
    os.makedirs(corpus)
    shop = Shop(scale, server.tables)
    rows = os.path.join(corpus, "rows.tsv")
    log(f"{server.corpus}: starting the server")
    server.start()
    try:
        for day in range(1, days + 1):
            if day > 1:
                server.sql(shop.changes(day))
            for table in server.tables:
                shop.rows.write(rows, table, day, *shop.range(table, day))
                os.chmod(rows, 0o644)
                server.load(table, rows)
            server.settle()
            path = os.path.join(corpus, f"day{day}.{server.ending}")
            with open(path, "wb") as out:
                server.dump(out)
            log(f"{server.corpus}: day {day}, {os.path.getsize(path) / 1e6:.0f} MB")
    finally:
        server.stop()
        shutil.rmtree(server.directory, ignore_errors=True)
    os.remove(rows)
    with open(mark, "w") as file:
        json.dump(wanted, file)


KINDS = (MariaDB, PostgreSQL, MariaBackup, BaseBackup)


def main():
    parser = argparse.ArgumentParser(description="Makes nightly dumps of real servers to measure with.")
    parser.add_argument("directory")
    parser.add_argument("--scale", type=float, default=1.0)
    parser.add_argument("--days", type=int, default=7)
    parser.add_argument("--only", choices=[kind.corpus for kind in KINDS])
    options = parser.parse_args()
    directory = os.path.abspath(options.directory)
    os.makedirs(os.path.join(directory, "servers"), exist_ok=True)
    for kind in KINDS:
        if options.only in (None, kind.corpus):
            make(kind(os.path.join(directory, "servers", kind.corpus)), directory, options.scale, options.days)
    shutil.rmtree(os.path.join(directory, "servers"), ignore_errors=True)


if __name__ == "__main__":
    main()
