"""What lines were run, by room, from llvm-cov's export in the form of lcov.

    report.py LINES.lcov EXCEPTIONS.txt

Prints a line a room. Ends with status 1 where a line of a room that must be run whole was not, and is no
exception; or where an exception means no line that was not run: one that is out of date.

Exceptions are lines `FILE | TEXT | REASON`: FILE below Sources, TEXT a piece of the line, which may move. Each
means every line of that file that was not run and holds TEXT; ` + N` behind TEXT means the N lines behind it, too.
"""

import os
import re
import sys

WHOLE = [
    "WireFormat",
    "Sealing",
    "Snapshots",
    "Operations/Prune",
    "Operations/Removal",
]


def read(path):
    """Of each source file, the number of times that each of its lines was run."""
    files = {}
    lines = None
    for text in open(path):
        text = text.rstrip("\n")
        if text.startswith("SF:"):
            lines = files.setdefault(os.path.relpath(text[3:]), {})
        elif text.startswith("DA:"):
            number, count = text[3:].split(",")[:2]
            number = int(number)
            lines[number] = max(lines.get(number, 0), int(count))
    return {path: lines for path, lines in files.items() if path.startswith("Sources/")}


def room(path):
    return path.split("/")[1]


def must_be_whole(path):
    return any(path.startswith(f"Sources/{name}/") for name in WHOLE)


def exceptions(path):
    found = []
    for number, line in enumerate(open(path), 1):
        line = line.strip()
        if not line or line.startswith("#"):
            continue
        parts = [part.strip() for part in line.split(" | ")]
        if len(parts) != 3 or not all(parts):
            sys.exit(f"{path}:{number}: FILE | TEXT | REASON is wanted")
        file, text, _ = parts
        more = re.search(r" \+ (\d+)$", text)
        found.append(
            {
                "where": f"{path}:{number}",
                "file": f"Sources/{file}",
                "text": text[: more.start()] if more else text,
                "more": int(more[1]) if more else 0,
                "used": False,
            }
        )
    return found


def excused(path, texts, missed, known):
    """The lines of a file that exceptions mean."""
    lines = set()
    for exception in known:
        if exception["file"] != path:
            continue
        for number in missed:
            if exception["text"] in texts[number - 1]:
                exception["used"] = True
                lines.update(range(number, number + exception["more"] + 1))
    return lines


def main():
    files = read(sys.argv[1])
    known = exceptions(sys.argv[2])
    rooms = {}
    for path, lines in files.items():
        names = [room(path)]
        names += [name for name in WHOLE if "/" in name and path.startswith(f"Sources/{name}/")]
        for name in names:
            total = rooms.setdefault(name, [0, 0])
            total[0] += sum(1 for count in lines.values() if count)
            total[1] += len(lines)
    for name, (run, all_lines) in sorted(rooms.items()):
        mark = "  every line or a reason" if name in WHOLE else ""
        print(f"{name:20} {run:6} of {all_lines:6} lines  {100 * run / all_lines:6.2f} %{mark}")

    status = excuses = 0
    for name in WHOLE:
        if name not in rooms:
            status = 1
            print(f"{name}: nothing was measured")
    for path in sorted(files):
        if not must_be_whole(path):
            continue
        texts = open(path).read().split("\n")
        missed = sorted(number for number, count in files[path].items() if not count)
        reasons = excused(path, texts, missed, known)
        excuses += len([number for number in missed if number in reasons])
        for number in missed:
            if number not in reasons:
                status = 1
                print(f"{path}:{number}: {texts[number - 1].strip()}")
    for exception in known:
        if not exception["used"]:
            status = 1
            print(f"{exception['where']}: every line that this means was run, or there is none")
    if status:
        print("not ok - in the rooms that decide whether data lives, every line is run or has a reason")
    else:
        print(f"ok - in the rooms that decide whether data lives, every line is run but {excuses}, with reasons")
    sys.exit(status)


main()
