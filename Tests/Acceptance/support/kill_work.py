#!/usr/bin/env python3
"""What kills.sh does: prepares a repository, kills the program at a moment, and looks whether anything is lost.
The program is REPO_BIN.

    kill_work.py prepare DIRECTORY SEED ROWS
        makes DIRECTORY/state: a repository with nights of a table that are deltas of each other, files, and what a prune
        deletes and rewrites, another one to copy to, and the cache; and DIRECTORY/data: what goes in
    kill_work.py requests DIRECTORY SEED COUNT VERB...
        kills each VERB at COUNT (or all) of its calls that touch a repository, the cache or the target, at each before it,
        at those that change something also after it, and at writes half way through
    kill_work.py store DIRECTORY SEED COUNT VERB...
        the same in the object store S3_ENDPOINT, at every call on a socket
    kill_work.py instants DIRECTORY SEED COUNT VERB...
        kills COUNT runs of each VERB after a part of the time that a whole one takes

A kill begins with a fresh copy of what was prepared. After it nothing may be damaged, all that is listed and all that
somebody was told is saved has to come back bit for bit, without the cache too, and the same command has to end well. Prints
`name value` a line; lines that begin with # say what is wrong. LOSE=1 removes a pack after each kill: all of this has to
notice.
"""
import collections
import hashlib
import http.client
import json
import os
import random
import re
import shutil
import signal
import subprocess
import sys
import time
import urllib.parse

import traced

REPO = os.environ["REPO_BIN"]
WORKERS = 2


def sha256(data):
    return hashlib.sha256(data).hexdigest()


def tree_sum(directory):
    """Of all names and bytes below a directory."""
    lines = []
    for place, _, names in os.walk(directory):
        for name in names:
            path = os.path.join(place, name)
            with open(path, "rb") as file:
                lines.append(f"{os.path.relpath(path, directory)} {sha256(file.read())}")
    return sha256("\n".join(sorted(lines)).encode())


class Rows:
    """Nights of a table: rows that stay, of which a few change each night."""

    def __init__(self, seed, rows):
        self.source = random.Random(f"{seed} rows")
        self.rows = [self.row(number) for number in range(rows)]

    def row(self, number):
        return f"({number},'{self.source.randbytes(40).hex()}','some words that are always the same'),\n"

    def night(self):
        for number in self.source.sample(range(len(self.rows)), len(self.rows) // 100):
            self.rows[number] = self.row(number)
        return "".join(self.rows).encode()


class Work:
    """A directory in which kills happen: `data` and `state` are kept, all below `now` is made anew for each."""

    def __init__(self, directory, now="now"):
        self.directory = directory
        self.data, self.state = os.path.join(directory, "data"), os.path.join(directory, "state")
        self.now = os.path.join(directory, now)
        self.prefix = None      # in an object store, in place of now/r

    def fresh(self):
        shutil.rmtree(self.now, ignore_errors=True)
        subprocess.run(["cp", "-a", "--reflink=auto", self.state, self.now], check=True)

    def place(self, name="r"):
        return os.path.join(self.now, name) if name != self.far else self.prefix

    far = None

    def environment(self, cache="cache"):
        kept = {name: os.environ[name] for name in os.environ if name.startswith(("PATH", "LC_", "TZ", "AWS_", "HOME", "LD_"))}
        return kept | {"XDG_CACHE_HOME": os.path.join(self.now, cache), "REPO_ENDPOINT": os.environ.get("S3_ENDPOINT", "")}

    def command(self, name, *words):
        return [REPO, *words, "--repository", self.place(name), "--key-file", os.path.join(self.data, name + ".key")]

    def run(self, command, cache="cache"):
        return subprocess.run(command, env=self.environment(cache), capture_output=True, stdin=subprocess.DEVNULL)


class Store:
    """moto, which asks for no signature."""

    def __init__(self):
        self.connection = http.client.HTTPConnection(urllib.parse.urlsplit(os.environ["S3_ENDPOINT"]).netloc)
        self.bucket = os.environ["S3_BUCKET"]

    def ask(self, method, path, body=None):
        self.connection.request(method, f"/{self.bucket}{path}", body, {"Authorization": "AWS4-HMAC-SHA256 Credential=test/20260101/us-east-1/s3/aws4_request"})
        answer = self.connection.getresponse()
        data = answer.read()
        if answer.status >= 300:
            raise OSError(f"{method} {path}: {answer.status} {data[:200]}")
        return data

    def names(self, prefix):
        return re.findall("<Key>(.*?)</Key>", self.ask("GET", f"?list-type=2&max-keys=1000&prefix={prefix}/").decode())

    def upload(self, directory, prefix):
        for place, _, names in os.walk(directory):
            for name in names:
                path = os.path.join(place, name)
                relative = os.path.relpath(path, directory)
                if not relative.startswith("tmp/"):
                    with open(path, "rb") as file:
                        self.ask("PUT", f"/{prefix}/{relative}", file.read())

    def clear(self, prefix):
        for name in self.names(prefix):
            self.ask("DELETE", "/" + name)


# --- what is prepared

def day(number):
    return f"2026-11-{number:02}T02:00:00Z"


def prepare(directory, seed, rows):
    work = Work(directory, "state")
    os.makedirs(work.data)
    os.makedirs(os.path.join(work.state, "cache"))
    os.makedirs(os.path.join(work.state, "out"))
    source = random.Random(f"{seed} prepare")
    table = Rows(seed, int(rows))
    sums = {}

    def done(command):
        answer = work.run(command)
        if answer.returncode:
            sys.exit(f"{command}: exit {answer.returncode}: {answer.stderr.decode()}")
        return answer

    def save(name, content):
        with open(os.path.join(work.data, name), "wb") as file:
            file.write(content)
        return os.path.join(work.data, name)

    def add(series, number, content):
        path = save(f"{series}{number}", content)
        done(work.command("r", "add", series, path, "--format", "raw", "--time", day(number)))
        sums[f"{series} {day(number)}"] = sha256(content)

    for name in ("r", "other", "new"):
        save(f"{name}.key", source.randbytes(32))
    done(work.command("r", "init", "--recovery-key-file", os.path.join(work.data, "r.recovery")))
    done(work.command("other", "init", "--recovery-key-file", os.path.join(work.data, "other.recovery"),
                      "--copy-parameters-from", work.place(), "--from-key-file", os.path.join(work.data, "r.key")))
    block = len(table.night())
    shared = source.randbytes(block)
    add("shop", 1, table.night())
    done(work.command("r", "copy", "--to", work.place("other"), "--to-key-file", os.path.join(work.data, "other.key")))
    add("gone", 1, source.randbytes(block) + shared)
    add("held", 1, shared + source.randbytes(block // 4))
    for number in 2, 3:
        add("shop", number, table.night())
    add("gone", 2, source.randbytes(50_000))
    tree = os.path.join(work.data, "tree")
    os.makedirs(tree + "/below")
    for number in range(8):
        save(f"tree/below/{number}", source.randbytes(3000 + number * 6000))
    done(work.command("r", "add", "tree", "--files", tree, "--time", day(1)))
    sums[f"tree {day(1)}"] = tree_sum(tree)
    save("tree/below/3", source.randbytes(40_000))
    save("tree/new", source.randbytes(70_000))
    sums[f"tree {day(9)}"] = tree_sum(tree)
    sums[f"shop {day(9)}"] = sha256(night := table.night() + source.randbytes(block // 3))
    save("shop9", night)
    done(work.command("r", "policy", "set", "shop", "--keep-last", "2"))
    done(work.command("r", "policy", "set", "gone", "--keep-last", "1"))
    listed = [json.loads(line) for line in done(work.command("r", "list", "--json")).stdout.splitlines()]
    ids = {f"{line['series']} {time_of(line)}": line["snapshot"] for line in listed}
    with open(os.path.join(directory, "prepared.json"), "w") as file:
        json.dump({"sums": sums, "ids": ids}, file)
    stored = sum(os.path.getsize(os.path.join(place, name)) for place, _, names in os.walk(work.place()) for name in names)
    deltas = sum(json.loads(line)["bytes_stored"] < block // 4 for line in
                 work.run(work.command("r", "list", "shop", "--json")).stdout.splitlines())
    print("snapshots", len(ids))
    print("bytes", stored)
    print("deltas", deltas)


def time_of(line):
    return line["time"].replace(".000", "")


# --- the verbs

class Verb:
    """One command that is killed: what is there before, what has to be there when it ended."""

    def __init__(self, work, name, prepared):
        self.work, self.name, self.sums = work, name, prepared["sums"]
        before = set(prepared["ids"])
        # What nobody may miss at any time, by repository; and what there has to be in the end, and nothing else.
        self.always = {"r": before, "other": {f"shop {day(1)}"}}
        self.finally_ = {}
        out = os.path.join(work.now, "out")
        self.target = None
        data = work.data
        if name == "add":
            self.command = work.command("r", "add", "shop", data + "/shop9", "--format", "raw", "--time", day(9), "--json")
            self.finally_["r"] = before | {f"shop {day(9)}"}
        elif name == "files":
            self.command = work.command("r", "add", "tree", "--time", day(9), "--json", "--files", data + "/tree")
            self.finally_["r"] = before | {f"tree {day(9)}"}
        elif name == "also":
            self.command = work.command("r", "add", "shop", data + "/shop9", "--format", "raw", "--time", day(9), "--json",
                                        "--also", work.place("other"), "--also-key-file", data + "/other.key")
            self.finally_ = {"r": before | {f"shop {day(9)}"}, "other": {f"shop {day(1)}", f"shop {day(9)}"}}
        elif name == "prune":
            self.command = work.command("r", "prune", "--grace", "0", "--max-unused", "0", "--json")
            self.always["r"] = self.finally_["r"] = before - {f"shop {day(1)}", f"gone {day(1)}"}
        elif name == "forget":
            self.command = work.command("r", "forget", prepared["ids"][f"gone {day(1)}"], "--json")
            self.always["r"] = self.finally_["r"] = before - {f"gone {day(1)}"}
        elif name == "copy":
            self.command = work.command("r", "copy", "--to", work.place("other"), "--to-key-file", data + "/other.key", "--json")
            self.finally_["other"] = before
        elif name == "twin":
            self.command = work.command("r", "copy", "--to", work.place("twin"), "--same-keys", "--json")
            self.always["twin"] = set()
            self.finally_["twin"] = before
        elif name == "key":
            self.command = work.command("r", "key", "add", "--kind", "write", "--new-key-file", work.now + "/write.key",
                                        "--generate", "--json")
        elif name == "init":
            self.command = work.command("new", "init", "--recovery-key-file", work.now + "/new.recovery", "--json")
        elif name == "check":
            self.command = work.command("r", "check", "--read-data", "--json")
        elif name == "restore":
            self.target = out + "/shop"
            self.command = work.command("r", "restore", f"shop@{day(3)}", "--to", self.target, "--json")
        elif name == "restore-files":
            self.target = out + "/tree"
            self.command = work.command("r", "restore", "tree", "--to", self.target, "--json")
        else:
            sys.exit(f"there is no verb {name}")

    def key(self, name):
        return "r" if name == "twin" else name

    def open(self, name, *words):
        return [REPO, *words, "--repository", self.work.place(name), "--key-file", f"{self.work.data}/{self.key(name)}.key"]

    def roots(self):
        return tuple(self.work.now + "/" + name for name in
                     ("r/", "other/", "twin/", "new/", "new.recovery", "write.key", "cache/", "out/"))

    # --- what has to hold

    def verify(self, found, name, ended):
        """All of a repository, after a kill, and when the verb `ended`."""
        problems = found.problems
        if name == "twin" and not os.path.exists(self.work.place("twin") + "/config"):
            return
        if os.environ.get("LOSE") and not ended and name == "r":
            lose(self.work.place("r"))
        check = self.work.run(self.open(name, "check", "--read-data", "--json"))
        if check.returncode:
            problems.append(f"{name}: check ends with {check.returncode}: {(check.stdout + check.stderr).decode()[-400:]}")
        listing = self.work.run(self.open(name, "list", "--json"), "cache-of-another")
        if listing.returncode:
            problems.append(f"{name}: list ends with {listing.returncode}: {listing.stderr.decode()[-300:]}")
        lines = [json.loads(line) for line in listing.stdout.splitlines()]
        listed = {f"{line['series']} {time_of(line)}": line["snapshot"] for line in lines}
        if len(listed) != len(lines) and ended != "again":
            problems.append(f"{name}: a snapshot is there twice")
        missing = self.always[name] - set(listed)
        if ended:
            missing = self.finally_.get(name, self.always[name]) - set(listed)
            more = set(listed) - self.finally_.get(name, self.always[name])
            if more:
                problems.append(f"{name}: {sorted(more)} should not be there")
        for key, id in found.told.items():
            # What was saved before the kill, and once more after it, has the same series and time.
            if key == name and id not in {line["snapshot"] for line in lines}:
                missing.add(f"{id}, which was said to be saved")
        if missing:
            problems.append(f"{name}: {sorted(missing)} are lost")
        for line in lines:
            known = f"{line['series']} {time_of(line)}"
            # From far away all of it is fetched once, straight after the kill, and then what is new.
            if ended and self.work.far and known in self.always[name]:
                continue
            if line["series"] == "tree":
                back = self.work.now + "/back"
                shutil.rmtree(back, ignore_errors=True)
                got = self.work.run(self.open(name, "restore", line["snapshot"], "--to", back), "cache-of-another")
                sum = tree_sum(back + self.work.data + "/tree")
            else:
                got = self.work.run(self.open(name, "cat", line["snapshot"]), "cache-of-another")
                sum = sha256(got.stdout)
            if got.returncode or sum != self.sums.get(known):
                problems.append(f"{name}: {known} does not come back: exit {got.returncode}: {got.stderr.decode()[-300:]}")
            else:
                found.restored += 1

    def target_is_whole(self):
        if self.name == "restore":
            with open(self.target, "rb") as file:
                return sha256(file.read()) == self.sums[f"shop {day(3)}"]
        return tree_sum(self.target + self.work.data + "/tree") == self.sums[f"tree {day(1)}"]

    def after(self, found, status, output):
        """What holds after the kill, and then after the same command once more."""
        problems, work = found.problems, self.work
        summary = next((line for line in map(decoded, output.splitlines()) if line.get("type") == "summary"), {})
        if self.name in ("add", "files", "also") and "snapshot" in summary:
            # Of two repositories one may have failed: then the other is spoken of, and it is said where nothing is saved.
            also = summary.get("also", {})
            found.told["other" if also.get("location") == work.place() else "r"] = summary["snapshot"]
            if "snapshot" in also:
                found.told["other"] = also["snapshot"]
            found.acknowledged += 1
        if self.name == "init":
            return self.after_init(found)
        if self.name == "restore" and os.path.exists(self.target) and not self.target_is_whole():
            problems.append("half a file has the name of the whole one")
        for name in sorted(self.always):
            if name == "r" or name in self.finally_:
                self.verify(found, name, False)
        again = list(self.command)
        if self.target and os.path.exists(self.target):
            again.append("--overwrite")
        if self.name == "key" and os.path.exists(work.now + "/write.key"):
            # A file that may hold a key is never written over.
            os.rename(work.now + "/write.key", work.now + "/write.key.of-the-killed")
        there = [decoded(line).get("snapshot") for line in work.run(self.open("r", "list", "--json")).stdout.splitlines()]
        gone = self.name == "forget" and self.command[2] not in there
        answer = work.run(again)
        if self.name == "twin" and answer.returncode == 1 and b"is not empty, and is no repository" in answer.stderr:
            # As with init: what was begun and is no repository yet is not taken for one, and not written over.
            found.notes["nothing is made and something is in the way"] += 1
            if os.path.exists(work.place("twin") + "/config") or os.path.exists(work.place("twin") + "/keys"):
                problems.append("a repository is said to be none")
            shutil.rmtree(work.place("twin"))
            answer = work.run(again)
        if gone and answer.returncode == 1 and b"there is no snapshot" in answer.stderr:
            found.notes["dropped already, which is said"] += 1
        elif answer.returncode:
            problems.append(f"again it ends with {answer.returncode}: {answer.stderr.decode()[-300:]}")
        if self.target and not self.target_is_whole():
            problems.append("what is restored then differs")
        if self.name == "key" and work.run([REPO, "list", "--repository", work.place(), "--key-file", work.now + "/write.key"]).returncode:
            problems.append("the new key opens nothing")
        for name in sorted(self.always):
            if name == "r" or name in self.finally_:
                self.verify(found, name, "again")
        if self.name == "prune" and self.work.far != "r":
            stones = sum(len(names) for _, _, names in os.walk(work.place() + "/tombstones"))
            if stones:
                problems.append(f"the next prune leaves {stones} tombstones")

    def after_init(self, found):
        """A repository that opens, or something that says what is in the way and can be taken away; nothing between."""
        problems, work = found.problems, self.work
        recovery, place = work.now + "/new.recovery", work.place("new")
        written = os.path.exists(recovery) and os.path.getsize(recovery) > 0
        made = os.path.exists(place + "/config")
        opens = work.run(self.open("new", "list")).returncode == 0
        if made and not opens:
            problems.append("there is a config and nothing that opens")
        answer = work.run(self.command)
        said = answer.stderr.decode()
        if answer.returncode == 0:
            found.notes["init ends well again"] += 1
        elif opens:
            if "there is a repository" not in said:
                problems.append(f"init does not say that there is a repository: {said[-300:]}")
            found.notes["there is a repository" + ("" if written else " whose recovery key was not written")] += 1
            if not written:
                again = work.run(self.open("new", "key", "recovery", "--to", recovery + "2"))
                if again.returncode:
                    problems.append(f"the recovery key cannot be written: {again.stderr.decode()[-300:]}")
        else:
            if not re.search("new.recovery: file exists|is not empty", said):
                problems.append(f"init does not say what is in the way: {said[-300:]}")
            if written:
                problems.append("there is a recovery key of nothing")
            found.notes["nothing is made and something is in the way"] += 1
            shutil.rmtree(place, ignore_errors=True)
            if os.path.exists(recovery):
                os.remove(recovery)
            answer = work.run(self.command)
            if answer.returncode:
                problems.append(f"init does not end well: {answer.stderr.decode()[-300:]}")
                return
        for words in ("check", "--read-data"), ("list",):
            answer = work.run(self.open("new", *words))
            if answer.returncode and (made or words[0] != "check"):
                problems.append(f"{words[0]} ends with {answer.returncode}: {answer.stderr.decode()[-300:]}")
        if work.run(self.open("new", "add", "shop", work.data + "/gone2")).returncode:
            problems.append("the new repository takes nothing")


def decoded(line):
    try:
        return json.loads(line)
    except ValueError:
        return {}


def lose(repository):
    packs = sorted(os.path.join(place, name) for place, _, names in os.walk(repository + "/packs") for name in names)
    os.remove(packs[0])


class Found:
    """Of one kill, or of many."""

    def __init__(self):
        self.problems, self.told, self.notes = [], {}, collections.Counter()
        self.restored = self.acknowledged = 0


# --- the kills

def at_request(verb, number, how, counts):
    """Runs a verb anew and kills it there: its exit status, the calls that counted, and what it said."""
    with open(verb.work.now + "/stdout", "wb") as output, open(verb.work.now + "/stderr", "wb") as errors:
        status, calls = traced.run(verb.command, verb.work.environment(), output, errors, counts, number, how)
    with open(verb.work.now + "/stdout", "rb") as output:
        return status, calls, output.read()


def on_socket(call):
    """A request, an answer or a connection; not the socket's end."""
    return call.name != "close" and call.name != "fstat" and call.places[0].startswith("socket:")


def points(calls, changes_only):
    """Every moment at which a run of these calls can be killed, in their order."""
    for number, call in enumerate(calls):
        if call.changes or not changes_only:
            yield number, "before"
        if call.changes:
            yield number, "after"
        if call.name in traced.WRITES:
            yield number, "half"


def spread(moments, count, source):
    """`count` of them, equally far from each other, the first by chance."""
    if count >= len(moments):
        return moments
    first = source.random()
    return [moments[int((place + first) * len(moments) / count)] for place in range(count)]


def in_parallel(count, job):
    """job(worker, Found) in `count` processes; what all of them found."""
    total, pipes = Found(), []
    for worker in range(count):
        read, write = os.pipe()
        if os.fork() == 0:
            found = Found()
            try:
                job(worker, found)
            except BaseException as error:
                found.problems.append(f"the driver: {error!r}")
            with os.fdopen(write, "w") as file:
                json.dump([found.problems, found.notes, found.restored, found.acknowledged], file)
            os._exit(0)
        os.close(write)
        pipes.append(read)
    for read in pipes:
        with os.fdopen(read) as file:
            problems, notes, restored, acknowledged = json.loads(file.read() or '[["a driver died"],{},0,0]')
        total.problems += problems
        total.notes.update(notes)
        total.restored += restored
        total.acknowledged += acknowledged
        os.wait()
    return total


def kill_all(verbs, far, make, moments, strike, workers):
    """Of each verb: every moment is struck by somebody, and what then holds is looked at."""
    started = time.monotonic()
    for name in verbs:
        chosen = moments(name)

        def job(worker, total):
            work, store = make(worker), Store() if far else None
            for turn, moment in list(enumerate(chosen))[worker::workers]:
                verb = fresh(work, name, store, f"{name}{turn}")
                found = Found()
                status, output = strike(verb, moment, total)
                total.notes["killed" if status is None else "ended"] += 1
                try:
                    verb.after(found, status, output)
                except Exception as error:
                    found.problems.append(f"the driver: {error!r}")
                total.problems += [f"{name}, killed {moment}: {text}" for text in found.problems]
                total.notes.update(found.notes)
                total.restored += found.restored
                total.acknowledged += found.acknowledged
                if store:
                    store.clear(work.prefix.split("/", 3)[3])
            shutil.rmtree(work.now, ignore_errors=True)

        found = in_parallel(workers, job)
        notes = ", ".join(f"{count} {text}" for text, count in sorted(found.notes.items()) if text not in ("killed", "ended"))
        print(name, len(chosen), found.notes["killed"], found.restored, found.acknowledged, len(found.problems),
              round(time.monotonic() - started), notes, flush=True)
        started = time.monotonic()
        for problem in found.problems[:8]:
            print("#", problem.replace("\n", " | "), flush=True)


def fresh(work, name, store, prefix):
    """What was prepared, once more; in an object store the repository that the verb writes to."""
    with open(os.path.join(work.directory, "prepared.json")) as file:
        prepared = json.load(file)
    work.fresh()
    if store:
        work.far = "other" if name == "copy" else "r"
        store.upload(os.path.join(work.state, work.far), prefix)
        work.prefix = f"s3://{store.bucket}/{prefix}"
    return Verb(work, name, prepared)


def requests(directory, seed, count, verbs, far):
    workers = 1 if far else WORKERS

    def counter(verb):
        roots = verb.roots()
        return on_socket if far else lambda call: any((place + "/").startswith(roots) for place in call.places)

    def moments(name):
        verb = fresh(Work(directory), name, Store() if far else None, f"{name}-first")
        status, calls, _ = at_request(verb, None, "before", counter(verb))
        if status:
            sys.exit(f"{name}: without a kill it ends with {status}: {open(verb.work.now + '/stderr').read()}")
        everything = list(points(calls, False))
        print(f"# {name}: {len(calls)} calls, of which {sum(call.changes for call in calls)} change something, "
              f"{len(everything)} moments", flush=True)
        return spread(everything, int(count) if count != "all" else len(everything), random.Random(f"{seed} {name} {far}"))

    def strike(verb, moment, _):
        status, _, output = at_request(verb, *moment, counter(verb))
        return status, output

    kill_all(verbs, far, lambda worker: Work(directory, f"now{worker}"), moments, strike, workers)


def instants(directory, seed, count, verbs):
    seconds = {}

    def whole(name):
        """The seconds that a whole run takes, the shortest of three."""
        times = []
        for _ in range(3):
            verb = fresh(Work(directory), name, None, "")
            began = time.perf_counter()
            if verb.work.run(verb.command).returncode:
                sys.exit(f"{name} fails without a kill")
            times.append(time.perf_counter() - began)
        return min(times)

    def moments(name):
        seconds[name] = whole(name)
        print(f"# {name}: {seconds[name]:.3f} s a whole run", flush=True)
        source = random.Random(f"{seed} {name} instants")
        return [source.random() for _ in range(int(count))]

    def strike(verb, part, _):
        deadline = seconds[verb.name] * part
        with open(verb.work.now + "/stdout", "wb") as output:
            began = time.perf_counter()
            process = subprocess.Popen(verb.command, env=verb.work.environment(), stdin=subprocess.DEVNULL, stdout=output,
                                       stderr=subprocess.DEVNULL)
            if (rest := began + deadline - time.perf_counter() - 0.002) > 0:
                try:
                    process.wait(rest)
                except subprocess.TimeoutExpired:
                    pass
            while time.perf_counter() < began + deadline:
                pass
            process.send_signal(signal.SIGKILL)
            status = process.wait()
        with open(verb.work.now + "/stdout", "rb") as output:
            return None if status < 0 else status, output.read()

    kill_all(verbs, False, lambda worker: Work(directory, f"now{worker}"), moments, strike, 1)


if __name__ == "__main__":
    action, rest = sys.argv[1], sys.argv[2:]
    if action == "prepare":
        prepare(*rest)
    elif action in ("requests", "store"):
        requests(rest[0], rest[1], rest[2], rest[3:], action == "store")
    else:
        instants(rest[0], rest[1], rest[2], rest[3:])
