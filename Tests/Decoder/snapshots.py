"""Snapshots: objects and their names, heads, manifests, lists, catalogs (§2, §10 to §12)."""
import functools, itertools, os
from pathlib import Path

from cryptography.hazmat.primitives.poly1305 import Poly1305

from layers import *


# ---- §2 Objects, §10 to §13 ----


class Repository:
    def __init__(self, root, keys):
        self.root, self.keys = Path(root), keys
        self.domain = functools.cache(self.domain)

    def names(self, folder="."):
        paths = (self.root / folder).rglob("*")
        return sorted(str(path.relative_to(self.root)) for path in paths if not path.is_dir())

    def read(self, name, offset=0, size=None):
        with open(self.root / name, "rb") as file:
            need(os.fstat(file.fileno()).st_size <= 64 * MIB, "an object of more than 64 MiB")
            file.seek(offset)
            return file.read(size)

    def domain(self, domain):
        segments = []
        for name in self.names(f"packs/{domain.hex()}"):
            try:
                segments += self.pack(name)[0]
            except Violation as error:                      # its chunks may stand in another pack as well
                note(error)
        return Chunks(self.keys.domain(domain), segments)

    def pack(self, name):
        """The segments of a pack, and its entry in an index object without the id."""
        with reading(name):
            domain, id = (bytes.fromhex(part) for part in (name.split("/")[1], name.split("/")[3]))
            size = (self.root / name).stat().st_size
            need(size >= 36, "cut short")
            length = int.from_bytes(self.read(name, size - 36, 4), "little")
            need(36 <= length <= size, "the trailer is longer than the pack")
            trailer = Reader(self.read(name, size - length, length))
            sections = [(trailer.u(2), trailer.u(8)) for _ in range(trailer.u(2))]
            need(trailer.u(8) == size and trailer.at + 36 == length, "the trailer tells another length")
            need(sum(section[1] for section in sections) + length == size, "the sections do not fill the pack")
            kinds = [section[0] for section in sections]
            need(kinds[:2] == [1, 2] and not {1, 2} & set(kinds[2:]), "the sections are not body, directory, others")
            body, directory = sections[0][1], sections[1][1]
            header = self.read(name, 0, 40)
            kind, _ = Reader(header).header(b"P", domain, id)
            need(kind in (DATA, LIST), "unknown class")
            box = self.read(name, body, directory)
            fields = self.keys.open_box(domain, b"pack directory", header, id, box)
            segments, end = parse_directory(
                fields, kind, domain, self.keys, functools.partial(self.read, name), 40, body)
            need(body == padme(end), "the body is padded to another length than Padmé's")
            return segments, bytes([kind]) + size.to_bytes(8, "little") + fields

    def head(self, name):
        with reading(name):
            domain, id = (bytes.fromhex(part) for part in name.split("/")[1:])
            data = self.read(name)
            Reader(data).header(b"H", domain, id)
            fields = self.keys.open_box(domain, b"head", data[:40], id, data[40:])
            head = parse_fields(fields, HEAD)
            need(head["series"] and head["sequence"], "no series, or sequence 0")
            need(head["kind"] in (1, 2, 3) and head["complete"] <= 2, "unknown kind or completeness")
            return head | {"domain": domain, "id": id, "name": name, "fields": fields}

    def heads(self):
        """The heads of the snapshots (there is a commit and a manifest) that can be read, and how many cannot."""
        heads, bad = [], 0
        for name in self.names("commits"):
            if (self.root / manifest_name(name)).exists():
                try:
                    heads.append(self.head(name))
                except Violation as error:
                    note(error)
                    bad += not isinstance(error, NoKey)
        return heads, bad

    def manifest(self, name, head=None):
        """The streams of a snapshot by role, and the chunks they are made of."""
        with reading(name):
            domain, id = (bytes.fromhex(part) for part in name.split("/")[1:])
            data = self.read(name)
            need(not head or sha256(data) == head["manifest"], "not the manifest whose hash is in the head")
            reader = Reader(data)
            reader.header(b"M", domain, id)
            envelope = Envelope(reader.take(136), LIST, domain, self.keys)
            content = Reader(unpad(envelope.open(0, data[:40], reader.rest())))
            codec, raw, content = content.u(1), content.u(4), content.rest()
            need(codec <= 1 and raw <= 64 * MIB, "unknown codec, or more than 64 MiB")
            need(codec or raw == len(content), "the content is not as long as it tells")
            fields = parse_fields(unzstd(content, raw) if codec else content, MANIFEST)
            parse_fields(fields["head"], {tag: row for tag, row in HEAD.items() if tag != 1})
            need(not head or head["fields"][38:] == fields["head"], "not the fields that the head has")
            streams, chunks = {stream["role"]: stream for stream in fields["streams"]}, self.domain(domain)
            need(len(streams) == len(fields["streams"]), "two streams of one role")
            for role, stream in streams.items():
                need(1 <= role <= 4 and stream["class"] == {1: DATA, 2: LIST, 3: LIST}.get(role, stream["class"] & 1),
                     "unknown role, or a stream of the wrong class")
                need(("leaf" in stream) != ("root" in stream), "not exactly one list")
            if inline := fields.get("inline"):
                need(len(inline) == 2 and len(inline["bytes"]) <= 64 * KIB, "inline segments: no, or too many bytes")
                sealed, directory = inline["bytes"], inline["directory"]
                read = lambda offset, size: sealed[offset:offset + size]
                segments, _ = parse_directory(directory, DATA, domain, self.keys, read, 0, len(sealed))
                chunks = Chunks(self.keys.domain(domain), segments, chunks)
            return streams, chunks


def manifest_name(commit):
    return commit.replace("commits/", "snapshots/", 1)


def walk(node, kind, chunks, level=None, most=64 * KIB):
    """The content below a node of a list, in blocks."""
    need(len(node) <= 64 * KIB, "a list node of more than 64 KiB")
    reader, before = Reader(node), None
    own_level = reader.u(1)
    need(own_level <= 6 and level in (None, own_level), "a list node of the wrong level")
    need(reader.more or not own_level, "an empty interior node")
    for count in itertools.count(1):
        if not reader.more:
            return
        need(count <= most, "more than 256 entries in an inline list")
        value = reader.varint()
        if own_level:
            for block in walk(chunks.chunk(LIST, reader.take(24)), kind, chunks, own_level - 1):
                value -= len(block)
                need(value >= 0, "a list node holds more than its parent tells")
                yield block
            need(value == 0, "a list node holds less than its parent tells")
            continue
        n, entry = value >> 2, value & 3
        need(n and entry < 3, "a list entry of length 0 or of kind 3")
        if entry == 0:
            before = chunks.chunk(kind, reader.take(24))
            need(len(before) == n, "a chunk has another length than its list tells")
            yield before
        elif entry == 1:
            before = None
            yield from (bytes(min(MIB, n - at)) for at in range(0, n, MIB))
        else:
            need(before is not None, "a repeat that does not follow a chunk")
            yield from itertools.repeat(before, n)
            before = None


def content(snapshot, role):
    """A stream in blocks; its length and checksum are known to be right when the last one was taken."""
    streams, chunks = snapshot
    need(role in streams, f"the snapshot has no stream of role {role}")
    stream = streams[role]
    left, checksum = stream["length"], Poly1305(stream["checksum"][:32])
    with reading(f"stream of role {role}"):
        if "leaf" in stream:
            blocks = walk(stream["leaf"], stream["class"], chunks, 0, 256)
        else:
            blocks = walk(chunks.chunk(LIST, stream["root"]), stream["class"], chunks)
        for block in blocks:
            left -= len(block)
            need(left >= 0, "longer than the manifest tells")
            checksum.update(block)
            yield block
        need(left == 0, "shorter than the manifest tells")
        need(checksum.finalize() == stream["checksum"][32:], "the Poly1305 is wrong")


def entries(snapshot, role, known):
    """The entries of a catalog or of tables."""
    reader = Reader(b"".join(content(snapshot, role)))
    while reader.more:
        size = reader.varint()
        need(size <= MIB, "an entry of more than 1 MiB")
        yield parse_fields(reader.take(size), known, narrow=True)


# ---- §11 Catalogs and tables ----


def parse_pairs(data):
    """`varint count, count x (varint gap since the end of the one before, varint length)` as (offset, length)."""
    reader, at, ranges = Reader(data), 0, []
    for _ in reader.count(2):
        at += reader.varint()
        ranges.append((at, reader.varint()))
        at += ranges[-1][1]
    reader.end()
    return ranges


class Tap:
    """Takes a stream out in given amounts."""

    def __init__(self, blocks):
        self.blocks, self.left = iter(blocks), b""

    def take(self, count):
        while count:
            while not self.left:
                self.left = next(self.blocks, None)
                need(self.left is not None, "the catalog tells of more content than there is")
            block, self.left = memoryview(self.left)[:count], memoryview(self.left)[count:]
            count -= len(block)
            yield block

    def end(self):
        need(not self.left and not any(map(len, self.blocks)), "content behind that of the catalog's last entry")


def catalog(snapshot):
    """Every entry of the catalog, and its content as (offset, block), which leaves out the holes."""
    tap, kinds = Tap(content(snapshot, 1) if 1 in snapshot[0] else []), {}
    for entry in entries(snapshot, 3, ENTRY):
        with reading(f"entry {os.fsdecode(entry['path'])!r}"):
            check_entry(entry, kinds)
            body = extents(entry, tap)
            yield entry, body
            for _ in body:                                  # what was not asked for
                pass
    tap.end()


def check_entry(entry, kinds):
    parts, kind = entry["path"].split(b"/"), entry["kind"]
    need(not {b"", b".", b".."} & set(parts) and b"\0" not in entry["path"], "not a plain relative path")
    need(1 <= kind <= 7, "unknown kind")
    need(entry["path"] not in kinds, "the path appears twice")
    for count in range(1, len(parts)):
        need(kinds.get(b"/".join(parts[:count]), 2) == 2, "lies below something that is no directory")
    kinds[entry["path"]] = kind
    need((kind == 3) == ("target" in entry), "a target that is missing, or of something else than a link")
    need((kind in (4, 5)) == ("device" in entry), "a device that is missing, or of something else")
    need(kind == 1 and "link" not in entry or not entry.get("length"), "content of something that has none")
    need("link" not in entry or kinds.get(entry["link"]) == kind, "a hard link to nothing before it of its kind")
    need(entry.get("mode", 0) <= 0o7777 and entry.get("reservation", 1) in (1, 2), "unknown mode or reservation")
    for name in ("modified", "changed"):
        need(int.from_bytes(entry.get(name, bytes(12))[8:], "little") < 10 ** 9, "10^9 nanoseconds or more")
    for pair in ("owner", "device", "inode"):
        if pair in entry:
            entry[pair] = varint_pair(entry[pair])
    entry["attributes"] = [(reader.take(reader.varint()), reader.rest()) for reader in
                           map(Reader, entry.get("attributes", []))]


def varint_pair(data):
    reader = Reader(data)
    pair = reader.varint(), reader.varint()
    reader.end()
    return pair


def extents(entry, tap):
    at, length = 0, entry.get("length", 0)
    for start, size in parse_pairs(entry.get("holes", b"\0")) + [(length, 0)]:
        need(start + size <= length, "a hole beyond the end")
        for block in tap.take(start - at):
            yield at, block
            at += len(block)
        for block in tap.take(size):
            need(not bytes(block).strip(b"\0"), "a hole that is not zero")
            at += len(block)
