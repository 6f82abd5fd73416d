"""damage.py flip FILE SEED: flips one bit of one byte of FILE and prints where.
damage.py version FILE VERSION: makes FILE, a repository's config, say VERSION and be sound otherwise (docs/format.md,
sections 1 and 5: the version is the sixth byte, the last 32 are the hash of all before)."""
import hashlib
import os
import random
import stat
import sys

action, path, argument = sys.argv[1:]
with open(path, "rb") as file:
    data = bytearray(file.read())
if action == "flip":
    choice = random.Random(argument + path)
    place = choice.randrange(len(data))
    data[place] ^= 1 << choice.randrange(8)
    print(place)
else:
    data[5] = int(argument)
    data[-32:] = hashlib.sha256(data[:-32]).digest()
os.chmod(path, stat.S_IMODE(os.stat(path).st_mode) | stat.S_IWUSR)
with open(path, "r+b") as file:
    file.write(data)
