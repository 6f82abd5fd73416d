#!/usr/bin/env python3
"""Reads a repository without the program that wrote it, with a full key or the recovery key. Written from
docs/format.md, whose sections § names. Needs Python 3.11 and, from PyPI, `cryptography` and `zstandard`.

    decoder.py REPO --password-file|--key-file|--recovery-key-file FILE COMMAND
    list                 the snapshots: id, domain, series, kind, time, complete, bytes, separated by tabs
    cat SNAPSHOT         the data stream of a snapshot (an id, or how it begins) to standard output
    files SNAPSHOT DIR   files and directories into DIR, which must not exist
    tables SNAPSHOT      the tables of a dump: database, name, ranges (offset+length) in the data stream
    verify               decodes every object and every snapshot and checks them

Exit status 0: all is well. 1: it failed; what was written is not to be trusted. 3: what was asked for is
right, but something that standard error names is damaged, was saved with a reservation, or was not restored.
"""
import base64, contextlib, functools, grp, hashlib, hmac, itertools, os, pwd, re, stat, struct, sys, time
from collections import ChainMap, deque, namedtuple
from pathlib import Path

import zstandard
from cryptography.hazmat.primitives.asymmetric import ed25519, x25519
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.poly1305 import Poly1305

MIB, DATA, LIST = 1 << 20, 0, 1                             # the classes; a variable with one is a `kind`
NOTED = []                                                  # what is not as it should be, but stopped nothing

def need(condition, rule):
    if not condition: raise ValueError(rule)

@contextlib.contextmanager
def about(name, go_on=()):      # says in what something went wrong; goes on behind errors of some kinds
    try:
        yield
    except Exception as error:
        text = f"{name}: {error if isinstance(error, (ValueError, OSError)) else repr(error)}"
        if not isinstance(error, go_on): raise ValueError(text) from error
        NOTED.append(text)
        print(f"decoder: {text}", file=sys.stderr)

# ---- §1 Conventions ----
class Reader:       # takes values off the front of some bytes, and never more than there are
    def __init__(self, data): self.data, self.at = data, 0
    def more(self): return self.at < len(self.data)
    def take(self, count):
        need(count <= len(self.data) - self.at, "cut short: a value reaches beyond the end")
        self.at += count
        return self.data[self.at - count:self.at]
    def varint(self):
        value = shift = 0
        while (byte := self.take(1)[0]) >= 0x80 and shift < 63: value, shift = value | (byte & 0x7F) << shift, shift + 7
        need((byte or not shift) and byte << shift < 1 << 64, "a varint above 64 bits, or not the shortest")
        return value | byte << shift
    def varints(self, count): return [self.varint() for _ in range(count)]

def number(data, signed=False): return int.from_bytes(data, "little", signed=signed)
def sha256(data): return hashlib.sha256(data).digest()
def mac(key, data): return hmac.digest(key, data, "sha256")             # also HKDF's Extract(salt, ikm)
def expand(prk, info): return mac(prk, info + b"\1")                    # HKDF's Expand, for 32 bytes

def padme(size): return -(-size // (unit := 1 << max(0, (e := size.bit_length() - 1) - e.bit_length()))) * unit

def unpad(data):
    end = 4 + number(data[:4])
    need(len(data) == max(256, padme(end)) and not any(data[end:]), "wrong padding")
    return data[4:end]

def check_start(data, kind, hashed=False):
    need(not hashed or sha256(data[:-32]) == data[-32:], "damaged: the hash at the end is wrong")
    need(data[:8] == b"repo" + kind + b"\1\1\0", f"no object of kind {kind.decode()}, or of a later version")

def check_header(data, kind, domain, id, byte_8=0):         # the 40 bytes that most objects begin with
    check_start(data, kind)
    need(data[8] == byte_8 and not any(data[9:16]), "unknown class or kind, or bytes that should be zero")
    need(data[16:40] == domain + id, "the header does not repeat domain and id of the name")

# The fields in the order of their numbers, from 1: name, length where it is fixed, * where repeated. Those at
# the end that are neither critical nor of use here are left out.
FIELDS = {kind: [field.split(":") for field in fields.split()] for kind, fields in {
    "config": "id:16 text:12 other:12 consistency:1 created:8 root_check:16", "bundle": "kind:1 config: R:32",
    "directory": "envelopes: bases: segments:", "inline": "directory: bytes:", "index": "packs:*",
    "head": """manifest:32 series: kind:1 parent:16 base:16 needs:16 time:8 started:8 ended:8 complete:1
        evidence:1 flags:4 read:8 new:8 stored:8 format: host: tags:* position: lsn:16 writer:16
        sequence:8 seen:16*""",
    "manifest": "head: producer: facts: streams:* inline:", "table": "database: name: ranges:",
    "stream": "role:1 class:1 length:8 checksum:48 leaf: root:24 name: rule:2 bytes: sums_files:1",
    "forgotten": "snapshot:16 writer:16 sequence:8", "keys": "slot:16 kind:1",
    "policies": "pattern: version:8 recorded:8 rules:", "holds": "name: recorded:8 ends:16 patterns:* until:8 age:5",
    "rules": """last:4 hourly:4 daily:4 weekly:4 monthly:4 yearly:4 within:5 tags:* max_age:5 timezone: week_start:1
        by_host:1""", "acknowledgements": "series: domain:8 recorded:8 snapshots:*",
    "entry": """path: kind:1 mode: owner: names: modified:12 changed:12 inode: length: target: link: device:
        attributes:* reservation:1 holes: ranges: checksum:16""",
}.items()}

def parse(data, kind):              # the fields by name; refuses critical ones that are unknown
    reader, found, last, narrow = Reader(data), {}, 0, kind in ("table", "entry")
    while reader.more():
        critical, tag = divmod(number(reader.take(1 if narrow else 2)), 0x80 if narrow else 0x8000)
        value = reader.take(reader.varint() if narrow else number(reader.take(4)))
        name, size = FIELDS[kind][tag - 1] if tag <= len(FIELDS[kind]) else (tag, "*")
        need(not critical or name != tag, f"{kind}: the critical field {tag} is of a later version")
        need(tag > last or tag == last > 0 and "*" in size, f"{kind}: {name} is there twice, or too late")
        need(size.strip("*") in ("", str(len(value))), f"{kind}: {name} has a wrong length")
        found[name], last = found.get(name, []) + [value] if "*" in size else value, tag
    return found

# ---- §3 Keys, §4 Sealing, §6 Key slots ----
class Keys:
    def __init__(self, root):
        prk = mac(b"repo root v1", root)
        names = b"data key", b"list key", b"record key", b"ids", b"structure", b"root check"
        skD, skL, skP, ids, structure, self.root_check = (expand(prk, name) for name in names)
        self.secrets = [x25519.X25519PrivateKey.from_private_bytes(key) for key in (skD, skL)]      # by class
        self.pkP = ed25519.Ed25519PrivateKey.from_private_bytes(skP).public_key()
        self.pi, self.ps = mac(b"repo domain v1", ids), mac(b"repo domain v1", structure)
    def open_box(self, label, data):                        # the box that stands behind a header of 40 bytes
        domain, id, salt, check = data[16:24], data[24:40], data[40:72], data[72:104]
        prk = mac(salt, expand(self.ps, b"index" + domain))
        key = expand(prk, b"repo box key v1" + label + id + check)
        plain = AESGCM(key).decrypt(bytes(12), data[104:], data[:40])
        need(mac(expand(prk, b"repo box check v1" + label + id), plain) == check, "a box with a wrong check")
        return unpad(plain)
    def open_message(self, envelope, i, context, sealed):   # `envelope` is the 136 bytes it begins with
        domain, epk, salt, commit = envelope[16:24], envelope[40:72], envelope[72:104], envelope[104:]
        bound, i, secret = sha256(envelope[:104]), struct.pack("<Q", i), self.secrets[envelope[8]]
        shared = secret.exchange(x25519.X25519PublicKey.from_public_bytes(epk))     # which is not all zeros
        public = secret.public_key().public_bytes_raw()
        prk = mac(salt, shared + public + expand(self.ps, b"auth" + domain))
        need(expand(prk, b"commit" + bound) == commit, "the commit of an envelope is wrong")
        return AESGCM(expand(prk, b"enc" + bound)).decrypt(bytes(4) + i, sealed, bound + i + context)

def recovery_key(text):                                     # Crockford's base 32, by way of the usual one
    text = "".join(line for line in text.splitlines() if not line.startswith("#"))
    usual = str.maketrans("0123456789ABCDEFGHJKMNPQRSTVWXYZOIL", "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567ABB", " -")
    data = base64.b32decode(text.upper().translate(usual))
    need(sha256(b"repo recovery v1" + data[:32])[:3] == data[32:], "the recovery key has a typo")
    return data[:32]

def open_slot(data, id, secret_kind=None, secret=b""):      # the bundle; None: the secret does not open it
    check_start(data, b"K", hashed=True)
    kind, holds, log_n, r, p, slot, salt = struct.unpack("<5B27x16s32s", data[8:88])
    fine = 15 <= log_n <= 20 and r == 8 and 1 <= p <= 4 if kind == 1 else kind == 2 and log_n == r == p == 0
    need(fine and slot == id, "another id than the name's, an unknown kind, or parameters out of bounds")
    if kind == secret_kind == 1:
        secret = hashlib.scrypt(secret, salt=salt, n=1 << log_n, r=r, p=p, dklen=32, maxmem=1100 * MIB)
    prk = mac(salt, secret)
    if kind != secret_kind or not hmac.compare_digest(expand(prk, b"slot commit" + data[:88]), data[88:120]):
        return None
    need(holds == 1, "this opens, but is no full key: nothing can be read back with it")
    sealed, key = data[124:-32], expand(prk, b"slot enc" + data[:88])
    return parse(unpad(AESGCM(key).decrypt(bytes(12), sealed, data[:120])), "bundle")

# ---- §7 Packs, §9 Chunks, frames and segments ----
# A piece is (name of a segment, frame, first chunk, chunks); a chunk is (begin in the frame, end, id).
Frame = namedtuple("Frame", "codec stored raw depth pieces chunks")

class Segment:                      # message i of an envelope; read() gives its sealed bytes
    def __init__(self, envelope, i, frames, read):
        self.envelope, self.i, self.frames, self.read = envelope, i, frames, read
        self.kind, self.domain, self.name = envelope[8], envelope[16:24], (envelope[24:40], i)
    @functools.lru_cache(16)
    def plain(self, keys):
        context = b"".join(struct.pack("<BII", *frame[:3]) for frame in self.frames)
        return keys.open_message(self.envelope, self.i, context, self.read())

def parse_directory(data, kind, domain, read, begin, end):  # the segments between begin and end
    fields, segments = parse(data, "directory"), []
    envelopes = [fields["envelopes"][at:at + 136] for at in range(0, len(fields["envelopes"]), 136)]
    reader = Reader(fields.get("bases", b"\0"))
    bases = [(reader.take(16), reader.varint()) for _ in range(reader.varint())]
    reader = Reader(fields["segments"])
    for _ in range(reader.varint()):
        index, i, offset, count = reader.varints(4)
        check_header(envelope := envelopes[index], b"E", domain, envelope[24:40], kind)
        frames = [parse_frame(reader, bases) for _ in range(count)]
        size = sum(frame.stored for frame in frames) + 16
        need(1 <= count <= 1024 and size <= 2 * MIB + 16 and begin <= offset <= end - size, "a wrong segment")
        segments.append(Segment(envelope, i, frames, functools.partial(read, offset, size)))
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
    need(codec <= 2 and (codec == 2) == bool(pieces) and depth <= 32 and 0 < end == raw <= MIB, "a bad frame")
    return Frame(codec, stored, raw, depth, pieces, chunks)

def unzstd(data, raw, base=b""):
    frame = zstandard.get_frame_parameters(data)
    need(data[:4] == b"\x28\xb5\x2f\xfd" and frame.dict_id == 0 and frame.window_size <= 8 * MIB and
         raw <= 64 * MIB and frame.content_size in (raw, zstandard.CONTENTSIZE_UNKNOWN), "a wrong zstd frame")
    prefix = zstandard.ZstdCompressionDict(base, dict_type=zstandard.DICT_TYPE_RAWCONTENT) if base else None
    return zstandard.ZstdDecompressor(prefix).decompress(data, max_output_size=raw, allow_extra_data=False)

class Chunks:                       # of a domain, or of a manifest's inline segments and behind them a domain
    def __init__(self, keys, segments, domain=None):
        self.keys, self.chunks, self.segments = keys, {}, {}
        for segment in segments:
            self.segments.setdefault(segment.name, []).append(segment)
            for at, frame in enumerate(segment.frames):
                for begin, end, id in frame.chunks:
                    self.chunks.setdefault((segment.kind, id), []).append((segment, at, begin, end))
        self.chunks = ChainMap(self.chunks, domain.chunks if domain else {})
        self.segments = ChainMap(self.segments, domain.segments if domain else {})
    def chunk(self, kind, id):
        return self.first_good(self.chunks.get((kind, id), ()), f"chunk {id.hex()}")[0]
    def first_good(self, places, what):     # the bytes of a place that is not damaged, and their closure
        error = "is nowhere"
        for segment, at, begin, end in places:
            try:
                plain, closure = self.frame(segment, at)
                return plain[begin:end], closure | {(segment.name, at): len(plain)}
            except Exception as problem:
                error = repr(problem)
        raise ValueError(f"{what}: {error}")
    @functools.lru_cache(128)
    def frame(self, segment, at):           # the plaintext, and the closure: {frame: length}
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
    def __init__(self, root):
        self.root, self.chunks = root, functools.cache(self.chunks)
        self.names = sorted(str(path.relative_to(root)) for path in root.rglob("*") if path.is_file())
    def objects(self, pattern, domain="[0-9a-f]{16}"):      # the names with what stands for D and N in them
        pattern = pattern.replace("D", f"({domain})").replace("N", "([0-9a-f]{32})")
        for match in filter(None, (re.fullmatch(pattern, name) for name in self.names)):
            yield match[0], *map(bytes.fromhex, match.groups())
    def read(self, name, offset=0, size=64 * MIB):
        with open(self.root / name, "rb") as file:
            file.seek(offset)
            return file.read(size)
    def chunks(self, domain):
        segments = []
        for name, _, id in self.objects("packs/D/../N", domain.hex()):
            with about(name, go_on=Exception):          # its chunks may stand in another pack as well
                segments += self.pack(name, domain, id)[0]
        return Chunks(self.keys, segments)
    def pack(self, name, domain, id):       # the segments, and what an index object tells of the pack
        start, size = self.read(name, 0, 40), os.stat(self.root / name).st_size
        length = number(self.read(name, max(0, size - 36), 4))
        trailer = self.read(name, max(0, size - length), length)
        (one, body), (two, directory), *others = struct.iter_unpack("<HQ", trailer[2:-44])
        end = body + directory + sum(x for _, x in others)
        need((one, two, end) == (1, 2, size - length), "not body, directory and other sections to the end")
        need(body == padme(body), "a body of a wrong length")
        check_header(start, b"P", domain, id, start[8])
        fields = self.keys.open_box(b"pack directory", start + self.read(name, body, directory))
        segments = parse_directory(fields, start[8], domain, functools.partial(self.read, name), 40, body)
        return segments, struct.pack("<BQ", start[8], size) + fields
    def heads(self):                        # of what has a commit and a manifest, in the order of time
        heads = []
        for name, domain, id in self.objects("commits/D/N"):
            if (self.root / (manifest := name.replace("commits", "snapshots"))).exists():
                with about(name, go_on=Exception):
                    check_header(data := self.read(name), b"H", domain, id)
                    fields = self.keys.open_box(b"head", data)
                    heads.append(parse(fields, "head") | {"fields": fields, "where": (manifest, id, domain)})
        return sorted(heads, key=lambda head: number(head["time"], signed=True))
    def snapshot(self, head):               # its streams by role, and the chunks they are made of
        name, id, domain = head["where"]
        data = self.read(name)
        need(sha256(data) == head["manifest"], "is not the manifest whose hash is in the head")
        check_header(data, b"M", domain, id)
        check_header(data[40:], b"E", domain, data[64:80], LIST)
        content = unpad(self.keys.open_message(data[40:176], 0, data[:40], data[176:]))
        codec, raw, content = content[0], number(content[1:5]), content[5:]
        content = unzstd(content, raw) if codec else content
        need(codec <= 1 and len(content) == raw <= 64 * MIB, "an unknown codec, or a wrong length")
        fields, chunks = parse(content, "manifest"), self.chunks(domain)
        need(fields["head"] == head["fields"][38:], "does not repeat the fields of the head")
        streams = {stream["role"][0]: stream for stream in (parse(x, "stream") for x in fields["streams"])}
        for role, stream in streams.items():
            need(stream["class"][0] == (DATA if role == 1 else LIST), "a stream of a wrong class")
            need(len({"leaf", "root", "bytes"} & {*stream}) == 1, "not exactly one content of a stream")
        if "inline" in fields:
            inline = parse(fields["inline"], "inline")
            read = lambda offset, size: inline["bytes"][offset:offset + size]
            segments = parse_directory(inline["directory"], DATA, domain, read, 0, len(inline["bytes"]))
            chunks = Chunks(self.keys, segments, chunks)
        return streams, chunks

# ---- §10 Lists, §11 Streams, tables and catalogs ----
def walk(node, level, kind, chunks, total):     # the content below a node of a list, `total` bytes, in blocks
    reader, before, own = Reader(node[1:]), b"", node[0]
    need(own <= 6 and level in (None, own) and len(node) <= 1 << 16, "a list node of a wrong level or length")
    while reader.more():
        size, entry = (reader.varint(), "node") if own else divmod(reader.varint(), 4)
        if entry == "node":
            need(size >= 1, "a node without a byte below it")
            blocks = walk(chunks.chunk(LIST, reader.take(24)), own - 1, kind, chunks, size)
        elif entry == 0:
            blocks = [chunks.chunk(kind, reader.take(24))]
            need(len(blocks[0]) == size, "a chunk has another length than its list tells")
        elif entry == 1:
            blocks = (bytes(min(MIB, size - at)) for at in range(0, size, MIB))
        else:
            need(entry == 2 and before, "an unknown entry of a list, or a repeat that follows no chunk")
            blocks, size = itertools.repeat(before, size), size * len(before)
        before, total = blocks[0] if entry == 0 else b"", total - size
        need(total >= 0, "a list holds more than it should")
        yield from blocks
    need(total == 0, "a list holds less than it should")

def content(snapshot, role):        # a stream in blocks; it is known to be right when the last one was taken
    with about(f"stream of role {role}"):
        stream, chunks, key = snapshot[0][role], snapshot[1], snapshot[0][role]["checksum"][:32]
        kind, length, poly1305 = stream["class"][0], number(stream["length"]), Poly1305(key)
        leaf, inline = stream.get("leaf"), stream.get("bytes")
        node = leaf or inline is None and chunks.chunk(LIST, stream["root"])
        need(stream.get("sums_files", b"\1") == b"\1", "a checksum of a later version")
        for block in walk(node, 0 if leaf else None, kind, chunks, length) if node else [inline]:
            poly1305.update(block)
            length -= len(block)
            yield block
        need(length == 0, "a wrong length")
        need("sums_files" in stream or key + poly1305.finalize() == stream["checksum"], "a wrong Poly1305")

def entries(snapshot, role, kind):
    reader = Reader(b"".join(content(snapshot, role)))
    while reader.more():
        yield parse(reader.take(reader.varint()), kind)

def tables(snapshot):               # database, name, and (offset, length) in the data stream
    for table in entries(snapshot, 2, "table"):
        reader, end, ranges = Reader(table.get("ranges", b"\0")), 0, []
        for _ in range(reader.varint()):
            ranges.append((end + reader.varint(), reader.varint()))
            end = sum(ranges[-1])
        yield os.fsdecode(table.get("database", b"")), os.fsdecode(table.get("name", b"")), ranges

def catalog(snapshot):              # every entry, its path, its kind, and its content in blocks
    blocks, left, kinds = content(snapshot, 1) if 1 in snapshot[0] else iter(()), b"", {}
    data = snapshot[0].get(1, {"checksum": bytes(48)})
    by_file, key, total = "sums_files" in data, data["checksum"][:32], Poly1305(data["checksum"][:32])
    def take(count, entry):
        nonlocal left
        wanted, poly1305 = count, Poly1305(key)
        while count:
            left = left or next(blocks, b"")
            need(left, "the catalog tells of more content than there is")
            block, left = left[:count], left[count:]
            count -= len(block)
            poly1305.update(block)
            yield block
        if by_file and wanted:
            need(poly1305.finalize() == entry.get("checksum"), "a file has a wrong Poly1305")
            total.update(entry["checksum"])
    for entry in entries(snapshot, 3, "entry"):
        path, kind, link = entry["path"], number(entry["kind"]), entry.get("link")
        length, parts = Reader(entry.get("length", b"\0")).varint(), path.split(b"/")
        with about(f"entry {os.fsdecode(path)!r}"):
            need(not {b"", b".", b".."} & {*parts} and b"\0" not in path, "is no plain relative path")
            for count in range(1, len(parts)):
                need(kinds.setdefault(b"/".join(parts[:count]), 2) == 2, "lies below what is no directory")
            need(path not in kinds, "appears twice, or behind what lies in it")
            need(link is None or kinds.get(link) == kind, "a hard link to nothing that was there before")
            need(not length or kind == 1 and link is None, "content of something that has none")
            need("ranges" not in entry, "content in pieces")
        kinds[path] = kind if link is None else 0
        yield entry, path, kind, (body := take(length, entry))
        deque(body, 0)                                      # what was not asked for
    need(not left and next(blocks, None) is None, "content behind that of the last entry")
    need(not by_file or key + total.finalize() == data["checksum"], "a wrong Poly1305 of all files")

# ---- Commands ----
def restore(snapshot, target):      # below a new directory; follows no link: catalog() sees to that
    os.makedirs(target, 0o700)
    root, made = os.fsencode(target), []
    for entry, path, kind, body in catalog(snapshot):
        path = os.path.join(root, path)
        with about(os.fsdecode(path), go_on=OSError):
            os.makedirs(os.path.dirname(path), exist_ok=True)
            if "link" in entry:
                os.link(os.path.join(root, entry["link"]), path, follow_symlinks=False)
            elif kind == 1:
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
    for path, kind, entry in reversed(made):                # directories behind what lies in them
        with about(os.fsdecode(path), go_on=Exception):
            set_metadata(path, kind, entry)

def set_metadata(path, kind, entry):
    if "owner" in entry and os.geteuid() == 0:
        numbers, names = Reader(entry["owner"]).varints(2), Reader(entry.get("names", b"\0\0"))
        for at, find in enumerate((pwd.getpwnam, grp.getgrnam)):        # a name that is known here wins
            with contextlib.suppress(KeyError):
                numbers[at] = find(os.fsdecode(names.take(names.varint())))[2]
        os.chown(path, *numbers, follow_symlinks=False)
    for reader in map(Reader, entry.get("attributes", ())):
        with about(f"{os.fsdecode(path)}: an extended attribute", go_on=Exception):
            os.setxattr(path, reader.take(reader.varint()), reader.data[reader.at:], follow_symlinks=False)
    if "mode" in entry and kind != 3:
        os.chmod(path, Reader(entry["mode"]).varint())
    if "modified" in entry:
        seconds, nanoseconds = struct.unpack("<qI", entry["modified"])
        os.utime(path, ns=(seconds * 10 ** 9 + nanoseconds,) * 2, follow_symlinks=False)
    need("reservation" not in entry, "changed while it was saved, or could not be read")

def verify(repository, heads):
    read, objects, keys, packs = repository.read, repository.objects, repository.keys, {}
    for name, id in objects("keys/N"):
        with about(name, go_on=Exception):
            open_slot(read(name), id)
    for name, domain, id in objects("packs/D/../N"):
        with about(name, go_on=Exception):
            check_start(read(name), b"P", hashed=True)
            segments, packs[domain + id] = repository.pack(name, domain, id)
            for segment, at in ((segment, at) for segment in segments for at in range(len(segment.frames))):
                repository.chunks(domain).frame(segment, at)
    for name, domain, id in objects("index/D/N"):
        with about(name, go_on=Exception):
            check_header(data := read(name), b"I", domain, id)
            for told in parse(keys.open_box(b"index object", data), "index").get("packs", ()):
                need(packs.get(domain + told[:16], told[16:]) == told[16:], "belies pack " + told[:16].hex())
    for folder, kind in {"tombstones/packs": 1, "tombstones/snapshots": 2, "tombstones/index": 3,
                         "records/forgotten": 1, "records/policies": 2, "records/holds": 3,
                         "records/acknowledgements": 4, "records/keys": 6}.items():
        for name, id in objects(folder + "/N"):
            with about(name, go_on=Exception):
                data, what = read(name), folder.split("s/")[0]
                check_start(data, what[0].upper().encode())
                need(data[8] == kind and data[24:40] == id, "the header is not that of the name")
                keys.pkP.verify(data[-64:], f"repo {what} v1".encode() + data[:-64])
                if what == "record":
                    told = parse(keys.open_box(b"record", data[:-64]), folder.split("/")[1])
                    parse(told.get("rules", b""), "rules")
    for head in heads:
        with about(head["where"][0], go_on=Exception):
            streams, _ = snapshot = repository.snapshot(head)
            deque(catalog(snapshot) if 3 in streams else content(snapshot, 1), 0)
            deque(tables(snapshot) if 2 in streams else (), 0)
    need(not NOTED, f"{len(NOTED)} faults")
    print(f"{len(heads)} snapshots, {len(packs)} packs, {len(repository.names)} objects: all is well")

def open_keys(repository, option, secret):
    if option == "--recovery-key-file":
        return Keys(recovery_key(secret.decode())), None
    kind = {"--password-file": 1, "--key-file": 2}[option]
    secret = secret.split(b"\n")[0].removesuffix(b"\r") if kind == 1 else secret
    for name, id in repository.objects("keys/N"):
        with about(name, go_on=Exception):                  # another slot may open
            if bundle := open_slot(repository.read(name), id, kind, secret):
                return Keys(bundle["R"]), bundle["config"]
    raise ValueError("no key slot opens with this")

def main(root, option, file, command, prefix="", target=None):
    repository = Repository(Path(root))
    repository.keys, config = open_keys(repository, option, Path(file).read_bytes())
    with about("config", go_on=Exception):
        check_start(data := repository.read("config"), b"C", hashed=True)
        root_check = parse(data[8:-32], "config").get("root_check", b"")
        need(repository.keys.root_check.startswith(root_check), "is that of another repository than the key")
        need(data[:-32] == (config or data[:-32]), "differs from the copy in the key slot")
    heads = [head for head in repository.heads() if head["where"][1].hex().startswith(prefix)]
    if command == "list":
        for head in heads:
            id, domain = (part.hex() for part in head["where"][1:])
            with about(id, go_on=(LookupError, ValueError)):
                kind = ("full", "incremental", "differential")[number(head["kind"]) - 1]
                moment = time.strftime("%FT%TZ", time.gmtime(number(head["time"], signed=True) // 1000))
                complete, size = ("false", "true", "unknown")[number(head["complete"])], number(head["read"])
                print(id, domain, head["series"].decode(), kind, moment, complete, size, sep="\t")
    elif command == "verify":
        verify(repository, heads)
    else:
        need(len(heads) == 1, f"{len(heads)} snapshots have an id that begins with {prefix}")
        snapshot = repository.snapshot(heads[0])
        if command == "cat":
            deque(map(sys.stdout.buffer.write, content(snapshot, 1)), 0)
        elif command == "files":
            restore(snapshot, target)
        else:
            for database, name, ranges in tables(snapshot):
                print(database, name, " ".join(f"{at}+{size}" for at, size in ranges), sep="\t")

if __name__ == "__main__":
    if len(sys.argv) != dict(list=5, verify=5, cat=6, tables=6, files=7).get("".join(sys.argv[4:5])):
        sys.exit(__doc__)
    try:
        main(*sys.argv[1:])
    except Exception as problem:
        sys.exit(f"decoder: {problem}")
    sys.exit(3 if NOTED else 0)
