"""secret_search.py make LIST NAME...: writes a line `NAME HEX` for each NAME, random letters and digits that occur nowhere else,
and prints them as shell assignments. secret_search.py take LIST NAME FILE: adds what stands in FILE.
secret_search.py search LIST NAMES PATH...: looks in all files under the PATHs for those of LIST that are called in NAMES (words; a
word can be `all`, and `-word` leaves one out): as they are, and as somebody may have written them: hexadecimal, base64,
percent signs, UTF-16, a list of numbers. Prints `name as form in file` for each that is found.
secret_search.py write LIST FILE: writes every canary in every form into FILE, and prints how many; for a search that must find all.
secret_search.py dies SIGNAL COMMAND...: starts COMMAND with standard input from a pipe, lets it take some of it, ends it with SIGNAL;
prints `core` where the kernel says that it wrote memory down, else `no core`."""
import base64
import os
import resource
import secrets
import signal
import subprocess
import sys
import urllib.parse


def forms(value):
    """Everything that gives the value away, by name."""
    found = {"itself": [value], "hexadecimal": [value.hex().encode(), value.hex().upper().encode()],
             "UTF-16": [value.decode("latin-1").encode("utf-16-le")],
             "numbers": [separator.join(map(str, value)).encode() for separator in (", ", ",", " ")],
             "percent signs": ["".join(f"%{byte:02X}" for byte in value).encode(),
                               urllib.parse.quote_from_bytes(value, safe="").encode()]}
    found["base64"] = []
    for shift in range(3):
        # The characters at both ends depend on what stands beside it.
        text = base64.b64encode(b"\0" * shift + value)
        inner = text[0 if shift == 0 else 4 if shift == 2 else 2:len(text) // 4 * 4 - 4]
        found["base64"] += [inner, inner.replace(b"+", b"-").replace(b"/", b"_")]
    return found


def read(path):
    with open(path) as file:
        return {name: bytes.fromhex(value) for name, value in (line.split() for line in file)}


def search(path, names, *places):
    canaries = read(path)
    words = names.split()
    wanted = {name: value for name, value in canaries.items()
              if ("all" in words or name in words) and "-" + name not in words}
    needles = [(name, form, needle) for name, value in wanted.items() for form, list_ in forms(value).items()
               for needle in set(list_)]
    assert wanted and all(len(needle) >= 12 for _, _, needle in needles)
    files = [place for place in places if os.path.isfile(place)]
    for place in places:
        for directory, below, inside in os.walk(place):
            files += [os.path.join(directory, name) for name in inside]
            for name in below + inside:
                for canary, form, needle in needles:
                    if needle in os.fsencode(name):
                        print(f"{canary} as {form} in the name {os.path.join(directory, name)}")
    for name in files:
        with open(name, "rb") as file:
            data = file.read()
        for canary, form, needle in needles:
            if needle in data:
                print(f"{canary} as {form} in {name}")


def make(path, *names):
    with open(path, "w") as file:
        for name in names:
            value = "Z" + secrets.token_hex(15)
            print(name, value.encode().hex(), file=file)
            print(f"{name}={value}")


def take(path, name, source):
    with open(source, "rb") as file:
        value = file.read()
    with open(path, "a") as file:
        print(name, value.hex(), file=file)


def write(path, target):
    count = 0
    with open(target, "wb") as file:
        for value in read(path).values():
            for shift, (form, needles) in enumerate(forms(value).items()):
                count += 1
                file.write(b"\n" + (base64.b64encode(b"x" * (shift % 3) + value + b"more") if form == "base64" else needles[0]))
    print(count)


def dies(name, *command):
    resource.setrlimit(resource.RLIMIT_CORE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    # Whoever runs tests in the background may ignore it, and so would the child.
    number = getattr(signal, "SIG" + name)
    signal.signal(number, signal.SIG_DFL)
    child = subprocess.Popen(command, stdin=subprocess.PIPE)
    child.stdin.write(secrets.token_bytes(1 << 20))
    child.stdin.flush()
    os.kill(child.pid, number)
    _, status = os.waitpid(child.pid, 0)
    print("core" if os.WCOREDUMP(status) else "no core", os.WTERMSIG(status))


{"make": make, "take": take, "search": search, "write": write, "dies": dies}[sys.argv[1]](*sys.argv[2:])
