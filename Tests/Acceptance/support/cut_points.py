"""cut_points.py FORMAT FILE COUNT SEED: prints COUNT places, in bytes, at which a stream of FORMAT may be cut so that
its beginning is recognized and its end is not there. Random ones, and always the first and the last possible."""
import random
import sys

format_name, path, count, seed = sys.argv[1], sys.argv[2], int(sys.argv[3]), sys.argv[4]
data = open(path, "rb").read()

# What must be there for the format to be recognized: the end of this text, or this many bytes.
beginnings = {
    "mysqldump": b"-- MariaDB dump 10.19  Distrib ",
    "pg_dump": b"-- PostgreSQL database dump\n",
    "pg_dumpall": b"-- PostgreSQL database cluster dump\n",
    "pg_custom": 64,
    "sqlite": b"PRAGMA foreign_keys=OFF;\nBEGIN TRANSACTION;\n",
    "tar": 1024,
    "xbstream": 64,
    "gzip": 32,
    "zstd": 32,
    "xz": 32,
    "lz4": 32,
}
# The end mark; without one here the stream ends with its last byte.
ends = {
    "mysqldump": b"\n-- Dump completed",
    "pg_dump": b"\n-- PostgreSQL database dump complete",
    "pg_dumpall": b"\n-- PostgreSQL database cluster dump complete",
    "sqlite": b"\nCOMMIT;",
}
beginning = beginnings[format_name]
first = beginning if isinstance(beginning, int) else data.index(beginning) + len(beginning)
if format_name in ends:
    last = data.rindex(ends[format_name]) + len(ends[format_name]) - 1
elif format_name == "tar":
    # two blocks of zeros end it; what follows is padding
    content = len(data.rstrip(b"\0"))
    last = (content + 511) // 512 * 512 + 1024 - 1
else:
    last = len(data) - 1
assert first < last <= len(data), (first, last, len(data))
choice = random.Random(seed)
points = {first, last} | {choice.randint(first, last) for _ in range(count - 2)}
print(*sorted(points))
