#!/usr/bin/env python3
"""What faults.sh does: has the kernel refuse calls of the program, by strace, and looks whether anything is lost. What goes
in, the commands and what has to hold after each are those of kill_work.py. The program is REPO_BIN.

    fault_work.py faults DIRECTORY SEED COUNT VERB...
        each VERB with COUNT (or all) of its calls that touch a repository, the cache, the target or a key refused, once or
        from then on
    fault_work.py interrupted DIRECTORY SEED COUNT VERB...
        the same with five calls in a row that a signal interrupts: nobody may notice where a file is opened, read or
        written; that a flush or a listing was interrupted may be told
    fault_work.py short DIRECTORY SEED all VERB...
        each VERB once, with every read and write of these giving half of what was asked: nobody may notice

strace counts the calls of each thread by itself: the Nth call of every thread fails. That is more than one fault now and
then, and no fault where a thread makes fewer calls than before. strace cannot shorten a call without lying about its data;
that is done by traced.py. Prints a line a verb; lines that begin with # say what is wrong. DEAF=1 takes what the program says
for granted and its exit status for 0: that has to be noticed.
"""
import collections
import os
import random
import re
import shutil
import subprocess
import sys
import time

import kill_work
import traced

# By call, what it may be refused with. Names as strace has them on x86-64.
FULL = ("EIO", "ENOSPC", "EDQUOT")
CREATES = {"write": FULL, "pwrite64": FULL, "fsync": FULL, "fdatasync": FULL, "close": FULL, "rename": FULL, "renameat2": FULL,
           "linkat": FULL, "link": FULL, "mkdir": FULL, "mkdirat": FULL, "symlink": FULL, "ftruncate": ("EIO",),
           "unlink": ("EIO",), "unlinkat": ("EIO",), "rmdir": ("EIO",), "fchmod": ("EIO",), "chmod": ("EIO",),
           "utimensat": ("EIO",)}
READS = {"openat": ("EIO",), "read": ("EIO",), "pread64": ("EIO",), "newfstatat": ("EIO",), "fstat": ("EIO",),
         "getdents64": ("EIO",), "lseek": ("EIO",)}
INTERRUPTED = ("openat", "read", "pread64", "write", "pwrite64", "fsync", "fdatasync", "ftruncate")
# What is said goes through write as well, so that fails only once.
ONCE = {"write", "close"}
# Files that come back without their times or modes are told in a warning.
ATTRIBUTES = {"utimensat", "chmod", "fchmod"}
RECORDING = {"prune", "forget", "key", "init", "twin"}
WORDS = {"EIO": "input/output error", "ENOSPC": "no space left", "EDQUOT": "disk quota exceeded",
         "EINTR": "interrupted system call"}
LINE = re.compile(r"^(\d+) +(?:<\.\.\. )?(\w+)(\(| resumed>)(.*)")


class Call:
    def __init__(self, name, number, text):
        self.name, self.number, self.text = name, number, text

    def creates(self):
        return self.name in CREATES or self.name == "openat" and "O_CREAT" in self.text

    def file(self):
        """Of a call on a descriptor."""
        return self.text[self.text.find("<") + 1:self.text.find(">")]


def calls_in(log, roots):
    """Of a log of strace: the calls that touch what is below these roots, or all, each with its number among those of its name
    in its thread, from 1; and whether it was refused."""
    counted, ahead = collections.Counter(), {}
    with open(log, errors="replace") as file:
        for line in file:
            found = LINE.match(line)
            if not found:
                continue
            thread, name, kind, text = found.groups()
            if kind == "(":
                counted[thread, name] += 1
                call = ahead[thread] = Call(name, counted[thread, name], text)
            else:
                call = ahead[thread]
            if "<unfinished" not in text and (roots is None or any(root in call.text for root in roots)):
                yield call, "(INJECTED)" in text


def moments(log, roots, kind):
    """All faults of one kind, in the order of the calls that they strike: those of calls that change something, and others."""
    seen, written, changing, reading = set(), set(), [], []
    for call, _ in calls_in(log, roots):
        if call.name in ("write", "pwrite64"):
            written.add(call.file())
        # A file that was only read closes well.
        if (call.name, call.number) in seen or call.name == "close" and call.file() not in written:
            continue
        seen.add((call.name, call.number))
        if kind == "interrupted":
            if call.name in INTERRUPTED:
                (changing if call.creates() else reading).append((call.name, "EINTR", f"{call.number}..{call.number + 4}"))
            continue
        errors = FULL if call.creates() and call.name == "openat" else CREATES.get(call.name) or READS.get(call.name, ())
        for error in errors:
            (changing if call.creates() else reading).append((call.name, error, f"{call.number}"))
        if errors and call.name not in ONCE:
            (changing if call.creates() else reading).append((call.name, errors[call.number % len(errors)], f"{call.number}+"))
    return changing, reading


def under_strace(verb, injected=None):
    """The exit status, what was said on both, and the log."""
    names = sorted(set(CREATES) | set(READS))
    log = verb.work.now + "/strace"
    command = ["strace", "-f", "-y", "-s", "0", "--seccomp-bpf", "-o", log, "-e", "trace=" + ",".join(names), "-e", "signal=none"]
    if injected:
        name, error, when = injected
        command += ["-e", f"inject={name}:error={error}:when={when}"]
    answer = subprocess.run(command + verb.command, env=verb.work.environment(), capture_output=True, stdin=subprocess.DEVNULL,
                            timeout=300)
    return answer.returncode, answer.stdout, answer.stderr.decode(errors="replace"), log


def judge(verb, found, status, said, error, struck, deaf):
    """The program's own words after a fault that it met.
    deaf: what it had to say was refused as well."""
    if status < 0 or status > 128 or re.search(r"Fatal error|Stack dump|\*\*\* ", said):
        found.problems.append(f"it crashes: exit {status}: {said[-400:]}")
    elif status == 0:
        found.notes["survived"] += 1
        came_true(verb, found)
        hard = [call for call in struck if not is_harmless(call)]
        # Where there is no room for a tombstone or a record, the reserve makes some.
        if hard and error != "EINTR" and not (verb.name in RECORDING and error in ("ENOSPC", "EDQUOT")) and not (
                all(call.name in ATTRIBUTES for call in hard) and WORDS[error] in said.lower()):
            found.problems.append(f"exit 0 after {hard[0].name}({hard[0].text}")
    else:
        found.notes["refused"] += 1
        if deaf:
            return
        if error == "EINTR" and not any("sync" in call.name or "O_DIRECTORY" in call.text for call in struck):
            found.problems.append(f"a signal is told: exit {status}: {said[-400:]}")
        elif WORDS[error] not in said.lower():
            found.problems.append(f"no word of {WORDS[error]}: exit {status}: {said[-400:]}")
        elif not re.search(r"/[^:]*: " + WORDS[error], said.lower()):
            found.problems.append(f"nothing is named: exit {status}: {said[-400:]}")


def is_harmless(call):
    """It can do without its cache, without room to keep for later, and with remains that prune removes; what is flushed is
    there however it is closed."""
    return (call.name == "close" or "/cache/" in call.text or "/tmp/reserve" in call.text
            or call.name == "newfstatat" and re.search(r'/(r|other|twin|new)/tmp"', call.text)
            or call.name == "unlink" and re.search(r"/(r|other|twin|new)/tmp/[0-9a-f]+", call.text))


def came_true(verb, found):
    """Exit 0: then all has happened that was to."""
    if verb.target and not (os.path.exists(verb.target) and verb.target_is_whole()):
        found.problems.append("exit 0, and what is restored differs")
    if verb.name == "key" and not os.path.exists(verb.work.now + "/write.key"):
        found.problems.append("exit 0, and there is no key")
    if verb.name == "init" and verb.work.run(verb.open("new", "check")).returncode:
        found.problems.append("exit 0, and there is no repository")
    for name in verb.finally_:
        verb.verify(found, name, "ended")


def strike_all(kind, directory, seed, count, verbs):
    for name in verbs:
        started = time.monotonic()
        if kind == "short":
            chosen = ["short"]
        else:
            verb = kill_work.fresh(kill_work.Work(directory), name, None, "")
            status, _, said, log = under_strace(verb)
            if status:
                sys.exit(f"{name}: without a fault it ends with {status}: {said}")
            changing, reading = moments(log, verb.roots(), kind)
            everything = changing + reading
            print(f"# {name}: {len(changing)} faults at calls that change something, {len(reading)} at others", flush=True)
            chosen = everything
            if count != "all":
                source = random.Random(f"{seed} {name} {kind}")
                most = (2 * int(count) + 2) // 3
                chosen = kill_work.spread(changing, most, source)
                chosen = chosen + kill_work.spread(reading, int(count) - len(chosen), source)

        def job(worker, total):
            work = kill_work.Work(directory, f"now{worker}")
            for moment in chosen[worker::kill_work.WORKERS]:
                verb, found = kill_work.fresh(work, name, None, ""), kill_work.Found()
                try:
                    met = short(verb, found) if kind == "short" else fault(verb, found, moment)
                    total.notes["met" if met else "not met"] += 1
                except Exception as error:
                    found.problems.append(f"the driver: {error!r}")
                total.problems += [f"{name}, {' '.join(moment)}: {text}" for text in found.problems]
                total.notes.update(found.notes)
                total.restored += found.restored
            shutil.rmtree(work.now, ignore_errors=True)

        found = kill_work.in_parallel(kill_work.WORKERS, job)
        notes = found.notes
        print(name, len(chosen), notes["met"], notes["refused"], notes["survived"], found.restored, len(found.problems),
              round(time.monotonic() - started), flush=True)
        for problem in found.problems[:8]:
            print("#", problem.replace("\n", " | "), flush=True)
        if os.environ.get("TELL"):
            for note in sorted(notes):
                print("#  ", notes[note], note, flush=True)


def fault(verb, found, moment):
    status, output, said, log = under_strace(verb, moment)
    everywhere = [call for call, injected in calls_in(log, None) if injected]
    struck = [call for call in everywhere if any(root in call.text for root in verb.roots())]
    if os.environ.get("DEAF"):
        status, said = 0, ""
    if struck:
        judge(verb, found, status, said, moment[1], struck, len(everywhere) > len(struck))
        if os.environ.get("TELL") and status == 0:
            found.notes[f"{moment[0]} {moment[1]} {re.sub('[0-9a-f]{8,}', 'ID', struck[0].text)}"] += 1
    # the rest, too, where it was met somewhere else: in a library, or at the terminal
    verb.after(found, status, output)
    return bool(struck)


def short(verb, found):
    roots, halved = verb.roots(), []

    def counts(call):
        return call.name in traced.SHORTENED and any((place + "/").startswith(roots) for place in call.places)

    with open(verb.work.now + "/stdout", "wb") as output, open(verb.work.now + "/stderr", "wb") as errors:
        status, halved = traced.run(verb.command, verb.work.environment(), output, errors, counts, None, "short")
    with open(verb.work.now + "/stdout", "rb") as output, open(verb.work.now + "/stderr") as errors:
        output, said = output.read(), errors.read()
    found.notes["calls"] += len(halved)
    if status:
        found.problems.append(f"exit {status}: {said[-400:]}")
    else:
        found.notes["survived"] += 1
        came_true(verb, found)
    verb.after(found, status, output)
    return bool(halved)


if __name__ == "__main__":
    strike_all(sys.argv[1], sys.argv[2], sys.argv[3], sys.argv[4], sys.argv[5:])
