"""canaries.py make STREAM LIST: writes a dump-like stream of some 8 MB with 1,000 random canaries of 32 bytes in it,
some in rows of text, some among bytes that do not compress, and the canaries to LIST.
canaries.py search LIST PATH...: counts those canaries that are found in any file under the PATHs."""
import os
import sys

SIZE, COUNT = 32, 1000


def make(stream, canary_list):
    canaries = [os.urandom(SIZE) for _ in range(COUNT)]
    with open(canary_list, "wb") as out:
        out.write(b"".join(canaries))
    with open(stream, "wb") as out:
        for number, canary in enumerate(canaries):
            filler = os.urandom(8000) if number % 2 else b"INSERT INTO t VALUES (%d,'some words');\n" % number * 200
            out.write(filler + canary)


def search(canary_list, *paths):
    with open(canary_list, "rb") as file:
        content = file.read()
    wanted = {content[i:i + SIZE] for i in range(0, len(content), SIZE)}
    assert len(wanted) == COUNT
    # only where the first four bytes fit is the rest looked at
    heads = {}
    for canary in wanted:
        heads.setdefault(canary[:4], []).append(canary)
    found = set()
    files = [path for path in paths if os.path.isfile(path)]
    for path in paths:
        files += [os.path.join(directory, name) for directory, _, names in os.walk(path) for name in names]
    for name in files:
        with open(name, "rb") as file:
            data = file.read()
        for head, canaries in heads.items():
            if head in data:
                found.update(canary for canary in canaries if canary in data)
    print(len(found))


{"make": make, "search": search}[sys.argv[1]](*sys.argv[2:])
