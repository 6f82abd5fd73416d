#!/usr/bin/env python3
"""Measures repo beside restic on an object store that is far away: far.py CORPUS

CORPUS is a directory of dumps, day1.sql to day7.sql, as make_corpora.py makes it:

    make_corpora.py DIR --scale 1 --days 7 --only my-sql && far.py DIR/my-sql

The store is named by the environment: S3_ENDPOINT (http://HOST:PORT), S3_BUCKET (repo-far, made by restic if it is not there),
AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_REGION (us-east-1). It should be near: the distance is made here, by a line
on which everything takes so long each way. A request that is answered at once takes twice the latency.

For each latency both tools save the first night; then, without latency, the nights up to the last, which is saved with
latency again; and both nights are restored to a pipe by a machine that has no cache. `restic dump` is what
writes to a pipe, and asks for one blob after the other; `restic restore`, into a directory, asks for several at once.
"""
import argparse
import json
import os
import shutil
import sys
import urllib.parse

from peers import Repo, Restic
from running import (Workplace, describe, hash_of_file, hash_of_output, machine, main_guarded, run, tell,
                     through_pipe, warm)
from slow_line import SlowLine
from tables import number, table


class FarRepo(Repo):
    def prepare(self):
        with open(os.open(self.key_file, os.O_WRONLY | os.O_CREAT, 0o600), "wb") as out:
            out.write(os.urandom(32))
        self.call(self.binary, "init", "--recovery-key-file", os.path.join(self.directory, "recovery"))

    def restore(self, label):
        return [self.binary, "cat", self.snapshots[label]]


class FarRestic(Restic):
    def restore(self, label):
        return [self.binary, "dump", "--quiet", self.snapshots[label], "dump"]

    def restore_to_directory(self, label, target):
        return [self.binary, "restore", "--quiet", self.snapshots[label], "--target", target]


def place(tool, arguments, line, name):
    """Puts a tool's repository into the bucket, behind the slow line."""
    endpoint = f"http://127.0.0.1:{line.port}"
    keys = {key: os.environ[key] for key in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY")}
    tool.environment |= keys | {"AWS_REGION": arguments.region, "AWS_DEFAULT_REGION": arguments.region}
    if tool.name == "repo":
        tool.environment |= {"REPO_REPOSITORY": f"s3://{arguments.bucket}/{name}", "REPO_ENDPOINT": endpoint}
    else:
        tool.environment["RESTIC_REPOSITORY"] = f"s3:{endpoint}/{arguments.bucket}/{name}"
    tool.snapshots = {}
    return tool


def snapshot_of(tool, output):
    if tool.name == "repo":
        return tool.summary(output)["snapshot"]
    return json.loads(tool.call(tool.binary, "snapshots", "--json", "--latest", "1"))[-1]["short_id"]


def forget_cache(tool):
    shutil.rmtree(tool.environment["XDG_CACHE_HOME"], ignore_errors=True)


def measure(tool, files, latency, line, work):
    """What each operation took: seconds, requests, peak memory."""
    figures = []

    def noted(what, night, took, total):
        took = {key: took[key] for key in ("seconds", "cpu", "peak_bytes")}
        figures.append({"tool": tool.name, "latency": latency, "what": what, "night": night, "bytes": total, **took,
                        "requests": line.request_count, "methods": dict(line.requests), "up": line.bytes["up"],
                        "down": line.bytes["down"]})
        tell(f"{tool.name:6} {latency * 1000:3.0f} ms  {what:24} night {night}: {took['seconds']:7.1f} s, "
             f"{line.request_count} requests, {took['peak_bytes'] / 1e6:.0f} MB")

    line.begin(0)
    tool.begin()
    for night, path in enumerate(files, 1):
        is_measured = night in (1, len(files))
        total = warm(path)
        line.begin(latency if is_measured else 0)
        took = run(tool.backup(""), tool.environment, source=["cat", path], keep_output=True)
        if is_measured:
            noted("backup", night, took, total)
        line.begin(0)
        tool.snapshots[night] = snapshot_of(tool, took["output"])
    for night in (1, len(files)):
        total = os.path.getsize(files[night - 1])
        forget_cache(tool)
        line.begin(latency)
        noted("restore", night, through_pipe(tool.restore(night), tool.environment), total)
        if tool.name == "restic":
            target = os.path.join(work, "restored")
            forget_cache(tool)
            line.begin(latency)
            noted("restore to a directory", night, run(tool.restore_to_directory(night, target), tool.environment), total)
            shutil.rmtree(target)
        if latency == 0:
            line.begin(0)
            if hash_of_output(tool.restore(night), tool.environment)["output"] != hash_of_file(files[night - 1]):
                sys.exit(f"far: night {night} of {tool.name} is not what was saved")
    return figures


def rows(figures):
    """A line for each operation and latency: repo, restic, and how many times faster."""
    found = {(f["what"], f["night"], f["latency"], f["tool"]): f for f in figures}
    lines = []
    for what in ("backup", "restore"):
        for night in sorted({f["night"] for f in figures}):
            for latency in sorted({f["latency"] for f in figures}):
                repo = found.get((what, night, latency, "repo"))
                restic = found.get((what, night, latency, "restic"))
                several = found.get(("restore to a directory", night, latency, "restic")) if what == "restore" else None
                if not repo:
                    continue

                def speed(figure):
                    return number(figure["bytes"] / figure["seconds"] / 1e6, 0) if figure else None

                def times(figure):
                    return number(figure["seconds"] / repo["seconds"], 2, " x") if figure else None

                lines.append([f"{what}, night {night}", f"{latency * 1000:.0f}", speed(repo), speed(restic), times(restic),
                              speed(several), times(several), repo["requests"], restic and restic["requests"],
                              several and several["requests"], number(repo["peak_bytes"] / 1e6),
                              number(restic["peak_bytes"] / 1e6) if restic else None])
    return lines


HEADING = ["what", "latency, ms", "repo, MB/s", "restic, MB/s", "repo is", "restic restore, MB/s", "repo is", "requests: repo", "restic",
           "restic restore", "peak MB: repo", "restic"]


def main():
    parser = argparse.ArgumentParser(formatter_class=argparse.RawDescriptionHelpFormatter, description=__doc__)
    parser.add_argument("corpus")
    parser.add_argument("--nights", type=int, default=7, help="how many nights are saved; the first and the last are measured")
    parser.add_argument("--latency", default="0,20,50,100", help="milliseconds each way, several by commas")
    parser.add_argument("--window", type=int, default=64, metavar="KIB", help="what one connection has under way, each way")
    parser.add_argument("--tools", default="repo,restic")
    parser.add_argument("--work", default="/tmp", help="where caches and restored files go for a while")
    parser.add_argument("--json", help="every single measurement")
    arguments = parser.parse_args()
    arguments.bucket = os.environ.get("S3_BUCKET", "repo-far")
    arguments.region = os.environ.get("AWS_REGION", "us-east-1")
    for name in ("S3_ENDPOINT", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        if name not in os.environ:
            sys.exit(f"far: {name} is not set: --help says what it is")
    endpoint = urllib.parse.urlsplit(os.environ["S3_ENDPOINT"])
    if endpoint.scheme != "http" or not endpoint.hostname:
        sys.exit("far: S3_ENDPOINT must be an http:// address: what passes is counted")
    files = [os.path.join(arguments.corpus, f"day{night}.sql") for night in range(1, arguments.nights + 1)]
    for path in files:
        if not os.path.isfile(path):
            sys.exit(f"far: {path} is missing; make_corpora.py makes it")
    here = machine()
    figures = []
    mark = os.urandom(4).hex()
    with Workplace(arguments.work) as work, SlowLine(endpoint.hostname, endpoint.port or 80, arguments.window << 10) as line:
        for latency in (float(word) / 1000 for word in arguments.latency.split(",")):
            # restic first: it makes the bucket.
            for kind in (FarRestic, FarRepo):
                if kind.name not in arguments.tools.split(","):
                    continue
                directory = os.path.join(work, kind.name)
                name = f"{mark}-{kind.name}-{latency * 1000:.0f}"
                figures += measure(place(kind(directory), arguments, line, name), files, latency, line, work)
    if arguments.json:
        with open(arguments.json, "w") as out:
            json.dump({"machine": here, "window": arguments.window << 10, "figures": figures}, out, indent=1)
    print(f"{describe(here)}; {arguments.window} KiB under way on a connection\n")
    print(table(HEADING, rows(figures)))


main_guarded(main)
