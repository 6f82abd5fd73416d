#!/usr/bin/env python3
"""Runs repo, restic and borg over the dumps of make_corpora.py and prints how they compare. Called by compare.sh.

The tools take turns, so that what else the machine does meets them alike; a dump was read once before, so that it is in
memory. A speed is a median; sizes are exact, and all that a repository grows by counts. In the end every night is
restored from repo in a shuffled order and compared with its dump by SHA-256, then the earlier half is forgotten and
the rest compared again; of the peers the last night is compared.
"""
import argparse
import json
import os
import random
import shutil
import statistics
import sys
import time

import goals
import pictures
from measurements import Measurements, cpu, growth, peak, seconds, size, speed
from peers import KINDS
from repository_files import CLASSES, RepositoryFiles, metadata_share
from running import (Workplace, describe, hash_of_file, hash_of_output, machine, main_guarded, run, tell,
                     through_pipe, warm)
from tables import number, table

# how the files of each are called
CORPORA = {"my-sql": "sql", "pg-sql": "sql", "my-xb": "xb", "pg-tar": "tar"}

# heading, operation, figure, decimals. A ratio is ours to theirs: above 1 is better for a speed, below 1 for
# everything else.
FIGURES = [
    ("first backup, MB/s", "first", speed, 0),
    ("first backup, CPU s/GB", "first", cpu, 1),
    ("first backup, peak MB", "first", peak, 0),
    ("repository after it, MB", "first", size, 1),
    ("the same again, MB/s", "same", speed, 0),
    ("the same again, CPU s/GB", "same", cpu, 1),
    ("the same again, peak MB", "same", peak, 0),
    ("the same again by password, MB/s", "same by password", speed, 0),
    ("the same again, added MB", "same", growth, 2),
    ("the next night, MB/s", "next", speed, 0),
    ("the next night, CPU s/GB", "next", cpu, 1),
    ("the next night, peak MB", "next", peak, 0),
    ("the next night, added MB", "next", growth, 2),
    ("restore to a pipe, MB/s", "restore", speed, 0),
    ("restore to a pipe, CPU s/GB", "restore", cpu, 1),
    ("restore to a pipe, peak MB", "restore", peak, 0),
    ("check all data, MB/s of repository", "check", speed, 0),
    ("check all data, CPU s/GB", "check", cpu, 1),
    ("check all data, peak MB", "check", peak, 0),
    ("list, password, ms", "list", lambda entry: seconds(entry) * 1000, 0),
    ("list, peak MB", "list", peak, 0),
    ("list, key file, ms", "list by key file", lambda entry: seconds(entry) * 1000, 1),
    ("--version, ms", "version", lambda entry: seconds(entry) * 1000, 1),
]


class Comparison:
    """One corpus."""

    def __init__(self, corpus, files, tools, rounds, seed, measurements):
        self.corpus, self.files, self.tools, self.rounds, self.seed = corpus, files, tools, rounds, seed
        self.found = measurements
        self.repo = next((tool for tool in tools if tool.name == "repo"), None)
        self.snapshots, self.again, self.grown = {}, [], {}

    def tell(self, text):
        tell(f"{self.corpus}: {text}")

    def turns(self, number):
        """The tools, another one first each time."""
        first = number % len(self.tools)
        return self.tools[first:] + self.tools[:first]

    def note(self, operation, tool, day, input_bytes, took, before):
        summary = tool.summary(took.pop("output")) if "output" in took else {}
        self.found.add(corpus=self.corpus, operation=operation, tool=tool.name, day=day, input_bytes=input_bytes,
                       **took, **summary, repository_before=before, repository_after=tool.size())
        return summary

    def backup(self, operation, tool, label, day, environment=None):
        path, before = self.files[day - 1], tool.size()
        took = run(tool.backup(label), environment or tool.environment, source=["cat", path], keep_output=tool is self.repo)
        if tool is not self.repo:
            took.pop("output", None)
        return self.note(operation, tool, day, os.path.getsize(path), took, before)

    def measure(self):
        self.back_up()
        last = len(self.files)
        total = os.path.getsize(self.files[-1])
        self.tell("restore")
        for round_number in range(self.rounds):
            for tool in self.turns(round_number):
                took = through_pipe(tool.restore(f"night{last}"), tool.environment)
                took.pop("output")
                self.note("restore", tool, last, total, took, tool.size())
        self.tell("check all data")
        for round_number in range(self.rounds):
            for tool in self.turns(round_number):
                self.plain("check", tool, tool.check, input_bytes=tool.size())
        self.tell("list, version")
        for round_number in range(max(5, self.rounds)):
            for tool in self.turns(round_number):
                self.plain("list", tool, tool.list, tool.with_password)
            if self.repo:
                self.plain("list by key file", self.repo, self.repo.list)
        for round_number in range(15):
            for tool in self.turns(round_number):
                self.plain("version", tool, [tool.binary, tool.version_command])
        self.verify()

    def plain(self, operation, tool, command, environment=None, input_bytes=0):
        took = run(command, environment or tool.environment)
        self.note(operation, tool, len(self.files), input_bytes, took, tool.size())

    def back_up(self):
        self.tell("first backup")
        warm(self.files[0])
        for round_number in range(self.rounds):
            for tool in self.turns(round_number):
                tool.begin()
                summary = self.backup("first", tool, "night1", 1)
                if tool is self.repo:
                    self.snapshots[1] = summary["snapshot"]
        self.tell("the same again")
        for round_number in range(self.rounds):
            for tool in self.turns(round_number):
                summary = self.backup("same", tool, f"again{round_number}", 1)
                if tool is self.repo:
                    self.again.append(summary["snapshot"])
        if self.repo:
            self.tell("the same again, by password")
            for round_number in range(self.rounds):
                summary = self.backup("same by password", self.repo, "", 1, self.repo.with_password)
                self.again.append(summary["snapshot"])
        follow = RepositoryFiles(self.repo.repository) if self.repo else None
        if follow:
            self.grown[1] = follow.look()
        for day in range(2, len(self.files) + 1):
            self.tell(f"night {day}")
            warm(self.files[day - 1])
            for tool in self.turns(day):
                summary = self.backup("next", tool, f"night{day}", day)
                if tool is self.repo:
                    self.snapshots[day] = summary["snapshot"]
                    self.grown[day] = follow.look()
        if self.repo:
            chunks, index_bytes = self.repo.chunks(), self.repo.index_bytes()
            self.found.add(corpus=self.corpus, operation="index", tool="repo", day=len(self.files), chunks=chunks,
                           bytes=index_bytes, bytes_per_entry=index_bytes / chunks)

    def verify(self):
        """Compares what comes back with the dumps; ends the run where it differs."""
        wanted = {}

        def prove(tool, day, command):
            if day not in wanted:
                wanted[day] = hash_of_file(self.files[day - 1])
            if hash_of_output(command, tool.environment)["output"] != wanted[day]:
                sys.exit(f"compare: {tool.name} did not restore {self.files[day - 1]}")

        last = len(self.files)
        for tool in self.tools:
            if tool is not self.repo:
                prove(tool, last, tool.restore(f"night{last}"))
        if not self.repo:
            return
        days = list(self.snapshots)
        random.Random(self.seed).shuffle(days)
        self.tell(f"proving every night, in the order {' '.join(map(str, days))} (seed {self.seed})")
        for day in days:
            prove(self.repo, day, self.repo.restore("", self.snapshots[day]))
        earlier = [day for day in sorted(days) if day <= last // 2]
        if earlier:
            self.tell(f"forgetting nights 1 to {earlier[-1]}, proving the rest")
            self.repo.call(self.repo.binary, "forget", *(self.snapshots[day] for day in earlier), *self.again)
            for day in days:
                if day not in earlier:
                    prove(self.repo, day, self.repo.restore("", self.snapshots[day]))

    def report(self):
        sizes = "/".join(f"{os.path.getsize(path) / 1e6:.0f}" for path in self.files)
        peers = [tool.name for tool in self.tools if tool.name != "repo"]
        rows = []
        for heading, operation, figure, decimals in FIGURES:
            ours = self.found.median(self.corpus, operation, "repo", figure)
            row = [heading, number(ours, decimals)]
            for peer in peers:
                theirs = self.found.median(self.corpus, operation, peer, figure)
                ratio = self.found.ratio(self.corpus, operation, figure, peer) if theirs else None
                row += [number(theirs, decimals), number(ratio, 2)]
            rows.append(row)
        print(f"\n{self.corpus}: {len(self.files)} nights of {sizes} MB, all of them restored and compared\n")
        print(table(["", "repo"] + [cell for peer in peers for cell in (peer, "ratio")], rows))
        self.report_nights()

    def report_nights(self):
        """What each night added, and of repo in which files."""
        tools = [tool.name for tool in self.tools]
        rows = []
        for day in range(1, len(self.files) + 1):
            operation = "first" if day == 1 else "next"
            row = [str(day)] + [number(self.found.median(self.corpus, operation, tool, growth, day), 2)
                                for tool in tools]
            if self.repo:
                grown = self.grown[day]
                delta = self.found.median(self.corpus, operation, "repo", lambda entry: entry["frames_delta"], day)
                row += [number(grown[kind] / 1e6, 3) for kind in CLASSES[:-1]]
                row += [number(100 * metadata_share(grown), 1), number(delta)]
            rows.append(row)
        heading = ["night"] + [f"{tool} added, MB" for tool in tools]
        if self.repo:
            heading += [f"{kind}, MB" for kind in CLASSES[:-1]] + ["metadata, %", "deltas"]
        print("\n" + table(heading, rows))
        later = [self.grown[day] for day in self.grown if day > 1]
        if later:
            share = statistics.median(metadata_share(grown) for grown in later)
            print(f"\nmetadata of repo, median of nights 2 to {len(self.files)}: {100 * share:.1f} % of what a night "
                  "adds (night 1 stands with its repetitions)")


def corpora_of(options):
    """The names, dumps and scale of what is there."""
    found = []
    scale = None
    for name, ending in CORPORA.items():
        if options.only not in (None, name):
            continue
        files = [os.path.join(options.corpora, name, f"day{day}.{ending}") for day in range(1, options.days + 1)]
        missing = [path for path in files if not os.path.isfile(path)]
        if missing:
            sys.exit(f"compare: there is no {missing[0]}; make_corpora.py makes it")
        mark = os.path.join(options.corpora, name, "made.json")
        if not os.path.exists(mark):
            sys.exit(f"compare: there is no {mark}: was make_corpora.py interrupted?")
        with open(mark) as file:
            scale = json.load(file)["scale"]
        found.append((name, files))
    return found, scale


def main():
    parser = argparse.ArgumentParser(description="Runs repo, restic and borg over the same dumps.",
                                     epilog="REPO_BIN names the program to measure; default: the one that swift build -c "
                                            "release made.")
    parser.add_argument("corpora", help="a directory that make_corpora.py made; it is only read")
    parser.add_argument("--days", type=int, default=3, help="how many nights (3)")
    parser.add_argument("--rounds", type=int, default=3, help="how often all but the nights is done (3)")
    parser.add_argument("--only", choices=CORPORA)
    parser.add_argument("--tools", default="repo,restic,borg", help="which, in this order")
    parser.add_argument("--seed", type=int, default=1, help="of the order in which nights are proven (1)")
    parser.add_argument("--work", help="where repositories are kept meanwhile (the corpora's directory)")
    parser.add_argument("--json", help="a file for every single measurement")
    parser.add_argument("--pictures", help="a directory for the pictures")
    options = parser.parse_args()
    unknown = set(options.tools.split(",")) - set(KINDS)
    if unknown or options.days < 1 or options.rounds < 1:
        parser.error(f"no such tool: {sorted(unknown)[0]}" if unknown else "there is nothing to do")
    corpora, scale = corpora_of(options)
    with Workplace(options.work or options.corpora) as work:
        tools = [KINDS[name](os.path.join(work, name)) for name in options.tools.split(",")]
        result = {"machine": machine(), "scale": scale, "rounds": options.rounds, "seed": options.seed,
                  "started": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
                  "versions": {tool.name: tool.version() for tool in tools}, "corpora": []}
        print(f"{', '.join(result['versions'].values())}; {describe(result['machine'])}; scale {scale:g}, "
              f"{options.days} nights, {options.rounds} rounds")
        found = Measurements()
        for corpus, files in corpora:
            comparison = Comparison(corpus, files, tools, options.rounds, options.seed, found)
            comparison.measure()
            comparison.report()
            result["corpora"].append({"name": corpus, "nights_bytes": [os.path.getsize(path) for path in files],
                                      "repo_grown_by_class": comparison.grown})
            for tool in tools:
                shutil.rmtree(tool.directory, ignore_errors=True)
    size_rows, speed_rows = goals.size_rows(found, scale, options.days), goals.speed_rows(found)
    print(f"\nsize, against the goals (multiples are of {result['versions'].get('restic', 'restic')})\n")
    print(goals.as_table(size_rows))
    print("\nspeed, against the goals\n")
    print(goals.as_table(speed_rows))
    result["goals"] = [row.as_dictionary() for row in size_rows + speed_rows]
    result["measurements"] = found.all
    if options.json:
        with open(options.json, "w") as out:
            json.dump(result, out, indent=1)
        print(f"\nevery measurement: {options.json}")
    if options.pictures:
        os.makedirs(options.pictures, exist_ok=True)
        for path in pictures.draw(result, options.pictures):
            print(f"picture: {path}")


if __name__ == "__main__":
    main_guarded(main)
