#!/usr/bin/env python3
"""Measures copies to a second repository beside restic's: copies.py CORPUS

CORPUS is a directory of dumps, day1.sql to day7.sql, as make_corpora.py makes it. Both tools save all nights but the last
in a local repository, copy them to a second one with a password of its own, save the last night and copy that, and
copy once more when there is nothing to do. `repo` also copies to a repository of the same keys, which restic cannot.
repo reads back and verifies what it sent; restic does not.
"""
import argparse
import glob
import json
import os
import sys

from running import Workplace, describe, machine, main_guarded, run, tell, warm
from tables import number, table


def tree_bytes(path):
    return sum(os.path.getsize(os.path.join(top, name)) for top, _, names in os.walk(path) for name in names)


class Tool:
    """How a tool is called; `there` is the second repository."""

    def __init__(self, name, binary, work):
        self.name, self.binary = name, binary
        self.directory = os.path.join(work, name)
        os.mkdir(self.directory)
        self.passwords = {}
        for place in ("here", "there"):
            self.passwords[place] = os.path.join(self.directory, f"{place}.password")
            with open(self.passwords[place], "w", opener=lambda path, flags: os.open(path, flags, 0o600)) as file:
                file.write(place + "\n")
        cache = os.path.join(self.directory, "cache")
        self.environment = {"PATH": os.environ["PATH"], "HOME": self.directory, "XDG_CACHE_HOME": cache}

    def path(self, place):
        return os.path.join(self.directory, place)

    def call(self, *arguments, **more):
        return run([self.binary, *arguments], self.environment, **more)


class Repo(Tool):
    def at(self, place, *arguments, **more):
        return self.call("-r", self.path(place), "--password-file", self.passwords[place], *arguments, **more)

    def prepare(self):
        self.at("here", "init", "--recovery-key-file", self.path("here.key"))
        self.at("there", "init", "--recovery-key-file", self.path("there.key"), "--copy-parameters-from",
                self.path("here"), "--from-password-file", self.passwords["here"])

    def backup(self, path):
        self.at("here", "add", "dump", source=["cat", path])

    def copy(self):
        return self.at("here", "copy", "--to", self.path("there"), "--to-password-file", self.passwords["there"])

    def copy_of_same_keys(self):
        return self.at("here", "copy", "--to", self.path("twin"), "--same-keys")


class Restic(Tool):
    def at(self, place, *arguments, **more):
        return self.call("-r", self.path(place), "--password-file", self.passwords[place], "--quiet", *arguments, **more)

    def source(self):
        return "--from-repo", self.path("here"), "--from-password-file", self.passwords["here"]

    def prepare(self):
        self.at("here", "init")
        self.at("there", "init", *self.source(), "--copy-chunker-params")

    def backup(self, path):
        self.at("here", "backup", "--stdin", "--stdin-filename", "dump", source=["cat", path])

    def copy(self):
        return self.at("there", "copy", *self.source())


def measure(tool, files):
    figures = []

    def copied(what, copy, place):
        before = tree_bytes(tool.path(place)) if os.path.exists(tool.path(place)) else 0
        took = copy()
        sent = tree_bytes(tool.path(place)) - before
        figures.append({"tool": tool.name, "what": what, "bytes_sent": sent,
                        **{key: took[key] for key in ("seconds", "cpu", "peak_bytes")}})
        tell(f"{tool.name}: {what}: {took['seconds']:.1f} s, {sent / 1e6:.1f} MB, {took['peak_bytes'] / 1e6:.0f} MB of memory")

    tool.prepare()
    for path in files[:-1]:
        warm(path)
        tool.backup(path)
    copied(f"{len(files) - 1} nights", tool.copy, "there")
    if tool.name == "repo":
        copied(f"{len(files) - 1} nights, same keys", tool.copy_of_same_keys, "twin")
    tool.backup(files[-1])
    copied("one more night", tool.copy, "there")
    if tool.name == "repo":
        copied("one more night, same keys", tool.copy_of_same_keys, "twin")
    copied("nothing new", tool.copy, "there")
    return figures


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("corpus")
    parser.add_argument("--work", default="/tmp", help="where the repositories are, 4 GB at scale 1")
    parser.add_argument("--json", help="every figure, to this file")
    arguments = parser.parse_args()
    files = sorted(glob.glob(os.path.join(arguments.corpus, "day*.*")))
    if len(files) < 2:
        sys.exit(f"copies: no dumps in {arguments.corpus}: make_corpora.py makes them")
    root = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..")
    binary = os.path.abspath(os.environ.get("REPO_BIN", os.path.join(root, ".build", "release", "repo")))
    host = machine()
    with Workplace(arguments.work) as work:
        figures = measure(Repo("repo", binary, work), files) + measure(Restic("restic", "restic", work), files)
    if arguments.json:
        with open(arguments.json, "w") as file:
            json.dump({"machine": host, "figures": figures}, file, indent=1)
    found = {(figure["what"], figure["tool"]): figure for figure in figures}
    lines = []
    for what in dict.fromkeys(figure["what"] for figure in figures):
        ours, theirs = found[what, "repo"], found.get((what, "restic"))
        lines.append([what] + [number(figure["seconds"], 1) if figure else "-" for figure in (ours, theirs)]
                     + [number(theirs["seconds"] / ours["seconds"], 1) if theirs else "-"]
                     + [number(figure["bytes_sent"] / 1e6, 1) if figure else "-" for figure in (ours, theirs)]
                     + [number(figure["peak_bytes"] / 1e6, 0) if figure else "-" for figure in (ours, theirs)])
    print(describe(host))
    print(table(["copied", "repo, s", "restic, s", "times", "repo, MB sent", "restic, MB sent", "repo, peak MB",
                 "restic, peak MB"], lines))


main_guarded(main)
