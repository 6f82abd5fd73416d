#!/usr/bin/env python3
"""Runs repo, restic and borg over the dumps of make_corpora.py and prints how they compare. Called by compare.sh.

What is measured is a whole process: from its start to its end, the CPU seconds of it and of what it waited for, the
largest resident set among them. The dump comes through a pipe from cat, whose cost is not counted, and was read once
before, so that it is in memory. The tools take turns, so that what else the machine does meets them alike. A speed is
a median; sizes are exact, and all that a repository grows by counts. The last restore of each tool is compared with
the dump.
"""
import argparse
import hashlib
import json
import os
import platform
import shutil
import statistics
import subprocess
import sys
import time

CORPORA = ("my-sql", "pg-sql")


class Tool:
    """One peer, on a repository of its own. Commands are lists; a dump comes on standard input, or goes to output."""

    def __init__(self, name, program, directory):
        self.name, self.program = name, program
        self.directory = directory
        self.repository = os.path.join(directory, "repository")
        self.environment = {key: os.environ[key] for key in ("PATH", "HOME", "LANG", "TMPDIR") if key in os.environ}
        self.environment["XDG_CACHE_HOME"] = os.path.join(directory, "cache")

    def version(self):
        said = subprocess.run([self.program, "version" if self.name == "restic" else "--version"], stdout=subprocess.PIPE, text=True).stdout
        return " ".join(said.split()[:2])

    def begin(self):
        """A new, empty repository."""
        shutil.rmtree(self.directory, ignore_errors=True)
        os.makedirs(self.directory)
        self.prepare()
        subprocess.run(self.init, env=self.environment, check=True, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def prepare(self):
        pass


class Repo(Tool):
    def __init__(self, directory):
        super().__init__("repo", os.environ["REPO_BIN"], directory)
        password = os.path.join(directory, "password")
        self.environment |= {"REPO_REPOSITORY": self.repository, "REPO_PASSWORD_FILE": password}
        self.init = [self.program, "init", self.repository, "--recovery-key-file", os.path.join(directory, "recovery")]
        self.list = [self.program, "list"]

    def prepare(self):
        with open(self.environment["REPO_PASSWORD_FILE"], "w") as out:
            out.write("benchmark\n")

    def backup(self, label):
        return [self.program, "add", "dump"]

    def restore(self, label):
        return [self.program, "cat", "dump"]


class Restic(Tool):
    def __init__(self, directory):
        super().__init__("restic", "restic", directory)
        self.environment |= {"RESTIC_REPOSITORY": self.repository, "RESTIC_PASSWORD": "benchmark"}
        self.init = [self.program, "init"]
        self.list = [self.program, "snapshots"]

    def backup(self, label):
        return [self.program, "backup", "--quiet", "--host", "here", "--stdin", "--stdin-filename", "dump"]

    def restore(self, label):
        return [self.program, "dump", "--quiet", "latest", "dump"]


class Borg(Tool):
    def __init__(self, directory):
        super().__init__("borg", "borg", directory)
        self.environment |= {"BORG_REPO": self.repository, "BORG_PASSPHRASE": "benchmark", "BORG_BASE_DIR": os.path.join(directory, "cache")}
        self.init = [self.program, "init", "--encryption", "repokey"]
        self.list = [self.program, "list"]

    def backup(self, label):
        return [self.program, "create", "--compression", "zstd,3", "::" + label, "-"]

    def restore(self, label):
        return [self.program, "extract", "--stdout", "::" + label]


def size_of(path):
    return sum(os.lstat(os.path.join(directory, name)).st_size for directory, _, names in os.walk(path) for name in names)


def run(tool, command, dump=None, output=subprocess.DEVNULL):
    """Runs one command and says what it took. Ends the whole run when it fails: half a table misleads."""
    feed = subprocess.Popen(["cat", dump], stdout=subprocess.PIPE) if dump else None
    with open(os.path.join(tool.directory, "errors"), "w+b") as errors:
        started = time.monotonic()
        process = subprocess.Popen(command, stdin=feed.stdout if feed else subprocess.DEVNULL, stdout=output, stderr=errors, env=tool.environment)
        if feed:
            feed.stdout.close()
        _, status, usage = os.wait4(process.pid, 0)
        seconds = time.monotonic() - started
        process.returncode = os.waitstatus_to_exitcode(status)
        if feed:
            feed.wait()
        if process.returncode != 0:
            errors.seek(0)
            sys.exit(f"compare: {' '.join(command)} ended with {process.returncode}: {errors.read()[-2000:].decode(errors='replace')}")
    return {"seconds": seconds, "cpu": usage.ru_utime + usage.ru_stime, "peak_bytes": usage.ru_maxrss * 1024}


class Measurements:
    """Every single measurement, and what is made of them."""

    def __init__(self):
        self.all = []

    def add(self, corpus, operation, tool, day, input_bytes, took, size_before, size_after):
        self.all.append({"corpus": corpus, "operation": operation, "tool": tool.name, "day": day, "input_bytes": input_bytes, **took,
                         "repository_before": size_before, "repository_after": size_after})

    def of(self, operation, tool, what):
        return [what(entry) for entry in self.all if entry["operation"] == operation and entry["tool"] == tool]

    def median(self, operation, tool, what):
        values = self.of(operation, tool, what)
        return statistics.median(values) if values else None


def speed(entry):
    return entry["input_bytes"] / entry["seconds"] / 1e6


def cpu(entry):
    return entry["cpu"] / (entry["input_bytes"] / 1e9)


def peak(entry):
    return entry["peak_bytes"] / 1e6


def growth(entry):
    return (entry["repository_after"] - entry["repository_before"]) / 1e6


def size(entry):
    return entry["repository_after"] / 1e6


def seconds(entry):
    return entry["seconds"]


# What the table shows: heading, operation, figure, decimals. A ratio is ours to theirs: above 1 is better for a
# speed, below 1 for everything else.
TABLE = [
    ("first backup, MB/s", "first", speed, 0),
    ("first backup, CPU s/GB", "first", cpu, 1),
    ("first backup, peak MB", "first", peak, 0),
    ("repository after it, MB", "first", size, 1),
    ("the same again, MB/s", "same", speed, 0),
    ("the same again, added MB", "same", growth, 2),
    ("the next day, MB/s", "next", speed, 0),
    ("the next day, CPU s/GB", "next", cpu, 1),
    ("the next day, added MB", "next", growth, 2),
    ("restore to a pipe, MB/s", "restore", speed, 0),
    ("restore to a pipe, CPU s/GB", "restore", cpu, 1),
    ("restore to a pipe, peak MB", "restore", peak, 0),
    ("list, s", "list", seconds, 2),
]


def measure(corpus, files, tools, rounds, measurements):
    def timed(operation, tool, command, day, dump=None, input_bytes=0):
        before = size_of(tool.repository)
        took = run(tool, command, dump)
        measurements.add(corpus, operation, tool, day, input_bytes, took, before, size_of(tool.repository))

    def warm(path):
        with open(path, "rb") as file:
            while file.read(1 << 20):
                pass
        return os.path.getsize(path)

    def turns(round_number):
        """The tools, another one first each time."""
        return tools[round_number % len(tools):] + tools[:round_number % len(tools)]

    def tell(text):
        print(f"{time.strftime('%H:%M:%S')} {corpus}: {text}", file=sys.stderr, flush=True)

    tell("first backup")
    total = warm(files[0])
    for number in range(rounds):
        for tool in turns(number):
            tool.begin()
            timed("first", tool, tool.backup("day1"), 1, files[0], total)
    tell("the same again")
    for number in range(rounds):
        for tool in turns(number):
            timed("same", tool, tool.backup(f"again{number}"), 1, files[0], total)
    for day, path in enumerate(files[1:], 2):
        tell(f"day {day}")
        total = warm(path)
        for tool in turns(day):
            timed("next", tool, tool.backup(f"day{day}"), day, path, total)
    tell("restore")
    last = len(files)
    for number in range(rounds):
        for tool in turns(number):
            timed("restore", tool, tool.restore(f"day{last}"), last, input_bytes=total)
    for number in range(rounds):
        for tool in turns(number):
            timed("list", tool, tool.list, last)
    tell("comparing what was restored")
    with open(files[-1], "rb") as file:
        wanted = hashlib.file_digest(file, "sha256").hexdigest()
    for tool in tools:
        process = subprocess.Popen(tool.restore(f"day{last}"), stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, stdin=subprocess.DEVNULL, env=tool.environment)
        if hashlib.file_digest(process.stdout, "sha256").hexdigest() != wanted or process.wait() != 0:
            sys.exit(f"compare: {tool.name} did not restore {files[-1]}")
        shutil.rmtree(tool.directory)


def report(corpus, files, tools, measurements):
    def cell(value, decimals):
        return f"{value:.{decimals}f}" if value is not None else "-"

    sizes = "/".join(f"{os.path.getsize(path) / 1e6:.0f}" for path in files)
    print(f"\n{corpus}: {len(files)} nights of {sizes} MB")
    peers = [tool.name for tool in tools if tool.name != "repo"]
    print(f"{'':28}{'repo':>9}" + "".join(f"{name:>9}{'ratio':>8}" for name in peers))
    for heading, operation, what, decimals in TABLE:
        ours = measurements.median(operation, "repo", what)
        line = f"{heading:28}{cell(ours, decimals):>9}"
        for name in peers:
            theirs = measurements.median(operation, name, what)
            ratio = f"{ours / theirs:.2f}x" if ours is not None and theirs else "-"
            line += f"{cell(theirs, decimals):>9}{ratio:>8}"
        print(line)


def machine():
    model = ""
    with open("/proc/cpuinfo") as file:
        for line in file:
            if line.startswith("model name"):
                model = line.split(":", 1)[1].strip()
                break
    return {"processor": model, "processors": os.cpu_count(), "kernel": platform.release(), "load_before": os.getloadavg()[0]}


def main():
    parser = argparse.ArgumentParser(description="Runs repo, restic and borg over the same dumps.")
    parser.add_argument("corpora")
    parser.add_argument("--days", type=int, default=3)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--only", choices=CORPORA)
    parser.add_argument("--json")
    parser.add_argument("--tools", default="repo,restic,borg", help="which, in this order")
    options = parser.parse_args()
    kinds = {"repo": Repo, "restic": Restic, "borg": Borg}
    work = os.path.join(os.path.abspath(options.corpora), "repositories")
    result = {"machine": machine(), "started": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()), "measurements": []}
    tools = [kinds[name](os.path.join(work, name)) for name in options.tools.split(",")]
    result["versions"] = {tool.name: tool.version() for tool in tools}
    print(", ".join(result["versions"].values()) + f"; {result['machine']['processors']} x {result['machine']['processor']}")
    try:
        for corpus in CORPORA:
            if options.only not in (None, corpus):
                continue
            files = [os.path.join(options.corpora, corpus, f"day{day}.sql") for day in range(1, options.days + 1)]
            measurements = Measurements()
            measure(corpus, files, tools, options.rounds, measurements)
            report(corpus, files, tools, measurements)
            result["measurements"] += measurements.all
    finally:
        shutil.rmtree(work, ignore_errors=True)
    if options.json:
        with open(options.json, "w") as out:
            json.dump(result, out, indent=1)
        print(f"\nevery measurement: {options.json}")


if __name__ == "__main__":
    main()
