"""The figures that repo has to reach, and what a comparison found.

Speeds are multiples of restic in the same run, on `my-sql` unless said; pg-sql is held to the same. Sizes are for
corpora of scale 1 and are scaled with them.
"""
import statistics

from measurements import cpu, growth, peak, seconds, size, speed
from tables import table

MET, MISSED, NOT_MEASURED = "met", "missed", "not measured"


class Row:
    def __init__(self, what, corpus, goal, measured=None, is_met=None, where=""):
        self.what, self.corpus, self.goal = what, corpus, goal
        self.measured = measured
        self.verdict = NOT_MEASURED if is_met is None else MET if is_met else MISSED
        if is_met is None and where:
            self.verdict += f" ({where})"

    def as_dictionary(self):
        return {"what": self.what, "corpus": self.corpus, "goal": self.goal, "measured": self.measured,
                "verdict": self.verdict}


def at_most(what, corpus, value, limit, unit, decimals=2, note="", where=""):
    goal = f"<= {limit:g}{unit}{note}"
    if value is None:
        return Row(what, corpus, goal, where=where)
    return Row(what, corpus, goal, f"{value:.{decimals}f}{unit}", value <= limit)


def at_least(what, corpus, ratio, limit):
    goal = f">= {limit:g} x restic"
    if ratio is None:
        return Row(what, corpus, goal)
    return Row(what, corpus, goal, f"{ratio:.2f} x restic", ratio >= limit)


def size_rows(found, scale, nights):
    def megabytes(what, corpus, value, limit):
        note = "" if scale == 1 else f" ({limit:g} at scale 1)"
        return at_most(what, corpus, value, limit * scale, " MB", note=note)

    def night(corpus, day):
        return found.median(corpus, "next", "repo", growth, day)

    def in_all(corpus, day):
        return found.median(corpus, "next", "repo", size, day)

    return [
        megabytes("a night added, median", "my-sql", night("my-sql", None), 4),
        megabytes("night 5, a column was added", "my-sql", night("my-sql", 5), 25),
        megabytes("a night added, median", "my-xb", night("my-xb", None), 36),
        megabytes("a night added, median", "pg-sql", night("pg-sql", None), 5),
        megabytes("a night added, median", "pg-tar", night("pg-tar", None), 15),
        Row("forty nights", "my-sql", "nights 20-40 <= 2 x nights 2-7", where="nights.py"),
        megabytes("seven nights in all", "my-sql", in_all("my-sql", 7) if nights >= 7 else None, 300),
    ]


def speed_rows(found):
    corpora = [corpus for corpus in ("my-sql", "pg-sql", "my-xb", "pg-tar") if found.has(corpus)]
    rows = [at_least("first backup, MB/s", corpus, found.ratio(corpus, "first", speed),
                     4 if corpus == "my-sql" else 2.5) for corpus in corpora]

    def each(make):
        rows.extend(make(corpus) for corpus in corpora)

    each(lambda corpus: at_most("first night's size", corpus, found.ratio(corpus, "first", size), 1.02, " x restic"))
    each(lambda corpus: at_least("the same again, MB/s", corpus, found.ratio(corpus, "same", speed), 5))
    each(lambda corpus: at_least("the next night, MB/s", corpus, found.ratio(corpus, "next", speed), 4))
    each(lambda corpus: at_least("restore to a pipe, MB/s", corpus, found.ratio(corpus, "restore", speed), 2.5))
    each(lambda corpus: at_least("check --read-data, MB/s of repository", corpus,
                                 found.ratio(corpus, "check", speed), 2))
    each(lambda corpus: at_most("first backup, CPU s/GB", corpus, found.ratio(corpus, "first", cpu), 0.4,
                                " x restic"))
    each(lambda corpus: at_most("peak memory, add", corpus,
                                found.greatest(corpus, ("first", "same", "next"), "repo", peak), 100, " MB", 0))
    each(lambda corpus: at_most("peak memory, restore", corpus, found.greatest(corpus, ("restore",), "repo", peak),
                                100, " MB", 0))
    rows.append(Row("a stream of 10 GB", "made", "under RLIMIT_AS 1 GiB", where="growth.py"))
    for what, operation, limit, decimals in (("list, key file", "list by key file", 50, 1),
                                             ("list, password", "list", 500, 0), ("--version", "version", 10, 1)):
        taken = [value * 1000 for corpus in corpora for value in found.of(corpus, operation, "repo", seconds)]
        rows.append(at_most(what, "any", statistics.median(taken) if taken else None, limit, " ms", decimals))
    each(lambda corpus: at_most("index on disk, bytes an entry", corpus,
                                found.median(corpus, "index", "repo", lambda entry: entry["bytes_per_entry"]), 32,
                                "", 1))
    rows += [Row("index while writing, bytes an entry", "made", "<= 48", where="repo-bench micro"),
             Row("opening an index of 10 million", "made", "<= 5 ms, <= 20 MB", where="growth.py"),
             Row("S3, requests for the first 690 MB", "my-sql", "<= 60", where="far.py"),
             Row("S3, requests for its restore", "my-sql", "<= 60", where="far.py")]
    return rows


def as_table(rows):
    return table(["goal for", "corpus", "goal", "measured", ""],
                 [[row.what, row.corpus, row.goal, row.measured, row.verdict] for row in rows])
