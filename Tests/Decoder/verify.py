"""Checks everything in a repository (`decoder.py ... verify`)."""
import re
from collections import defaultdict

from snapshots import *


class Verifier:
    """Decodes every object. What is wrong is printed, and counted."""

    def __init__(self, repository, config):
        self.repository, self.keys, self.config = repository, repository.keys, config
        self.bad, self.slots, self.packs, self.heads, self.forgotten = 0, 0, {}, {}, []

    def check(self, name, work, *arguments):
        try:
            with reading(name):
                work(name, *arguments)
        except Violation as problem:
            self.bad += 1
            print(f"decoder: {problem}", file=sys.stderr)

    def everything(self):
        names, counts = self.repository.names(), defaultdict(int)
        domain, id = "([0-9a-f]{16})", "([0-9a-f]{32})"
        for pattern, work in (                              # in this order: what is needed first
                ("config", self.config_object), (f"keys/{id}", self.slot),
                (f"packs/{domain}/[0-9a-f]{{2}}/{id}", self.pack), (f"index/{domain}/{id}", self.index),
                (f"tombstones/(packs|snapshots|index)/{id}", self.tombstone),
                (f"records/(forgotten|keys)/{id}", self.record), (f"commits/{domain}/{id}", self.commit),
                (f"snapshots/{domain}/{id}", self.manifest), ("tmp/.*", lambda name: None)):
            for name in names:
                if match := re.fullmatch(pattern, name):
                    self.check(name, work, *(part if part.isalpha() and len(part) < 16 else bytes.fromhex(part)
                                             for part in match.groups()))
                    counts[pattern.split("/")[0]] += 1
        if sum(counts.values()) != len(names):
            note(f"{len(names) - sum(counts.values())} files are no objects of this version")
        self.check("config", lambda _: need(counts["config"] == 1, "is missing"))
        self.check("keys", lambda _: need(counts["keys"] <= 64, "more than 64 slots"))
        self.check("commits", self.rollback)
        print(", ".join(f"{name} {count}" for name, count in counts.items()))
        need(not self.bad, f"{self.bad} objects break the format")

    def config_object(self, name):
        data = self.repository.read(name)
        parse_config(data)
        need(data == (self.config or data), "differs from the copy in the key slot")

    def slot(self, name, id):
        open_slot(self.repository.read(name), id)

    def pack(self, name, domain, id):
        need(name.split("/")[2] == id.hex()[:2], "lies in the wrong folder")
        data = self.repository.read(name)
        need(sha256(data[:-32]) == data[-32:], "the hash at the end is wrong")
        segments, self.packs[domain, id] = self.repository.pack(name)
        chunks = self.repository.domain(domain)
        for segment in segments:
            for other in chunks.segments[segment.name]:
                need(other.frames == segment.frames, "a segment that differs from another pack's")
                need(other.envelope.data == segment.envelope.data, "an envelope that differs from another pack's")
            for number in range(len(segment.frames)):
                chunks.frame(segment, number)

    def index(self, name, domain, id):
        data = self.repository.read(name)
        Reader(data).header(b"I", domain, id)
        fields = parse_fields(self.keys.open_box(domain, b"index object", data[:40], id, data[40:]), INDEX)
        for pack in fields.get("packs", []):
            found = self.packs.get((domain, pack[:16]))
            if found is None:
                note(f"{name}: pack {pack[:16].hex()} is not there")
            else:
                need(found == pack[16:], f"not what stands in pack {pack[:16].hex()}")

    def tombstone(self, name, folder, id):
        data = self.repository.read(name)
        reader = Reader(data)
        reader.prologue(b"T")
        target, reason = reader.take(2)
        need({1: "packs", 2: "snapshots", 3: "index"}.get(target) == folder, "the target is not that of the folder")
        need(reason in (1, 2, 3), "unknown reason")
        reader.zeros(6)
        reader.take(8)
        need(reader.take(16) == id, "the id in the header is not that of the name")
        reader.take(8 + 64)
        reader.end()
        self.keys.check_signature(b"repo tombstone v1", data)

    def record(self, name, folder, id):
        data = self.repository.read(name)
        need(len(data) >= 40 + 64 + 256 + 16 + 64, "cut short")
        self.keys.check_signature(b"repo record v1", data)
        kind, domain = Reader(data).header(b"R", None, id)
        need({1: "forgotten", 6: "keys"}.get(kind) == folder, "the kind is not that of the folder")
        fields = self.keys.open_box(domain, b"record", data[:40], id, data[40:-64])
        fields = parse_fields(fields, FORGOTTEN if kind == 1 else KEY_RECORD)
        if kind == 1:
            self.forgotten.append(fields)

    def commit(self, name, domain, id):
        self.heads[domain, id] = self.repository.head(name)
        if not (self.repository.root / manifest_name(name)).exists():
            note(f"{name}: no manifest: not a snapshot")

    def manifest(self, name, domain, id):
        head = self.heads.get((domain, id))
        if not head:
            note(f"{name}: no commit: not a snapshot")
        snapshot = self.repository.manifest(name, head)
        for role, stream in snapshot[0].items():
            if role != 1 or 3 not in snapshot[0]:           # the catalog reads the data of files
                for _ in content(snapshot, role):
                    pass
        if 2 in snapshot[0]:
            for table in entries(snapshot, 2, TABLE):
                ends = [0] + [at + size for at, size in parse_pairs(table.get("ranges", b"\0"))]
                need(ends[-1] <= snapshot[0][1]["length"], "a table reaches beyond the data stream")
        if 3 in snapshot[0]:
            for _ in catalog(snapshot):
                pass

    def rollback(self, _):
        """§16: no writer's number and no named commit is missing."""
        numbers, gone = defaultdict(set), {record["snapshot"] for record in self.forgotten}
        for known in [*self.heads.values(), *self.forgotten]:
            numbers[known["writer"]].add(known["sequence"])
        for writer, seen in numbers.items():
            need(len(seen) == max(seen), f"writer {writer.hex()} has {len(seen)} of {max(seen)} commits: rolled back")
        there = gone | {id for _, id in self.heads}
        for head in self.heads.values():
            for id in head.get("seen", []):
                need(id in there, f"{id.hex()}, which {head['name']} names, is gone without a record: rolled back")
