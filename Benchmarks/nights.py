#!/usr/bin/env python3
"""Adds many nights to one repository and shows how what a night costs develops: nights.py CORPUS

CORPUS is a directory of dumps, day1.sql and so on, as make_corpora.py makes it:

    make_corpora.py DIR --scale 0.1 --days 100 --only my-sql && nights.py DIR/my-sql

Prints what each night added, by class of file, then restores some nights, compares them with their dumps by SHA-256
and shows what a byte of them costs. The repository is opened by a key file: a password would cost as much as a small
dump.
"""
import argparse
import json
import os
import statistics
import sys
import time

from draw import line_chart
from goals import at_most, as_table
from peers import BUILT, Repo
from repository_files import CLASSES, RepositoryFiles, metadata_share
from running import (Workplace, describe, hash_of_file, hash_of_output, machine, main_guarded, run, tell,
                     through_pipe, warm)
from tables import number, table

DOCS = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "docs")
BENCH = os.environ.get("REPO_BENCH_BIN") or os.path.join(os.path.dirname(BUILT), "repo-bench")
RESTORED = (1, 2, 7, 20, 40, 60, 80, 100)
COLUMN_ADDED_ON = 5


def dumps_of(corpus, nights):
    files = []
    while nights is None or len(files) < nights:
        path = os.path.join(corpus, f"day{len(files) + 1}.sql")
        if not os.path.isfile(path):
            break
        files.append(path)
    if len(files) < (nights or 2):
        sys.exit(f"nights: {corpus} has {len(files)} dumps (day1.sql and so on); make_corpora.py makes more")
    return files


def add_nights(repo, files):
    """What each night took and added."""
    follow = RepositoryFiles(repo.repository)
    follow.look()
    nights = []
    for night, path in enumerate(files, 1):
        total = warm(path)
        took = run(repo.backup(""), repo.environment, source=["cat", path], keep_output=True)
        summary = repo.summary(took.pop("output"))
        grown = follow.look()
        nights.append({"night": night, "input_bytes": total, "added_bytes": sum(grown.values()), "by_class": grown,
                       **took, **summary})
        if night % 10 == 0 or night == len(files):
            tell(f"night {night} of {len(files)}")
    return nights


def restore_nights(repo, files, nights, rounds):
    """What restoring some of them takes; every one is compared with its dump."""
    restores = []
    for night in sorted({night for night in RESTORED if night <= len(files)} | {len(files)}):
        path, command = files[night - 1], repo.restore("", nights[night - 1]["snapshot"])
        if hash_of_output(command, repo.environment)["output"] != hash_of_file(path):
            sys.exit(f"nights: night {night} did not come back as it was")
        taken = [through_pipe(command, repo.environment) for _ in range(rounds)]
        restores.append({"night": night, "input_bytes": os.path.getsize(path)} |
                        {key: statistics.median(took[key] for took in taken)
                         for key in ("seconds", "cpu", "peak_bytes")})
        tell(f"restored night {night}")
    return restores


def count_decoded(repo, nights):
    """What must be decoded to read some nights, as repo-bench counts it."""
    counted = {}
    for night in (40, 100):
        if night <= len(nights):
            said = repo.call(BENCH, "decoding", repo.repository, nights[night - 1]["snapshot"])
            counted[night] = json.loads(said)
    return counted


def cpu_per_gigabyte(entry):
    return entry["cpu"] / (entry["input_bytes"] / 1e9)


def goal_rows(nights, restores, decoded):
    def added(first, last):
        return [night["added_bytes"] for night in nights if first <= night["night"] <= last]

    rows = []
    early = statistics.median(added(2, 7)) if len(nights) >= 7 else None
    later = [("nights 20 to 40, median added", 20, 40)]
    later += [(f"nights {first} to {first + 19}, median added", first, first + 19) for first in (41, 61, 81)]
    for what, first, last in later:
        known = early and len(nights) >= last
        if known or first == 20:
            rows.append(at_most(what, "my-sql", statistics.median(added(first, last)) / early if known else None, 2,
                                " x nights 2-7"))
    others = [night for night in nights if night["night"] not in (1, COLUMN_ADDED_ON)]
    if early:
        worst = max(others, key=lambda night: night["added_bytes"])
        rows.append(at_most(f"worst night but {COLUMN_ADDED_ON} (column added): {worst['night']}", "my-sql",
                            worst["added_bytes"] / early, 3.5, " x nights 2-7"))
    by_night = {entry["night"]: cpu_per_gigabyte(entry) for entry in restores}
    for night in (40, 100):
        if night in by_night or night == 40:
            rows.append(at_most(f"restore of night {night}, CPU a byte", "my-sql",
                                by_night[night] / by_night[1] if night in by_night else None, 1.7, " x night 1"))
    for night, counts in decoded.items():
        again = next(entry["again"] for entry in counts["in_order"] if entry["cache_bytes"] == 64 << 20)
        rows.append(at_most(f"night {night}, decoded again in a restore", "my-sql", 100 * again, 5, " %"))
        rows.append(at_most(f"night {night}, decoded for 16 KiB anywhere, worst of {counts['reads']}", "my-sql",
                            counts["read_max_bytes"] / 2**20, 17, " MiB"))
    return rows


def report(nights, restores):
    heading = ["night", "dump, MB", "added, MB"] + [f"{kind}, MB" for kind in CLASSES[:-1]]
    rows = [[night["night"], number(night["input_bytes"] / 1e6), number(night["added_bytes"] / 1e6, 3)]
            + [number(night["by_class"][kind] / 1e6, 3) for kind in CLASSES[:-1]]
            + [number(100 * metadata_share(night["by_class"]), 1), night["frames_delta"], number(night["cpu"], 2),
               number(cpu_per_gigabyte(night), 2)] for night in nights]
    print("\n" + table(heading + ["metadata, %", "deltas", "CPU s", "CPU s/GB"], rows))
    first = cpu_per_gigabyte(restores[0])
    print("\nrestored and compared with their dumps\n")
    print(table(["night", "MB/s", "CPU s/GB", "x night 1", "peak MB"],
                [[entry["night"], number(entry["input_bytes"] / entry["seconds"] / 1e6),
                  number(cpu_per_gigabyte(entry), 2), number(cpu_per_gigabyte(entry) / first, 2),
                  number(entry["peak_bytes"] / 1e6)] for entry in restores]))
    total = sum(night["added_bytes"] for night in nights)
    print(f"\n{len(nights)} nights take {total / 1e6:.1f} MB")


def picture(nights, path, version):
    later = nights[1:]
    lines = {"all that a night adds": [(night["night"], night["added_bytes"] / 1e6) for night in later],
             "data packs alone": [(night["night"], night["by_class"]["data packs"] / 1e6) for night in later]}
    with open(path, "w") as out:
        out.write(line_chart(
            f"What each of {len(nights)} nights adds", "night", "MB added", lines, unit=" MB", whole_x=True,
            subtitle=f"a full dump every night, {nights[0]['input_bytes'] / 1e6:.0f} to "
                     f"{nights[-1]['input_bytes'] / 1e6:.0f} MB; night 1 took "
                     f"{nights[0]['added_bytes'] / 1e6:.0f} MB; night {COLUMN_ADDED_ON} gained a column. {version}"))
    print(f"picture: {path}")


def main():
    parser = argparse.ArgumentParser(description="Adds many nights to one repository of repo.",
                                     epilog="REPO_BIN names the program to measure, REPO_BENCH_BIN repo-bench; default: "
                                            "those that swift build -c release made.")
    parser.add_argument("corpus", help="a directory with day1.sql, day2.sql and so on; it is only read")
    parser.add_argument("--nights", type=int, help="only the first so many (all)")
    parser.add_argument("--rounds", type=int, default=3, help="how often a night is restored (3)")
    parser.add_argument("--work", help="where the repository is kept meanwhile (the temporary directory)")
    parser.add_argument("--json", help="a file for every single measurement")
    parser.add_argument("--picture", help="a file for the curve")
    parser.add_argument("--docs", action="store_true", help="writes the curve to docs/forty-nights.svg")
    options = parser.parse_args()
    if (options.nights is not None and options.nights < 2) or options.rounds < 1:
        parser.error("there is nothing to do")
    files = dumps_of(options.corpus, options.nights)
    with Workplace(options.work or os.environ.get("TMPDIR", "/tmp")) as work:
        repo = Repo(os.path.join(work, "repo"))
        result = {"machine": machine(), "started": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
                  "version": repo.version()}
        print(f"{result['version']}; {describe(result['machine'])}; {len(files)} nights")
        repo.begin()
        result["nights"] = add_nights(repo, files)
        result["restores"] = restore_nights(repo, files, result["nights"], options.rounds)
        result["decoded"] = count_decoded(repo, result["nights"])
    report(result["nights"], result["restores"])
    rows = goal_rows(result["nights"], result["restores"], result["decoded"])
    print("\n" + as_table(rows))
    result["goals"] = [row.as_dictionary() for row in rows]
    if options.json:
        with open(options.json, "w") as out:
            json.dump(result, out, indent=1)
        print(f"\nevery measurement: {options.json}")
    path = os.path.join(DOCS, "forty-nights.svg") if options.docs else options.picture
    if path:
        picture(result["nights"], path, result["version"])


if __name__ == "__main__":
    main_guarded(main)
