#!/usr/bin/env python3
"""Shows how cost grows: with the length of a stream, and with the chunks that a repository has.

Streams are made dumps (repo-bench dump), piped in; nothing of their length is kept. Add and restore each run under
RLIMIT_AS of 1 GiB, and what comes back is compared by SHA-256.
Repositories of many chunks are made by repo-bench make-index: real, sealed index objects, and empty shells for packs.
The first add finds no local index and takes all of them in; the ones after it find one. All by key file.
"""
import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import time

from draw import line_chart
from goals import Row, as_table, at_most
from peers import Repo
from running import Workplace, describe, hash_of_output, machine, main_guarded, program, run, tell, through_pipe
from tables import number, table

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.join(HERE, "..")
SMALL = 1_000_000
LIMITED = ["prlimit", f"--as={1 << 30}", "--"]


def bench_program():
    path = os.environ.get("REPO_BENCH_BIN") or os.path.join(ROOT, ".build", "release", "repo-bench")
    if not os.access(path, os.X_OK):
        sys.exit(f"{program()}: there is no {path}; swift build -c release --product repo-bench makes it")
    return os.path.abspath(path)


def hash_of_stream(command):
    process = subprocess.run(["sh", "-c", '"$@" | sha256sum', "sh", *command], check=True, stdout=subprocess.PIPE,
                             text=True)
    return process.stdout.split()[0]


def grow_stream(bench, work, largest):
    """Add and restore of streams, each in a repository of its own."""
    rows = []
    size = 100_000_000
    while size <= largest:
        tell(f"a stream of {size / 1e9:g} GB")
        repo = Repo(os.path.join(work, "stream"))
        repo.begin()
        source = [bench, "dump", str(size), "1"]
        added = run(LIMITED + repo.backup(""), repo.environment, source=source, keep_output=True)
        summary = json.loads(added.pop("output").splitlines()[-1])
        restored = hash_of_output(LIMITED + repo.restore(""), repo.environment)
        if restored.pop("output") != hash_of_stream(source):
            sys.exit(f"{program()}: a stream of {size} bytes did not come back as it was")
        rows.append({"input_bytes": summary["bytes_read"], "bytes_new": summary["bytes_new"],
                     "chunks": summary["chunks"], "repository_bytes": repo.size(), "add": added, "restore": restored})
        shutil.rmtree(repo.directory)
        size *= 10
    return rows


def grow_chunks(bench, work, most, rounds):
    """Repositories of more and more chunks, and what is done with them."""
    rows = []
    chunks = 100_000
    while chunks <= most:
        tell(f"a repository of {chunks:,} chunks")
        repo = Repo(os.path.join(work, "chunks"))
        repo.begin()
        environment = {key: value for key, value in repo.environment.items()}
        made = json.loads(subprocess.run([bench, "make-index", repo.repository, str(chunks)], env=environment,
                                         check=True, stdout=subprocess.PIPE, text=True).stdout)

        def add(seed):
            took = run(repo.backup(""), environment, source=[bench, "dump", str(SMALL), str(seed)], keep_output=True)
            took.pop("output")
            return took

        def middle(times):
            return {key: statistics.median(took[key] for took in times) for key in ("seconds", "cpu", "peak_bytes")}

        row = {"made": made, "first_add": add(1)}
        row["add"] = middle([add(seed) for seed in range(2, 2 + rounds)])
        row["list"] = middle([run(repo.list, environment) for _ in range(rounds)])
        row["restore"] = middle([{key: value for key, value in through_pipe(repo.restore(""), environment).items()
                                  if key != "output"} for _ in range(rounds)])
        row["local_index_bytes"] = repo.index_bytes()
        opened = [json.loads(subprocess.run([bench, "open-index", index_directory(repo)], check=True,
                                            stdout=subprocess.PIPE, text=True).stdout) for _ in range(rounds)]
        row["open"] = {key: statistics.median(one[key] for one in opened) for key in opened[0]}
        rows.append(row)
        shutil.rmtree(repo.directory)
        chunks *= 10
    return rows


def index_directory(repo):
    for directory, _, names in os.walk(repo.environment["XDG_CACHE_HOME"]):
        if any(name.startswith("run") for name in names):
            return directory
    sys.exit(f"{program()}: repo left no local index in {repo.environment['XDG_CACHE_HOME']}")


def report_streams(rows):
    def cells(took, total):
        return [number(took["seconds"], 2), number(total / took["seconds"] / 1e6),
                number(took["cpu"] / total * 1e9, 2), number(took["peak_bytes"] / 1e6)]

    print("\nadd and restore of one stream, under RLIMIT_AS of 1 GiB\n")
    print(table(["stream, GB", "new, GB", "repository, GB", "add, s", "MB/s", "CPU s/GB", "peak MB", "restore, s",
                 "MB/s", "CPU s/GB", "peak MB"],
                [[number(row["input_bytes"] / 1e9, 1), number(row["bytes_new"] / 1e9, 2),
                  number(row["repository_bytes"] / 1e9, 2)]
                 + cells(row["add"], row["input_bytes"]) + cells(row["restore"], row["input_bytes"])
                 for row in rows]))


def report_chunks(rows):
    def cells(took):
        return [number(took["seconds"] * 1000, 1), number(took["peak_bytes"] / 1e6)]

    print(f"\na repository of many chunks, and {SMALL / 1e6:g} MB added to it\n")
    print(table(["chunks", "packs", "index objects, bytes a chunk", "local index, bytes a chunk",
                 "first add, ms", "peak MB", "add, ms", "peak MB", "list, ms", "peak MB", "restore, ms", "peak MB",
                 "open index, ms", "it adds, MB"],
                [[f"{row['made']['chunks']:,}", row["made"]["packs"],
                  number(row["made"]["index_bytes"] / row["made"]["chunks"], 1),
                  number(row["local_index_bytes"] / row["made"]["chunks"], 1)]
                 + cells(row["first_add"]) + cells(row["add"]) + cells(row["list"]) + cells(row["restore"])
                 + [number(row["open"]["open_seconds"] * 1000, 2),
                    number((row["open"]["resident_bytes"] - row["open"]["resident_bytes_before"]) / 1e6, 1)]
                 for row in rows]))
    print("\nThe first add takes all index objects into an empty local index; a process is never seen below 20 MB.")


def goal_rows(streams, repositories):
    largest = next((row for row in streams if row["input_bytes"] >= 9_900_000_000), None)
    many = next((row for row in repositories if row["made"]["chunks"] >= 10_000_000), None)
    rows = [Row("a stream of 10 GB", "made", "under RLIMIT_AS 1 GiB", "added and restored" if largest else None,
                True if largest else None)]
    for what, operation in (("add", "add"), ("restore", "restore")):
        rows.append(at_most(f"peak memory, {what}, any length", "made",
                            max((row[operation]["peak_bytes"] / 1e6 for row in streams), default=None), 100, " MB", 0))
    for what, key in (("add", "add"), ("first add, no local index", "first_add"), ("restore", "restore")):
        rows.append(at_most(f"peak memory, {what}, 10 million chunks", "made",
                            many[key]["peak_bytes"] / 1e6 if many else None, 100, " MB", 0))
    opened = many["open"] if many else {}
    rows.append(at_most("opening an index of 10 million", "made", opened["open_seconds"] * 1000 if many else None, 5,
                        " ms"))
    rows.append(at_most("resident after it", "made", opened["resident_bytes"] / 1e6 if many else None, 20, " MB", 1))
    rows.append(at_most("list, key file, 10 million chunks", "made", many["list"]["seconds"] * 1000 if many else None,
                        50, " ms", 1))
    rows.append(at_most("local index of 10 million, bytes an entry", "made",
                        many["local_index_bytes"] / many["made"]["chunks"] if many else None, 32, "", 1))
    return rows


def draw(streams, repositories, directory, version):
    def write(name, svg):
        path = os.path.join(directory, name)
        with open(path, "w") as out:
            out.write(svg)
        print(f"picture: {path}")

    os.makedirs(directory, exist_ok=True)
    if len(streams) > 1:
        write("growth-stream.svg", line_chart(
            "Seconds by length of the stream", "GB of stream", "seconds",
            {what: [(row["input_bytes"] / 1e9, row[what]["seconds"]) for row in streams]
             for what in ("add", "restore")},
            unit=" s", x_logarithmic=True, y_logarithmic=True, subtitle=f"made dumps through a pipe. {version}"))
    if len(repositories) > 1:
        def line(seconds):
            return [(row["made"]["chunks"], 1000 * seconds(row)) for row in repositories]

        write("growth-chunks.svg", line_chart(
            "Milliseconds by chunks in the repository", "chunks in the repository", "milliseconds",
            {"first add": line(lambda row: row["first_add"]["seconds"]),
             "add": line(lambda row: row["add"]["seconds"]),
             "restore": line(lambda row: row["restore"]["seconds"]),
             "list": line(lambda row: row["list"]["seconds"])},
            unit=" ms", x_logarithmic=True, y_logarithmic=True,
            subtitle=f"{SMALL / 1e6:g} MB added and restored; the first add has no local index. {version}"))


def main():
    parser = argparse.ArgumentParser(
        description="Shows how the cost of add, restore and list grows.",
        epilog="REPO_BIN names the program to measure, REPO_BENCH_BIN repo-bench; default: those that swift build -c "
               "release made.")
    parser.add_argument("--largest", type=float, default=1, metavar="GB",
                        help="the longest stream: 0.1, 1 (the default) or 10")
    parser.add_argument("--chunks", type=int, default=1_000_000, metavar="N",
                        help="the largest repository: 100000, 1000000 (the default) or 10000000")
    parser.add_argument("--rounds", type=int, default=3, help="how often the quick ones are measured (3)")
    parser.add_argument("--work", help="where repositories are kept meanwhile (the temporary directory)")
    parser.add_argument("--json", help="a file for every single measurement")
    parser.add_argument("--pictures", help="a directory for the pictures")
    parser.add_argument("--docs", action="store_true", help="writes the pictures into docs/")
    options = parser.parse_args()
    if options.rounds < 1:
        parser.error("there is nothing to do")
    bench = bench_program()
    with Workplace(options.work or os.environ.get("TMPDIR", "/tmp")) as work:
        version = Repo(work).version()
        result = {"machine": machine(), "started": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
                  "version": version}
        print(f"{version}; {describe(result['machine'])}")
        result["streams"] = grow_stream(bench, work, options.largest * 1e9)
        result["repositories"] = grow_chunks(bench, work, options.chunks, options.rounds)
    if result["streams"]:
        report_streams(result["streams"])
    if result["repositories"]:
        report_chunks(result["repositories"])
    rows = goal_rows(result["streams"], result["repositories"])
    print("\n" + as_table(rows))
    result["goals"] = [row.as_dictionary() for row in rows]
    if options.json:
        with open(options.json, "w") as out:
            json.dump(result, out, indent=1)
        print(f"\nevery measurement: {options.json}")
    directory = os.path.join(ROOT, "docs") if options.docs else options.pictures
    if directory:
        draw(result["streams"], result["repositories"], directory, version)


if __name__ == "__main__":
    main_guarded(main)
