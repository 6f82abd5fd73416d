#!/usr/bin/env python3
"""Reads a repository without the program that wrote it: written from docs/format.md alone, whose sections § names.

It is one file and needs Python 3.11 or later and, from PyPI, `cryptography` and `zstandard`. A repository is opened
with a full key or the recovery key:

    decoder.py REPO --password-file|--key-file|--recovery-key-file FILE COMMAND

    list                 the snapshots: id, domain, series, kind, time, complete, bytes, separated by tabs
    cat SNAPSHOT         the data stream of a snapshot (an id, or how it begins) to standard output
    files SNAPSHOT DIR   files and directories into DIR, which must be empty or not exist
    tables SNAPSHOT      the tables of a dump: database, name, ranges (offset+length) in the data stream
    verify               decodes every object and every snapshot and checks them

Exit status 0: all is well. 1: it failed, and what was written is not to be trusted. 3: what was asked for is right,
but something that standard error names is damaged, was saved with a reservation, or was not restored.
"""
import base64, contextlib, functools, grp, hashlib, hmac, itertools, os, pwd, re, stat, struct, sys, time
from collections import ChainMap, deque, namedtuple
from pathlib import Path

import zstandard
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.poly1305 import Poly1305

KIB, MIB = 1 << 10, 1 << 20
DATA, LIST = 0, 1                                           # classes
NOTED = []                                                  # what is not as it should be, but stopped nothing

def need(condition, rule):
    if not condition:
        raise ValueError(rule)

@contextlib.contextmanager
def about(name, go_on=False):
    """Says in what something went wrong; where it may, goes on behind the block."""
    try:
        yield
    except Exception as error:
        text = f"{name}: {error if isinstance(error, (ValueError, OSError)) else repr(error)}"
        if not go_on:
            raise ValueError(text) from error
        NOTED.append(text)
        print(f"decoder: {text}", file=sys.stderr)

# ---- §1 Conventions ----

class Reader:
    """Takes values off the front of some bytes, and never more than there are."""
    def __init__(self, data):
        self.data, self.at = data, 0

    def more(self):
        return self.at < len(self.data)

    def take(self, count):
        need(count <= len(self.data) - self.at, "cut short: a value reaches beyond the end")
        self.at += count
        return self.data[self.at - count:self.at]

    def varint(self):
        value = shift = 0
        while (byte := self.take(1)[0]) >= 0x80 and shift < 63:
            value, shift = value | (byte & 0x7F) << shift, shift + 7
        need((byte or not shift) and byte << shift < 1 << 64, "a varint above 64 bits, or not the shortest")
        return value | byte << shift

    def varints(self, count):
        return [self.varint() for _ in range(count)]

def number(data): return int.from_bytes(data, "little")
def sha256(data): return hashlib.sha256(data).digest()
def mac(key, data): return hmac.digest(key, data, "sha256")             # also HKDF's Extract(salt, ikm)
def expand(prk, info): return mac(prk, info + b"\1")                    # HKDF's Expand, for 32 bytes

def unpad(data):
    end = 4 + number(data[:4])
    need(end <= len(data) and not any(data[end:]), "wrong padding")
    return data[4:end]

def check_start(data, kind, hashed=False):
    need(not hashed or sha256(data[:-32]) == data[-32:], "damaged: the hash at the end is wrong")
    need(data[:5] == b"repo" + kind, f"does not begin like an object of kind {kind.decode()}")
    need(data[5:8] == b"\1\1\0", f"a version or suite that this decoder does not know: {data[5:8].hex()}")

def check_header(data, kind, domain, id, byte_8=0):
    """Checks the 40 bytes that most objects begin with against the object's name."""
    check_start(data, kind)
    need(data[8] == byte_8 and not any(data[9:16]), "unknown class or kind, or bytes that should be zero")
    need(data[16:40] == domain + id, "the header does not repeat domain and id of the name")

# Fields in the order of their numbers, from 1; behind the colon the length where it is fixed, and * if repeated.
# Fields that are of no use here, are not critical and come last are left out.
FIELDS = {kind: [field.split(":") for field in fields.split()] for kind, fields in {
    "config": "id:16", "bundle": "kind:1 config: R:32", "index": "packs:*", "table": "database: name: ranges:",
    "directory": "envelopes: bases: segments:", "inline": "directory: bytes:",
    "head": """manifest:32 series: kind:1 parent:16 base:16 needs:16 time:8 started:8 ended:8 complete:1
        evidence:1 flags:4 bytes_read:8 new:8 stored:8 format: host: tags:* position: lsn:16 writer:16
        sequence:8 seen:16*""",
    "manifest": "head: producer: facts: streams:* inline:",
    "stream": "role:1 class:1 length:8 checksum:48 leaf: root:24 name: rule:2 bytes:",
    "forgotten": "id:16 writer:16 sequence:8", "keys": "slot:16 kind:1",
    "entry": """path: kind:1 mode: owner: names: modified:12 changed:12 inode: length: target: link: device:
        attributes:* reservation:1 holes:""",
}.items()}

def parse(data, kind):
    """Fields by name, as lists where repeated. An unknown one is ignored, or refused where it is critical."""
    reader, found, last, narrow = Reader(data), {}, 0, kind in ("table", "entry")
    while reader.more():
        tag = number(reader.take(1 if narrow else 2))
        value = reader.take(reader.varint() if narrow else number(reader.take(4)))
        critical = tag & (0x80 if narrow else 0x8000)
        tag -= critical
        name, size = FIELDS[kind][tag - 1] if tag <= len(FIELDS[kind]) else (tag, "*")
        need(not critical or name != tag, f"{kind}: the critical field {tag} is of a later version")
        need(tag > last or tag == last and "*" in size, f"{kind}: field {name} is out of order, or there twice")
        need(size.strip("*") in ("", str(len(value))), f"{kind}: field {name} has a wrong length")
        found[name], last = found.get(name, []) + [value] if "*" in size else value, tag
    return found

# ---- §3 Keys, §4 Sealing, §6 Key slots ----

class Keys:
    def __init__(self, root):
        prk = mac(b"repo root v1", root)
        seeds = (expand(prk, x) for x in (b"data key", b"list key", b"record key", b"ids", b"structure"))
        skD, skL, skP, ids, structure = seeds
        self.secrets = [X25519PrivateKey.from_private_bytes(seed) for seed in (skD, skL)]       # by class
        self.pkP = Ed25519PrivateKey.from_private_bytes(skP).public_key()
        self.pi, self.ps = mac(b"repo domain v1", ids), mac(b"repo domain v1", structure)

    def open_box(self, label, data):
        """The plaintext of the box that stands behind a header of 40 bytes."""
        domain, id, salt, check = data[16:24], data[24:40], data[40:72], data[72:104]
        prk = mac(salt, expand(self.ps, b"index" + domain))
        key = expand(prk, b"repo box key v1" + label + id + check)
        plain = AESGCM(key).decrypt(bytes(12), data[104:], data[:40])
        found = mac(expand(prk, b"repo box check v1" + label + id), plain)
        need(found == check, "the check of a box is wrong")
        return unpad(plain)

    def open_message(self, envelope, i, context, sealed):
        """The plaintext of message i of an envelope, of which the 136 bytes in front are given."""
        domain, epk, salt, commit = envelope[16:24], envelope[40:72], envelope[72:104], envelope[104:]
        bound, i, secret = sha256(envelope[:104]), struct.pack("<Q", i), self.secrets[envelope[8]]
        shared = secret.exchange(X25519PublicKey.from_public_bytes(epk))        # refuses an all-zero result
        public = secret.public_key().public_bytes_raw()
        prk = mac(salt, shared + public + expand(self.ps, b"auth" + domain))
        need(expand(prk, b"commit" + bound) == commit, "the commit of an envelope is wrong")
        return AESGCM(expand(prk, b"enc" + bound)).decrypt(bytes(4) + i, sealed, bound + i + context)

def recovery_key(text):
    """Crockford's base 32, by way of the usual one."""
    text = "".join(line for line in text.splitlines() if not line.startswith("#"))
    usual = str.maketrans("0123456789ABCDEFGHJKMNPQRSTVWXYZOIL", "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567ABB", " -")
    data = base64.b32decode(text.upper().translate(usual))
    need(sha256(b"repo recovery v1" + data[:32])[:3] == data[32:], "the recovery key has a typo")
    return data[:32]

def open_slot(data, id, secret_kind=None, secret=b""):
    """The bundle of a key slot; None where the secret does not open it."""
    check_start(data, b"K", hashed=True)
    kind, holds, log_n, r, p, slot, salt = struct.unpack("<5B27x16s32s", data[8:88])
    fine = 15 <= log_n <= 20 and r == 8 and 1 <= p <= 4 if kind == 1 else kind == 2 and log_n == r == p == 0
    need(fine and slot == id, "another id than the name's, an unknown kind, or parameters out of bounds")
    if kind == secret_kind == 1:
        secret = hashlib.scrypt(secret, salt=salt, n=1 << log_n, r=r, p=p, dklen=32, maxmem=1100 * MIB)
    prk = mac(salt, secret)
    if kind != secret_kind or expand(prk, b"slot commit" + data[:88]) != data[88:120]:
        return None
    need(holds == 1, "this opens, but is no full key: nothing can be read back with it")
    sealed, key = data[124:-32], expand(prk, b"slot enc" + data[:88])
    return parse(unpad(AESGCM(key).decrypt(bytes(12), sealed, data[:120])), "bundle")

# ---- §7 Packs, §9 Chunks, frames and segments ----

# A piece is (name of a segment, frame, first chunk, chunks); a chunk is (begin in the frame, end, id).
Frame = namedtuple("Frame", "codec stored raw depth pieces chunks")

class Segment:
    """One message of an envelope, of which the 136 bytes in front are given; `read` gives its sealed bytes."""
    def __init__(self, envelope, i, frames, read):
        self.envelope, self.i, self.frames, self.read = envelope, i, frames, read
        self.kind, self.domain, self.name = envelope[8], envelope[16:24], (envelope[24:40], i)

    @functools.lru_cache(16)
    def plain(self, keys):
        context = b"".join(struct.pack("<BII", *frame[:3]) for frame in self.frames)
        return keys.open_message(self.envelope, self.i, context, self.read())

def parse_directory(data, kind, domain, read, begin, end):
    """The segments of a pack or a manifest, which lie between `begin` and `end`; `read` takes offset and size."""
    fields, segments = parse(data, "directory"), []
    envelopes = [fields["envelopes"][at:at + 136] for at in range(0, len(fields["envelopes"]), 136)]
    for envelope in envelopes:
        check_header(envelope, b"E", domain, envelope[24:40], kind)
    reader = Reader(fields.get("bases", b"\0"))
    bases = [(reader.take(16), reader.varint()) for _ in range(reader.varint())]
    reader = Reader(fields["segments"])
    for _ in range(reader.varint()):
        envelope, i, offset, count = reader.varints(4)
        frames = [parse_frame(reader, bases) for _ in range(count)]
        size = sum(frame.stored for frame in frames) + 16
        need(1 <= count <= 1024 and size <= 2 * MIB + 16, "a segment out of bounds")
        need(begin <= offset <= end - size and i < 1 << 20, "a segment in a wrong place, or of a wrong number")
        segments.append(Segment(envelopes[envelope], i, frames, functools.partial(read, offset, size)))
    return segments

def parse_frame(reader, bases):
    codec, stored, raw = reader.varints(3)
    depth, pieces, chunks, end = 0, [], [], 0
    if codec == 2:
        depth, _, _, count = reader.varints(4)              # how large the closure is will be seen
        pieces = [(bases[base], *piece) for base, *piece in (reader.varints(4) for _ in range(count))]
    for _ in range(reader.varint()):
        begin, end = end, end + reader.varint()
        chunks.append((begin, end, reader.take(24)))
    need(codec <= 2 and (codec == 2) == bool(pieces) and depth <= 32, "an unknown codec, or a frame too deep")
    need(1 <= raw <= MIB and end == raw, "the chunks of a frame do not add up to its length, or it is too long")
    return Frame(codec, stored, raw, depth, pieces, chunks)

def unzstd(data, raw, base=b""):
    frame = zstandard.get_frame_parameters(data)
    need(data[:4] == b"\x28\xb5\x2f\xfd" and frame.dict_id == 0 and frame.window_size <= 8 * MIB
         and frame.content_size in (raw, zstandard.CONTENTSIZE_UNKNOWN), "not a zstd frame as it should be")
    prefix = zstandard.ZstdCompressionDict(base, dict_type=zstandard.DICT_TYPE_RAWCONTENT) if base else None
    return zstandard.ZstdDecompressor(prefix).decompress(data, max_output_size=raw, allow_extra_data=False)

class Chunks:
    """The chunks of a domain, or of the inline segments of a manifest and, behind them, of its domain."""
    def __init__(self, keys, segments, domain=None):
        self.keys, self.chunks, self.segments = keys, {}, {}
        for segment in segments:
            self.segments.setdefault(segment.name, []).append(segment)
            for at, frame in enumerate(segment.frames):
                for begin, end, id in frame.chunks:
                    self.chunks.setdefault((segment.kind, id), []).append((segment, at, begin, end))
        if domain:
            self.chunks = ChainMap(self.chunks, domain.chunks)
            self.segments = ChainMap(self.segments, domain.segments)

    def chunk(self, kind, id):
        return self.first_good(self.chunks.get((kind, id), ()), f"chunk {id.hex()}")[0]

    def first_good(self, places, what):
        """The bytes in the first place (segment, frame, begin, end) that is not damaged; what they rest on."""
        error = "is nowhere"
        for segment, at, begin, end in places:
            try:
                plain, closure = self.frame(segment, at)
                return plain[begin:end], closure | {(segment.name, at): len(plain)}
            except Exception as problem:
                error = repr(problem)
        raise ValueError(f"{what}: {error}")

    @functools.lru_cache(128)
    def frame(self, segment, at):
        """The plaintext of a frame, whose chunks have the right ids; its closure: frames and their lengths."""
        frame, base, closure = segment.frames[at], b"", {}
        for name, of, first, count in frame.pieces:         # as depths fall, there is no circle
            places = [(other, of, chunks[0][0], chunks[-1][1]) for other in self.segments.get(name, ())
                      if other.frames[of].depth < frame.depth and other.kind == segment.kind
                      and len(chunks := other.frames[of].chunks[first:first + count]) == count > 0]
            piece, behind = self.first_good(places, f"base segment {name[0].hex()} {name[1]}")
            base, closure = base + piece, closure | behind
            need(len(closure) <= 64 and sum(closure.values()) <= 16 * MIB, "a closure above the limits")
            need(len(base) <= 4 * MIB, "a base of more than 4 MiB")
        start = sum(before.stored for before in segment.frames[:at])
        data = segment.plain(self.keys)[start:start + frame.stored]
        data = unzstd(data, frame.raw, base) if frame.codec else data
        need(len(data) == frame.raw, "a frame has another length than its directory tells")
        key = (expand(self.keys.ps, b"list ids" + segment.domain) if segment.kind == LIST else
               expand(self.keys.pi, b"chunk ids" + segment.domain))
        for begin, end, id in frame.chunks:
            found = mac(key, bytes([segment.kind]) + data[begin:end])[:24]
            need(found == id and begin < end, f"the content of chunk {id.hex()} has another id, or is empty")
        return data, closure

# ---- §2 Objects and names, §7 Packs, §11 Manifests, §12 Heads ----

class Repository:
    def __init__(self, root, keys, config=None):
        self.root, self.keys, self.config, self.chunks = root, keys, config, functools.cache(self.chunks)
        self.names = sorted(str(path.relative_to(root)) for path in root.rglob("*") if path.is_file())

    def objects(self, pattern):
        """(name, domain and id as bytes) of what is named so: D is a domain, N a random name."""
        pattern = pattern.replace("D", "([0-9a-f]{16})").replace("N", "([0-9a-f]{32})")
        for match in filter(None, (re.fullmatch(pattern, name) for name in self.names)):
            yield match[0], *map(bytes.fromhex, match.groups())

    def read(self, name, offset=0, size=64 * MIB):
        with open(self.root / name, "rb") as file:
            file.seek(offset)
            return file.read(size)

    def chunks(self, domain):
        segments = []
        for name, found, id in self.objects("packs/D/../N"):
            if found == domain:
                with about(name, go_on=True):               # its chunks may stand in another pack as well
                    segments += self.pack(name, domain, id)[0]
        return Chunks(self.keys, segments)

    def pack(self, name, domain, id):
        """The segments of a pack, and what an index object tells of it behind its id."""
        start, size = self.read(name, 0, 40), os.stat(self.root / name).st_size
        length = number(self.read(name, max(0, size - 36), 4))
        trailer = self.read(name, max(0, size - length), length)
        (one, body), (two, directory), *others = struct.iter_unpack("<HQ", trailer[2:-44])
        need(one == 1 and two == 2, "the sections do not begin with body and directory")
        need(body + directory + sum(x for _, x in others) + length == size, "the lengths do not add up")
        check_header(start, b"P", domain, id, start[8])
        fields = self.keys.open_box(b"pack directory", start + self.read(name, body, directory))
        segments = parse_directory(fields, start[8], domain, functools.partial(self.read, name), 40, body)
        return segments, struct.pack("<BQ", start[8], size) + fields

    def heads(self):
        """The heads of the snapshots, in the order of time: of what has a commit and a manifest."""
        heads, names = [], {*self.names}
        for name, domain, id in self.objects("commits/D/N"):
            if (manifest := name.replace("commits", "snapshots")) in names:
                with about(name, go_on=True):
                    check_header(data := self.read(name), b"H", domain, id)
                    fields = self.keys.open_box(b"head", data)
                    where = {"name": manifest, "domain": domain, "id": id, "fields": fields}
                    heads.append(parse(fields, "head") | where)
        return sorted(heads, key=lambda head: number(head["time"]))

    def snapshot(self, head):
        """The streams of a snapshot by role, and the chunks they are made of."""
        data, domain = self.read(head["name"]), head["domain"]
        need(sha256(data) == head["manifest"], "is not the manifest whose hash is in the head")
        check_header(data, b"M", domain, head["id"])
        check_header(data[40:], b"E", domain, data[64:80], LIST)
        content = unpad(self.keys.open_message(data[40:176], 0, data[:40], data[176:]))
        codec, raw, content = content[0], number(content[1:5]), content[5:]
        content = unzstd(content, raw) if codec else content
        need(codec <= 1 and len(content) == raw <= 64 * MIB, "an unknown codec, or a wrong length")
        fields, chunks = parse(content, "manifest"), self.chunks(domain)
        need(fields["head"] == head["fields"][38:], "does not repeat the fields of the head")
        streams = {number(stream["role"]): stream for stream in (parse(x, "stream") for x in fields["streams"])}
        for role, stream in streams.items():
            need(stream["class"] == bytes([DATA if role == 1 else LIST]), "a stream of a wrong class")
            need(len({"leaf", "root", "bytes"} & {*stream}) == 1, "not exactly one content of a stream")
        if "inline" in fields:
            inline = parse(fields["inline"], "inline")
            read = lambda offset, size: inline["bytes"][offset:offset + size]
            segments = parse_directory(inline["directory"], DATA, domain, read, 0, len(inline["bytes"]))
            chunks = Chunks(self.keys, segments, chunks)
        return streams, chunks

# ---- §10 Lists, §11 Streams, tables and catalogs ----

def walk(node, level, kind, chunks, total):
    """The content below a node of a list, in blocks: `total` bytes, no more and no less. Level None: any."""
    reader, before, own = Reader(node[1:]), b"", node[0]
    need(own <= 6 and level in (None, own) and len(node) <= 64 * KIB, "a list node of a wrong level or length")
    while reader.more():
        size, entry = reader.varint(), None
        if own:
            blocks = walk(chunks.chunk(LIST, reader.take(24)), own - 1, kind, chunks, size)
        else:
            size, entry = size >> 2, size & 3
        if entry == 0:
            blocks = [chunks.chunk(kind, reader.take(24))]
            need(len(blocks[0]) == size, "a chunk has another length than its list tells")
        elif entry == 1:
            blocks = (bytes(min(MIB, size - at)) for at in range(0, size, MIB))
        elif entry:
            need(entry == 2 and before, "an unknown entry of a list, or a repeat that follows no chunk")
            blocks, size = itertools.repeat(before, size), size * len(before)
        before, total = blocks[0] if entry == 0 else b"", total - size
        need(total >= 0, "a list holds more than it should")
        yield from blocks
    need(total == 0, "a list holds less than it should")

def content(snapshot, role):
    """A stream in blocks; its length and checksum are known to be right when the last one was taken."""
    with about(f"stream of role {role}"):
        stream, chunks = snapshot[0][role], snapshot[1]
        kind, length, key = number(stream["class"]), number(stream["length"]), stream["checksum"][:32]
        if "bytes" in stream:
            need(len(stream["bytes"]) == length and kind == LIST, "inline content of a wrong length or class")
            blocks = [stream["bytes"]]
        else:
            node = stream["leaf"] if "leaf" in stream else chunks.chunk(LIST, stream["root"])
            blocks = walk(node, 0 if "leaf" in stream else None, kind, chunks, length)
        checksum = Poly1305(key)
        for block in blocks:
            checksum.update(block)
            yield block
        need(checksum.finalize() == stream["checksum"][32:], "the Poly1305 is wrong")

def entries(snapshot, role, kind):
    reader = Reader(b"".join(content(snapshot, role)))
    while reader.more():
        yield parse(reader.take(reader.varint()), kind)

def tables(snapshot):
    """Database, name and (offset, length) in the data stream of every table."""
    for table in entries(snapshot, 2, "table"):
        reader, end, ranges = Reader(table.get("ranges", b"\0")), 0, []
        for _ in range(reader.varint()):
            ranges.append((end + reader.varint(), reader.varint()))
            end = sum(ranges[-1])
        need(end <= number(snapshot[0][1]["length"]), "a table beyond the end of the data")
        yield os.fsdecode(table.get("database", b"")), os.fsdecode(table.get("name", b"")), ranges

def catalog(snapshot):
    """Every entry of a catalog, its path, its kind, and its content in blocks."""
    blocks, left, kinds = content(snapshot, 1) if 1 in snapshot[0] else iter(()), b"", {}
    def take(count):
        nonlocal left
        while count:
            left = left or next(blocks, b"")
            need(left, "the catalog tells of more content than there is")
            block, left = left[:count], left[count:]
            count -= len(block)
            yield block
    for entry in entries(snapshot, 3, "entry"):
        path, kind, link = entry["path"], number(entry["kind"]), entry.get("link")
        length, parts = Reader(entry.get("length", b"\0")).varint(), path.split(b"/")
        with about(f"entry {os.fsdecode(path)!r}"):
            need(not {b"", b".", b".."} & {*parts} and b"\0" not in path, "not a plain relative path")
            for count in range(1, len(parts)):
                need(kinds.setdefault(b"/".join(parts[:count]), 2) == 2, "lies below what is no directory")
            need(path not in kinds, "appears twice, or behind what lies in it")
            need(link is None or kinds.get(link) == kind, "a hard link to nothing that was there before")
            need(not length or kind == 1 and link is None, "content of something that has none")
        kinds[path] = kind if link is None else 0
        yield entry, path, kind, (body := take(length))
        deque(body, 0)                                      # what was not asked for
    need(not left and next(blocks, None) is None, "content behind that of the last entry")

# ---- Commands ----

def restore(snapshot, target):
    """Makes everything below an empty directory. No link is followed: catalog() sees to that."""
    os.umask(0o077)
    os.makedirs(target, exist_ok=True)
    need(not os.listdir(target), f"{target} is not empty")
    root, made = os.fsencode(target), []
    for entry, path, kind, body in catalog(snapshot):
        path = os.path.join(root, path)
        with about(os.fsdecode(path), go_on=True):
            os.makedirs(os.path.dirname(path), exist_ok=True)
            if "link" in entry:
                os.link(os.path.join(root, entry["link"]), path, follow_symlinks=False)
                continue
            if kind == 1:
                with open(path, "xb") as file:
                    for block in body:                      # zeros become holes
                        file.write(block) if any(block) else file.seek(len(block), os.SEEK_CUR)
                    file.truncate()
            elif kind == 2:
                os.mkdir(path)
            elif kind == 3:
                os.symlink(entry["target"], path)
            else:
                node = {4: stat.S_IFCHR, 5: stat.S_IFBLK, 6: stat.S_IFIFO, 7: stat.S_IFSOCK}[kind]
                os.mknod(path, node | 0o600, os.makedev(*Reader(entry.get("device", b"\0\0")).varints(2)))
            made.append((path, kind, entry))
            reservation = number(entry.get("reservation", b""))
            need(not reservation, ("changed while it was read", "was unreadable")[reservation - 1])
    for path, kind, entry in reversed(made):                # directories behind what lies in them
        with about(os.fsdecode(path), go_on=True):
            set_metadata(path, kind, entry)

def set_metadata(path, kind, entry):
    if "owner" in entry and os.geteuid() == 0:
        numbers, names = Reader(entry["owner"]).varints(2), Reader(entry.get("names", b"\0\0"))
        for at, find in enumerate((pwd.getpwnam, grp.getgrnam)):        # a name that is known here wins
            with contextlib.suppress(KeyError):
                numbers[at] = find(os.fsdecode(names.take(names.varint())))[2]
        os.chown(path, *numbers, follow_symlinks=False)
    for reader in map(Reader, entry.get("attributes", ())):
        with about(f"{os.fsdecode(path)}: an extended attribute", go_on=True):
            os.setxattr(path, reader.take(reader.varint()), reader.data[reader.at:], follow_symlinks=False)
    if "mode" in entry and kind != 3:
        os.chmod(path, Reader(entry["mode"]).varint())
    if "modified" in entry:
        seconds, nanoseconds = struct.unpack("<qI", entry["modified"])
        os.utime(path, ns=(seconds * 10 ** 9 + nanoseconds,) * 2, follow_symlinks=False)

def verify(repository):
    """Decodes every object, and all that the snapshots hold."""
    read, objects, keys, packs = repository.read, repository.objects, repository.keys, {}
    with about("config", go_on=True):
        check_start(data := read("config"), b"C", hashed=True)
        need(data[:-32] == (repository.config or data[:-32]), "differs from the copy in the key slot")
    for name, id in objects("keys/N"):
        with about(name, go_on=True):
            open_slot(read(name), id)
    for name, domain, id in objects("packs/D/../N"):
        with about(name, go_on=True):
            check_start(read(name), b"P", hashed=True)
            segments, packs[domain + id] = repository.pack(name, domain, id)
            for segment, at in ((segment, at) for segment in segments for at in range(len(segment.frames))):
                repository.chunks(domain).frame(segment, at)
    for name, domain, id in objects("index/D/N"):
        with about(name, go_on=True):
            check_header(data := read(name), b"I", domain, id)
            for told in parse(keys.open_box(b"index object", data), "index")["packs"]:
                need(packs.get(domain + told[:16], told[16:]) == told[16:], f"belies pack {told[:16].hex()}")
    for kind, folder in enumerate(("packs", "snapshots", "index"), 1):
        for name, id in objects(f"tombstones/{folder}/N"):
            with about(name, go_on=True):
                check_start(data := read(name), b"T")
                need(data[8] == kind and data[24:40] == id and len(data) == 112, "not what the name tells")
                keys.pkP.verify(data[-64:], b"repo tombstone v1" + data[:-64])
    for kind, folder in ((1, "forgotten"), (6, "keys")):
        for name, id in objects(f"records/{folder}/N"):
            with about(name, go_on=True):
                check_header(data := read(name), b"R", data[16:24], id, kind)
                keys.pkP.verify(data[-64:], b"repo record v1" + data[:-64])
                parse(keys.open_box(b"record", data[:-64]), folder)
    for head in (heads := repository.heads()):
        with about(head["name"], go_on=True):
            streams, _ = snapshot = repository.snapshot(head)
            deque(catalog(snapshot) if 3 in streams else content(snapshot, 1), 0)
            deque(tables(snapshot) if 2 in streams else (), 0)
    need(not NOTED, f"{len(NOTED)} faults")
    print(f"{len(heads)} snapshots, {len(packs)} packs, {len(repository.names)} objects: all is well")

def open_repository(root, option, file):
    kind, secret = {"--password-file": 1, "--key-file": 2, "--recovery-key-file": 3}[option], file.read_bytes()
    if kind == 3:
        return Repository(root, Keys(recovery_key(secret.decode())))
    secret = secret.split(b"\n")[0].removesuffix(b"\r") if kind == 1 else secret
    for slot in sorted((root / "keys").iterdir()):
        with about(slot, go_on=True):                       # another slot may open
            if bundle := open_slot(slot.read_bytes(), bytes.fromhex(slot.name), kind, secret):
                return Repository(root, Keys(bundle["R"]), bundle["config"])
    raise ValueError("no key slot opens with this")

def main(root, option, file, command, prefix="", target=None):
    repository = open_repository(Path(root), option, Path(file))
    if command == "verify":
        return verify(repository)
    heads = [head for head in repository.heads() if head["id"].hex().startswith(prefix)]
    for head in heads if command == "list" else ():
        kind = ("full", "incremental", "differential")[number(head["kind"]) - 1]
        moment = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(number(head["time"]) // 1000))
        complete = ("false", "true", "unknown")[number(head["complete"])]
        print(head["id"].hex(), head["domain"].hex(), head["series"].decode(), kind, moment, complete,
              number(head["bytes_read"]), sep="\t")
    if command == "list":
        return
    need(len(heads) == 1, f"{len(heads)} snapshots have an id that begins with {prefix}")
    with about(heads[0]["name"]):
        snapshot = repository.snapshot(heads[0])
        if command == "cat":
            deque(map(sys.stdout.buffer.write, content(snapshot, 1)), 0)
            sys.stdout.flush()
        elif command == "files":
            restore(snapshot, target)
        elif command == "tables":
            for database, name, ranges in tables(snapshot):
                print(database, name, " ".join(f"{at}+{size}" for at, size in ranges), sep="\t")

if __name__ == "__main__":
    if len(sys.argv) - 1 != {"list": 4, "verify": 4, "cat": 5, "tables": 5, "files": 6}.get("".join(sys.argv[4:5])):
        sys.exit(__doc__)
    try:
        main(*sys.argv[1:])
    except Exception as problem:
        sys.exit(f"decoder: {problem}")
    sys.exit(3 if NOTED else 0)
