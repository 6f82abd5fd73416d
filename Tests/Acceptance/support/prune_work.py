#!/usr/bin/env python3
"""What prune.sh does beside prune: writes, verifies, kills. The program is REPO_BIN.

    prune_work.py write LOG SEED NUMBER COUNT PRUNES
        adds COUNT streams to series such as few/NUMBER, drawn from the words in SERIES ("all few last"), and appends a
        JSON line a stream to LOG.
        PRUNES is a file that grows with every prune, or - where none runs: HELD_UP (0.33) of the streams are held up in
        the middle until it has grown. ALONE (0.2) of them share nothing with others.
    prune_work.py verify LOG...
        restores all that is listed, holds it against the logs, and prints what it found, `name value` a line
    prune_work.py unfinished DIRECTORY SEED SERIES
        leaves the manifest of an add that was killed before it looked whether all it stands on is still there: the only
        snapshot of SERIES is dropped while the add goes on; prints the id
    prune_work.py moved SEED SERIES OUT
        a prune moves what an add that is under way makes deltas against; prints the status of the add and what it says,
        and leaves in OUT what was added
    prune_work.py overtaken DIRECTORY SEED ONE OTHER
        five times stops a prune of the series ONE once it has condemned something, has another one drop a snapshot of
        OTHER and delete what that needed, and lets the first go on; prints how often it could be stopped, and what it
        said where it did not end with 0
    prune_work.py kill DIRECTORY WHEN SECONDS COMMAND...
        runs COMMAND and kills it SECONDS after its begin, or after the first name has come or gone in the repository
        DIRECTORY (WHEN is begin or change); prints `killed` or the exit status, how many names have come and gone then,
        and the seconds since its begin
"""
import collections
import hashlib
import json
import os
import random
import signal
import subprocess
import sys
import time

REPO = os.environ["REPO_BIN"]
BLOCK, BLOCKS = 48_000, 60
KEPT = {"few": 3, "last": 1}


class Writer:
    """Streams of blocks that all writers share, of which some change a little and come back as they were."""

    def __init__(self, seed, number):
        self.seed = seed
        self.source = random.Random(f"{seed} writer {number}")
        self.blocks = {}
        self.state = [(self.source.randrange(BLOCKS), 0) for _ in range(self.source.randrange(8, 30))]
        self.past = [self.state]

    def block(self, number, version):
        """A block; versions differ in some bytes at three places, so that deltas arise."""
        if (number, version) not in self.blocks:
            data = bytearray(random.Random(f"{self.seed} block {number}").randbytes(BLOCK))
            edits = random.Random(f"{self.seed} block {number} version {version}")
            for _ in range(3 if version else 0):
                place = edits.randrange(BLOCK - 24)
                data[place:place + 24] = edits.randbytes(24)
            self.blocks[number, version] = bytes(data)
        return self.blocks[number, version]

    def next(self):
        """The next stream: a little is changed, or it is an earlier one again. Nothing else has its end, which is at times
        more than a segment, or all there is."""
        source = self.source
        if source.random() < float(os.environ.get("ALONE", "0.2")):
            return source.randbytes(source.randrange(300_000, 1_500_000))
        if source.random() < 0.25:
            self.state = source.choice(self.past)
        else:
            self.state = list(self.state)
            for _ in range(source.randrange(1, 5)):
                place = source.randrange(len(self.state))
                self.state[place] = self.state[place][0], source.randrange(6)
            if source.random() < 0.3 and len(self.state) < 40:
                self.state.insert(source.randrange(len(self.state)), (source.randrange(BLOCKS), 0))
            if source.random() < 0.2 and len(self.state) > 6:
                del self.state[source.randrange(len(self.state))]
        self.past.append(self.state)
        return b"".join(self.block(*each) for each in self.state) + source.randbytes(source.choice((0, 20_000, 90_000, 1_200_000)))


def size(path):
    return os.path.getsize(path) if os.path.exists(path) else 0


def write(log, seed, number, count, prunes):
    writer = Writer(seed, number)
    names = os.environ.get("SERIES", "all few last").split()
    with open(log, "a", buffering=1) as out:
        for turn in range(int(count)):
            series = f"{writer.source.choice(names)}/{number.split('.')[0]}"
            data = writer.next()
            held_up = writer.source.random() < float(os.environ.get("HELD_UP", "0.33")) and prunes != "-"
            add = subprocess.Popen([REPO, "add", series, "--format", "raw", "--allow-shrink", "--json"], stdin=subprocess.PIPE,
                                   stdout=subprocess.PIPE, stderr=subprocess.PIPE)
            try:
                half = len(data) * 3 // 4 if held_up else 0
                add.stdin.write(data[:half])
                add.stdin.flush()
                before, deadline = size(prunes), time.monotonic() + 20
                while held_up and size(prunes) < before + 2 and time.monotonic() < deadline:
                    time.sleep(0.005)
                add.stdin.write(data[half:])
            except BrokenPipeError:
                pass
            try:
                output, errors = add.communicate(timeout=300)
                status = add.returncode
            except subprocess.TimeoutExpired:
                add.kill()
                output, errors = add.communicate()
                status = "five minutes without an end"
            lines = [json.loads(line) for line in output.splitlines()]
            summary = next((line for line in lines if line["type"] == "summary"), {})
            print(json.dumps({
                "turn": turn, "series": series, "status": status, "snapshot": summary.get("snapshot"), "bytes": len(data),
                "sha256": hashlib.sha256(data).hexdigest(), "deltas": summary.get("frames_delta", 0),
                "new": summary.get("bytes_new", 0), "message": errors.decode(errors="replace")}), file=out)


def verify(logs):
    added, failed = [], collections.Counter()
    condemned = 0
    for log in logs:
        for line in open(log):
            entry = json.loads(line)
            if entry["status"] in (0, 3):
                added.append(entry)
            if entry["status"] == 0:
                continue
            if entry["status"] == 1 and "condemned" in entry["message"]:
                condemned += 1
            else:
                failed[f"{entry['status']}: {entry['message'].strip()[-300:]}"] += 1
    known = {entry["snapshot"]: entry for entry in added}
    listing = subprocess.run([REPO, "list", "--json"], capture_output=True)
    listed = [json.loads(line) for line in listing.stdout.splitlines()]
    listed = {line["snapshot"]: line["series"] for line in listed if line["type"] == "snapshot"}
    by_series = collections.defaultdict(list)
    for entry in added:
        by_series[entry["series"]].append(entry["snapshot"])
    lost, too_many = [], 0
    for series, ids in by_series.items():
        kept = KEPT.get(series.split("/")[0], len(ids))
        lost += [f"{series} {id}" for id in ids[-kept:] if id not in listed]
        too_many += max(0, sum(1 for each in listed.values() if each == series) - kept)
    wrong = []
    for id, series in listed.items():
        got = subprocess.run([REPO, "cat", id], capture_output=True)
        if id in known and (got.returncode, hashlib.sha256(got.stdout).hexdigest()) != (0, known[id]["sha256"]):
            wrong.append(f"{series} {id}: {got.returncode} {got.stderr.decode(errors='replace').strip()[-200:]}")
    print("list", listing.returncode)
    print("added", len(added))
    print("condemned", condemned)
    print("failed", sum(failed.values()))
    print("listed", len(listed))
    print("lost", len(lost))
    print("unknown", sum(1 for id in listed if id not in known))
    print("wrong", len(wrong))
    print("too_many", too_many)
    print("deltas", sum(entry["deltas"] for entry in added))
    print("bytes", sum(entry["bytes"] for entry in added))
    for text in [f"{count} times {what}" for what, count in failed.items()] + lost + wrong:
        print("#", text.replace("\n", " | "))
    for id in listed:
        if id not in known:
            print("# unknown", listed[id], id)


def files(directory, found):
    """All files below a directory, as they are while somebody changes it."""
    try:
        with os.scandir(directory) as entries:
            for entry in entries:
                if entry.is_dir(follow_symlinks=False):
                    files(entry.path, found)
                else:
                    found.add(entry.path)
    except FileNotFoundError:
        pass
    return found


def kill(directory, when, seconds, command):
    before = files(directory, set())
    began = time.perf_counter()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    # What changes first are tombstones.
    stones = os.path.join(directory, "tombstones")
    while when == "change" and process.poll() is None and not files(stones, set()):
        pass
    end = (began if when == "begin" else time.perf_counter()) + float(seconds)
    while time.perf_counter() < end and process.poll() is None:
        pass
    took = time.perf_counter() - began
    process.kill()
    # it may have ended before
    status = process.wait()
    print("killed" if status < 0 else status, len(before ^ files(directory, set())), f"{took:.4f}")


def unfinished(directory, seed, series):
    source = random.Random(f"{seed} unfinished")
    shared, other = source.randbytes(3_000_000), source.randbytes(3_000_000)
    for data in (shared, other):
        subprocess.run([REPO, "add", series, "--format", "raw"], input=data, check=True, capture_output=True)
    (place,) = (entry.path for entry in os.scandir(os.path.join(directory, "snapshots")))
    add = subprocess.Popen([REPO, "add", series + "/killed", "--format", "raw"], stdin=subprocess.PIPE,
                           stderr=subprocess.PIPE)
    # more than a pipe holds, so when this is written it was read, and found to be there already
    add.stdin.write(shared)
    add.stdin.flush()
    time.sleep(1)
    subprocess.run([REPO, "prune", series, "--keep-last", "1", "--grace", "0"], check=True, capture_output=True)
    before = set(os.listdir(place))
    add.stdin.close()
    while add.poll() is None:
        if found := set(os.listdir(place)) - before:
            add.kill()
            break
    add.wait()
    print(*set(os.listdir(place)) - before)


def moved(seed, series, out):
    source = random.Random(f"{seed} moved")
    dropped, common, own = (source.randbytes(3_000_000) for _ in range(3))
    edited = bytearray(common)
    for place in range(0, len(common), 100_000):
        edited[place:place + 20] = source.randbytes(20)
    command = [REPO, "add", series, "--format", "raw"]
    for data in (dropped + common, common + own):
        subprocess.run(command, input=data, check=True, capture_output=True)
    add = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    # more than a pipe holds, so when this is written the add knows what there is
    add.stdin.write(own[:500_000])
    add.stdin.flush()
    subprocess.run([REPO, "prune", series, "--keep-last", "1", "--grace", "0"], check=True, capture_output=True)
    _, said = add.communicate(edited + own)
    with open(out, "wb") as file:
        file.write(own[:500_000] + edited + own)
    print(add.returncode, said.decode(errors="replace").replace("\n", " | "))


def overtaken(directory, seed, one, other):
    source = random.Random(f"{seed} overtaken")
    stones = os.path.join(directory, "tombstones", "packs")
    options = ["--keep-last", "1", "--grace", "0"]
    stopped, failures = 0, []
    for _ in range(5):
        for series in (one, other) * 2:
            subprocess.run([REPO, "add", series, "--format", "raw"], input=source.randbytes(1_500_000), check=True,
                           capture_output=True)
        first = subprocess.Popen([REPO, "prune", one, *options], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
        while first.poll() is None and len(files(stones, set())) < 2:
            pass
        if first.poll() is None:
            first.send_signal(signal.SIGSTOP)
            stopped += 1
        second = subprocess.run([REPO, "prune", other, *options], capture_output=True)
        first.send_signal(signal.SIGCONT)
        _, said = first.communicate()
        for status, text in (first.returncode, said), (second.returncode, second.stderr):
            if status:
                failures.append(f"exit {status}: {text.decode(errors='replace').strip()}".replace("\n", " | "))
    print(stopped, *failures, sep=" || ")


verb, rest = sys.argv[1], sys.argv[2:]
if verb == "write":
    write(*rest)
elif verb == "verify":
    verify(rest)
elif verb == "moved":
    moved(*rest)
elif verb == "overtaken":
    overtaken(*rest)
elif verb == "unfinished":
    unfinished(*rest)
else:
    kill(rest[0], rest[1], rest[2], rest[3:])
