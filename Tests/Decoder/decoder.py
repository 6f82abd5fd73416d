#!/usr/bin/env python3
"""Reads a repository without the program that wrote it.

Written from docs/format.md alone; the signs § name its sections. It is one file and needs Python 3.11 or later and,
from PyPI, `cryptography` and `zstandard`. What opens a repository here is a full key or the recovery key.

    decoder.py REPO --password-file F | --key-file F | --recovery-key-file F  COMMAND

    list                 the snapshots: id, domain, series, kind, time, complete, bytes, separated by tabs
    cat SNAPSHOT         the data stream of a snapshot (an id, or how it begins) to standard output
    files SNAPSHOT DIR   files and directories into DIR, which must be empty or not exist
    tables SNAPSHOT      the tables of a dump: database, name, ranges (offset+length) in the data stream
    verify               decodes every object and every snapshot and checks them

Exit status 0: all is well. 1: it failed, and what was written is not to be trusted. 3: what was asked for is right,
but something that standard error names is damaged, was saved with a reservation, or could not be restored.
"""
import argparse, base64, contextlib, functools, grp, hashlib, hmac, itertools, os, pwd, re, stat, struct, sys, time
from collections import ChainMap, Counter, defaultdict, namedtuple
from pathlib import Path

import zstandard
from cryptography.exceptions import InvalidSignature, InvalidTag
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.poly1305 import Poly1305

KIB, MIB = 1 << 10, 1 << 20
DATA, LIST = 0, 1                                           # classes
NOTED = []                                                  # what is not as it should be, but stops no command

class Broken(Exception):
    """A rule of the format is broken."""

FAULTS = (Broken, OSError, ValueError, InvalidTag, InvalidSignature, zstandard.ZstdError)

def need(condition, rule):
    if not condition:
        raise Broken(rule)

def note(text):
    NOTED.append(text)
    print(f"decoder: {text}", file=sys.stderr)

@contextlib.contextmanager
def about(name):
    """Says in what something went wrong."""
    try:
        yield
    except FAULTS as error:
        raise Broken(f"{name}: {str(error) or type(error).__name__}") from error

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

    def u(self, size):
        return int.from_bytes(self.take(size), "little")

    def varint(self):
        value = shift = 0
        while (byte := self.u(1)) >= 0x80:
            value, shift = value | (byte & 0x7F) << shift, shift + 7
            need(shift < 64, "a varint of more than 64 bits")
        need((byte or not shift) and byte << shift < 1 << 64, "a varint of more than 64 bits, or not the shortest")
        return value | byte << shift

    def varints(self, count):
        return [self.varint() for _ in range(count)]

def sha256(data):
    return hashlib.sha256(data).digest()

def mac(key, data):                                         # HMAC-SHA-256, also HKDF's Extract(salt, ikm)
    return hmac.digest(key, data, "sha256")

def expand(prk, info):                                      # HKDF's Expand, for 32 bytes
    return mac(prk, info + b"\1")

def unpad(data):
    end = 4 + int.from_bytes(data[:4], "little")
    need(end <= len(data) and not any(data[end:]), "wrong padding")
    return data[4:end]

def without_hash(data):
    need(sha256(data[:-32]) == data[-32:], "the hash at the end is wrong: damaged")
    return data[:-32]

def prologue(data, kind):
    need(data[:5] == b"repo" + kind, f"does not begin like an object of kind {kind.decode()}")
    need(data[5:8] == b"\1\1\0", f"a version or suite that this decoder does not know: {data[5:8].hex()}")

def header(data, kind, domain, id, allowed=(0,)):
    """Checks the 40 bytes that most objects begin with against the name; gives byte 8: a class, or a kind."""
    prologue(data, kind)
    need(data[8] in allowed and not any(data[9:16]), "unknown class or kind, or reserved bytes that are not zero")
    need(data[16:40] == domain + id, "the header does not repeat domain and id of the name")
    return data[8]

def schema(text):
    """Tag, + where required, * where repeated, name, type: a number of bytes, an integer, text, other fields."""
    rows = (re.fullmatch(r"(\d+)(\+?)(\*?) (\w+) (\w+)", row.strip()).groups() for row in text.split(","))
    return {int(tag): (name, type, required, repeated) for tag, required, repeated, name, type in rows}

# All critical fields; of the others what is of use here.
FIELDS = {kind: schema(text) for kind, text in {
    "config": "1+ id 16, 2+ cut_text 12, 3+ cut_other 12, 4+ consistency u8, 5 created i64",
    "bundle": "1+ kind u8, 2+ config bytes, 3+ R 32, 16 label text",
    "directory": "1+ envelopes bytes, 2 bases bytes, 3+ segments bytes",
    "index": "1* packs bytes",
    "head": """1+ manifest 32, 2+ series text, 3+ kind u8, 4 parent 16, 5 base 16, 6 needs 16, 7+ time i64,
        8+ started i64, 9+ ended i64, 10+ complete u8, 13+ bytes_read u64, 16 format text, 17 host text, 18* tags text,
        21+ writer 16, 22+ sequence u64, 23* seen 16, 25 tool text""",
    "manifest": "1+ head bytes, 4+* streams stream, 5 inline inline",
    "stream": "1+ role u8, 2+ class u8, 3+ length u64, 4+ checksum 48, 5 leaf bytes, 6 root 24, 9 bytes bytes",
    "inline": "1+ directory bytes, 2+ segments bytes",
    "forgotten": "1+ id 16, 2+ writer 16, 3+ sequence u64, 4 series text, 5 time i64, 6 recorded i64, 7 reason u8",
    "keys": "1+ slot 16, 2+ kind u8, 3 domain 8, 4 label text, 5 created i64",
    "table": "1 database bytes, 2 name bytes, 3 ranges bytes",
    "entry": """1+ path bytes, 2+ kind u8, 3 mode varint, 4 owner bytes, 5 names bytes, 6 modified 12, 9 length varint,
        10 target bytes, 11 link bytes, 12 device bytes, 13* attributes bytes, 14 reservation u8, 15 holes bytes""",
}.items()}
NARROW, INTEGERS = ("table", "entry"), {"u8": 1, "u16": 2, "u32": 4, "u64": 8, "i64": 8}

def parse(data, kind):
    """Fields by name, lists where repeated. An unknown one is ignored, or refused where it is critical."""
    reader, found, last, top_bit = Reader(data), {}, 0, 0x80 if kind in NARROW else 0x8000
    while reader.more():
        tag = reader.u(1 if kind in NARROW else 2)
        value = reader.take(reader.varint() if kind in NARROW else reader.u(4))
        number = tag % top_bit
        name, type, _, repeated = FIELDS[kind].get(number, (number, "bytes", "", "*"))
        need(tag < top_bit or name != number, f"{kind}: critical field {number} is of a later version")
        need(number > last or number == last and repeated, f"{kind}: field {name} appears twice, or out of order")
        with about(f"{kind}, field {name}"):
            value = parse_value(value, type)
        found[name], last = found.get(name, []) + [value] if repeated else value, number
    for name, _, required, _ in FIELDS[kind].values():
        need(not required or name in found, f"{kind}: field {name} is missing")
    return found

def parse_value(value, type):
    if type in FIELDS:
        return parse(value, type)
    if type in ("text", "varint"):
        return value.decode() if type == "text" else Reader(value).varint()
    need(type == "bytes" or len(value) == (INTEGERS.get(type) or int(type)), "a wrong length")
    return int.from_bytes(value, "little", signed=type == "i64") if type in INTEGERS else value

# ---- §3 Keys, §4 Sealing, §6 Key slots ----

class Keys:
    def __init__(self, root):
        prk = mac(b"repo root v1", root)
        self.skD, self.skL = (X25519PrivateKey.from_private_bytes(expand(prk, x)) for x in (b"data key", b"list key"))
        self.pkP = Ed25519PrivateKey.from_private_bytes(expand(prk, b"record key")).public_key()
        self.pi, self.ps = (mac(b"repo domain v1", expand(prk, x)) for x in (b"ids", b"structure"))

    def chunk_id(self, kind, domain, data):
        key = expand(self.ps, b"list ids" + domain) if kind == LIST else expand(self.pi, b"chunk ids" + domain)
        return mac(key, bytes([kind]) + data)[:24]

    def open_box(self, label, data):
        """The plaintext of the box that stands behind a header of 40 bytes."""
        domain, id, salt, check = data[16:24], data[24:40], data[40:72], data[72:104]
        prk = mac(salt, expand(self.ps, b"index" + domain))
        key = expand(prk, b"repo box key v1" + label + id + check)
        plain = AESGCM(key).decrypt(bytes(12), data[104:], data[:40])
        need(mac(expand(prk, b"repo box check v1" + label + id), plain) == check, "the check of the box is wrong")
        return unpad(plain)

    @functools.lru_cache(256)
    def envelope_key(self, envelope):
        kind, domain, epk, salt = envelope[8], envelope[16:24], envelope[40:72], envelope[72:104]
        secret, bound = self.skL if kind == LIST else self.skD, sha256(envelope[:104])
        shared = secret.exchange(X25519PublicKey.from_public_bytes(epk))            # refuses an all-zero result
        public = secret.public_key().public_bytes_raw()
        prk = mac(salt, shared + public + expand(self.ps, b"auth" + domain))
        need(expand(prk, b"commit" + bound) == envelope[104:], "the commit of an envelope is wrong")
        return expand(prk, b"enc" + bound), bound

    def open_message(self, envelope, i, context, sealed):
        (key, bound), number = self.envelope_key(envelope), struct.pack("<Q", i)
        return AESGCM(key).decrypt(bytes(4) + number, sealed, bound + number + context)

def recovery_key(text):
    """Crockford's base 32, by way of the usual one."""
    text = "".join(line for line in text.splitlines() if not line.startswith("#"))
    usual = str.maketrans("0123456789ABCDEFGHJKMNPQRSTVWXYZOIL", "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567ABB", " -\t")
    data = base64.b32decode(text.upper().translate(usual))
    need(len(data) == 35 and sha256(b"repo recovery v1" + data[:32])[:3] == data[32:], "a typo in the recovery key")
    return data[:32]

def open_slot(data, id, secret_kind=None, secret=b""):
    """The bundle of a key slot, None where the secret does not open it; what is in clear is checked anyway."""
    prologue(without_hash(data), b"K")
    kind, bundle_kind, log_n, r, p, repository, slot, salt, commitment, n = struct.unpack(
        "<5B 11x 16s 16s 32s 32s I", data[8:124])
    need(slot == id and len(data) == 156 + n <= 64 * KIB, "another id than the name's, or a wrong length")
    need(kind in (1, 2) and bundle_kind in (1, 2, 3) and not any(data[13:16]), "unknown kind of secret or bundle")
    fine = 15 <= log_n <= 20 and r == 8 and 1 <= p <= 4 if kind == 1 else log_n == r == p == 0
    need(fine, f"scrypt parameters out of bounds: {log_n} {r} {p}")
    if kind != secret_kind:
        return None
    if kind == 1:
        secret = hashlib.scrypt(secret, salt=salt, n=1 << log_n, r=r, p=p, dklen=32, maxmem=(1 << 30) + 64 * MIB)
    prk = mac(salt, secret)
    if not hmac.compare_digest(expand(prk, b"slot commit" + data[:88]), commitment):
        return None
    need(bundle_kind == 1, "this opens, but is no full key: nothing can be read back with it")
    key = expand(prk, b"slot enc" + data[:88])
    bundle = parse(unpad(AESGCM(key).decrypt(bytes(12), data[124:-32], data[:120])), "bundle")
    need(bundle["kind"] == 1 and parse(bundle["config"][8:], "config")["id"] == repository, "an alien bundle")
    return bundle

# ---- §7 Packs, §9 Chunks, frames and segments ----

class Segment:
    """One message of an envelope (136 bytes); its name is (envelope id, i). `copies` read its sealed bytes."""
    def __init__(self, envelope, i, frames, read):
        self.envelope, self.i, self.frames, self.copies = envelope, i, frames, [read]
        self.kind, self.domain, self.name = envelope[8], envelope[16:24], (envelope[24:40], i)

# A piece is (name of the base segment, frame, first chunk, chunks); a chunk is (begin in the frame, end, id).
Frame = namedtuple("Frame", "codec stored raw depth pieces chunks")

def parse_directory(data, kind, domain, read, begin, end):
    """The segments of a pack or a manifest, which lie between `begin` and `end`; `read` takes offset and size."""
    fields, segments = parse(data, "directory"), []
    envelopes = [fields["envelopes"][at:at + 136] for at in range(0, len(fields["envelopes"]), 136)]
    for envelope in envelopes:
        header(envelope, b"E", domain, envelope[24:40], (kind,))
    reader = Reader(fields.get("bases", b"\0"))
    bases = [(reader.take(16), reader.varint()) for _ in range(reader.varint())]
    reader = Reader(fields["segments"])
    for _ in range(reader.varint()):
        envelope, i, offset, count = reader.varints(4)
        need(envelope < len(envelopes) and i < 1 << 20 and 1 <= count <= 1024, "a segment out of bounds")
        frames = [parse_frame(reader, bases) for _ in range(count)]
        size = sum(frame.stored for frame in frames) + 16
        need(size <= 2 * MIB + 16 and begin <= offset <= end - size, "a segment is too long, or not in its place")
        segments.append(Segment(envelopes[envelope], i, frames, functools.partial(read, offset, size)))
    need(not reader.more(), "bytes behind the last segment")
    return segments

def parse_frame(reader, bases):
    codec, stored, raw = reader.u(1), *reader.varints(2)
    need(codec <= 2 and 1 <= raw <= MIB and (codec or stored == raw), "unknown codec, or a length out of bounds")
    depth, pieces, chunks, end = 0, [], [], 0
    if codec == 2:
        depth, _, _, count = reader.varints(4)
        need(1 <= depth <= 32 and 1 <= count <= 256, "the depth or the pieces of a frame are out of bounds")
        for base, *piece in (reader.varints(4) for _ in range(count)):
            need(base < len(bases) and piece[2], "no such base segment, or a piece without chunks")
            pieces.append((bases[base], *piece))
    for _ in range(reader.varint()):
        begin, end = end, end + reader.varint()
        chunks.append((begin, end, reader.take(24)))
    need(end == raw, "the chunks do not add up to the frame")
    return Frame(codec, stored, raw, depth, pieces, chunks)

def unzstd(data, raw, base=b""):
    need(data[:4] == b"\x28\xb5\x2f\xfd", "not a zstd frame")
    frame = zstandard.get_frame_parameters(data)
    need(frame.window_size <= 8 * MIB and frame.dict_id == 0, "a zstd window above 8 MiB, or a dictionary")
    need(frame.content_size in (raw, zstandard.CONTENTSIZE_UNKNOWN), "a zstd frame of another length")
    prefix = zstandard.ZstdCompressionDict(base, dict_type=zstandard.DICT_TYPE_RAWCONTENT) if base else None
    decompressor = zstandard.ZstdDecompressor(dict_data=prefix)
    plain = decompressor.decompress(data, max_output_size=raw, allow_extra_data=False)
    need(len(plain) == raw, "a zstd frame of another length")
    return plain

def first_good(places, use, what):
    """What `use` makes of the first place that is not damaged."""
    problem = "is nowhere"
    for place in places:
        try:
            return use(place)
        except FAULTS as error:
            problem = str(error) or type(error).__name__
    raise Broken(f"{what}: {problem}")

class Chunks:
    """The chunks of a domain, or of the inline segments of a manifest and, behind them, of its domain."""
    def __init__(self, keys, segments, domain=None):
        self.keys, self.chunks, self.segments = keys, defaultdict(list), {}
        for segment in segments:
            known = self.segments.setdefault(segment.name, segment)
            if known is not segment and known.envelope == segment.envelope and known.frames == segment.frames:
                known.copies += segment.copies
                continue
            for number, frame in enumerate(segment.frames):
                for begin, end, id in frame.chunks:
                    self.chunks[segment.kind, id].append((segment, number, begin, end))
        self.plain, self.frame = functools.lru_cache(16)(self.plain), functools.lru_cache(128)(self.frame)
        if domain:
            self.chunks = ChainMap(self.chunks, domain.chunks)
            self.segments = ChainMap(self.segments, domain.segments)

    def chunk(self, kind, id):
        use = lambda place: self.frame(*place[:2])[place[2]:place[3]]
        return first_good(self.chunks.get((kind, id), []), use, f"chunk {id.hex()}")

    def plain(self, segment):
        context = b"".join(struct.pack("<BII", frame.codec, frame.stored, frame.raw) for frame in segment.frames)
        use = lambda read: self.keys.open_message(segment.envelope, segment.i, context, read())
        return first_good(segment.copies, use, f"segment {segment.name[0].hex()} {segment.i}")

    def bases(self, segment, number):
        """For each piece of a frame: the base segment, the number of its frame, begin, end."""
        for name, of, first, count in segment.frames[number].pieces:
            base = self.segments.get(name)
            need(base and base.kind == segment.kind and of < len(base.frames), "a base that is nowhere")
            need(base.frames[of].depth < segment.frames[number].depth, "a base is not less deep than what needs it")
            chunks = base.frames[of].chunks[first:first + count]
            need(len(chunks) == count, "a piece of chunks that there are not")
            yield base, of, chunks[0][0], chunks[-1][1]

    def closure(self, segment, number, found):
        """Collects the frames that must be decoded first; as depths fall there is no circle."""
        for base, of, _, _ in self.bases(segment, number):
            if (base.name, of) not in found:
                found[base.name, of] = base.frames[of].raw
                need(len(found) <= 64 and sum(found.values()) <= 16 * MIB, "a closure above the limits")
                self.closure(base, of, found)

    def frame(self, segment, number):
        """The plaintext of a frame; the ids of its chunks are right."""
        self.closure(segment, number, {})
        frame, at = segment.frames[number], sum(before.stored for before in segment.frames[:number])
        data = self.plain(segment)[at:at + frame.stored]
        base = b"".join(self.frame(base, of)[begin:end] for base, of, begin, end in self.bases(segment, number))
        need(len(base) <= 4 * MIB, "a base of more than 4 MiB")
        data = unzstd(data, frame.raw, base) if frame.codec else data
        for begin, end, id in frame.chunks:
            found = self.keys.chunk_id(segment.kind, segment.domain, data[begin:end])
            need(found == id, f"the content of chunk {id.hex()} has another id")
        return data

# ---- §2 Objects and names, §7 Packs, §11 Manifests, §12 Heads ----

class Repository:
    def __init__(self, root, keys):
        self.root, self.keys, self.chunks = root, keys, functools.cache(self.chunks)
        self.names = {str(path.relative_to(root)) for path in root.rglob("*") if path.is_file()}

    def objects(self, pattern, domain="[0-9a-f]{16}"):
        """(name, domain and id as bytes) of what is named so: D is a domain, N a random name."""
        pattern = pattern.replace("D", f"({domain})").replace("N", "([0-9a-f]{32})")
        for match in filter(None, (re.fullmatch(pattern, name) for name in sorted(self.names))):
            yield match[0], *map(bytes.fromhex, match.groups())

    def read(self, name, offset=0, size=-1):
        with open(self.root / name, "rb") as file:
            need(os.fstat(file.fileno()).st_size <= 64 * MIB, "an object of more than 64 MiB")
            file.seek(offset)
            return file.read(size)

    def open(self, kind, label, name, domain, id):
        """The fields of a head or an index object, as bytes."""
        header(data := self.read(name), kind, domain, id)
        return self.keys.open_box(label, data)

    def chunks(self, domain):
        segments = []
        for name, _, id in self.objects("packs/D/../N", domain.hex()):
            try:
                segments += self.pack(name, domain, id)[0]
            except Broken as problem:                       # its chunks may stand in another pack as well
                note(problem)
        return Chunks(self.keys, segments)

    def pack(self, name, domain, id):
        """The segments of a pack, and what an index object tells of it behind its id."""
        with about(name):
            size = os.stat(self.root / name).st_size
            length = int.from_bytes(self.read(name, max(0, size - 36), 4), "little")
            need(46 <= length <= size, "the trailer is longer than the pack")
            trailer = Reader(self.read(name, size - length, length - 36))
            sections = [(trailer.u(2), trailer.u(8)) for _ in range(trailer.u(2))]
            need(trailer.u(8) == size == length + sum(x for _, x in sections), "the lengths do not add up")
            need([kind for kind, _ in sections[:2]] == [1, 2], "the sections do not begin with body and directory")
            start, (body, directory) = self.read(name, 0, 40), (x for _, x in sections[:2])
            kind = header(start, b"P", domain, id, (DATA, LIST))
            fields = self.keys.open_box(b"pack directory", start + self.read(name, body, directory))
            segments = parse_directory(fields, kind, domain, functools.partial(self.read, name), 40, body)
            return segments, struct.pack("<BQ", kind, size) + fields

    def heads(self):
        """The heads of the snapshots: of what has a commit and a manifest."""
        for name, domain, id in self.objects("commits/D/N"):
            if (manifest := name.replace("commits", "snapshots")) in self.names:
                try:
                    with about(name):
                        fields = self.open(b"H", b"head", name, domain, id)
                        head = parse(fields, "head") | {"fields": fields, "name": manifest, "domain": domain, "id": id}
                        need(head["kind"] in (1, 2, 3) and head["complete"] <= 2, "unknown kind or completeness")
                    yield head
                except Broken as problem:
                    note(problem)

    def snapshot(self, head):
        """The streams of a snapshot by role, and the chunks they are made of."""
        with about(head["name"]):
            data, domain = self.read(head["name"]), head["domain"]
            need(sha256(data) == head["manifest"], "is not the manifest whose hash is in the head")
            header(data, b"M", domain, head["id"])
            header(data[40:], b"E", domain, data[64:80], (LIST,))
            content = unpad(self.keys.open_message(data[40:176], 0, data[:40], data[176:]))
            (codec, raw), content = struct.unpack("<BI", content[:5]), content[5:]
            need(codec <= 1 and raw <= 64 * MIB and (codec or raw == len(content)), "unknown codec, or a wrong length")
            fields = parse(unzstd(content, raw) if codec else content, "manifest")
            need(fields["head"] == head["fields"][38:], "does not repeat the fields of the head")
            streams, chunks = {stream["role"]: stream for stream in fields["streams"]}, self.chunks(domain)
            need(len(streams) == len(fields["streams"]), "two streams of one role")
            for role, stream in streams.items():
                need(role in (1, 2, 3, 4) and stream["class"] == (DATA if role == 1 else LIST), "a wrong role or class")
                need(len({"leaf", "root", "bytes"} & {*stream}) == 1, "not exactly one content of a stream")
            if inline := fields.get("inline"):
                read = lambda offset, size: inline["segments"][offset:offset + size]
                segments = parse_directory(inline["directory"], DATA, domain, read, 0, len(inline["segments"]))
                chunks = Chunks(self.keys, segments, chunks)
            return streams, chunks

# ---- §10 Lists, §11 Streams, tables and catalogs ----

def walk(node, level, kind, chunks, total):
    """The content below a node of a list, in blocks: `total` bytes, no more and no less. Level None: any."""
    reader, before = Reader(node), None
    own = reader.u(1)
    need(own <= 6 and level in (None, own) and len(node) <= 64 * KIB, "a list node of a wrong level, or too long")
    while reader.more():
        n = reader.varint()
        if own:
            blocks = walk(chunks.chunk(LIST, reader.take(24)), own - 1, kind, chunks, n)
        elif n & 3 == 0:
            blocks = [chunks.chunk(kind, reader.take(24))]
            need(len(blocks[0]) == n >> 2, "a chunk has another length than its list tells")
        elif n & 3 == 1:
            blocks = (bytes(min(MIB, (n >> 2) - at)) for at in range(0, n >> 2, MIB))
        else:
            need(n & 3 == 2 and before, "an unknown entry of a list, or a repeat that follows no chunk")
            blocks = itertools.repeat(before, n >> 2)
        before = blocks[0] if isinstance(blocks, list) else None
        for block in blocks:
            total -= len(block)
            need(total >= 0, "a list holds more than it should")
            yield block
    need(total == 0, "a list holds less than it should")

def content(snapshot, role):
    """A stream in blocks; its length and checksum are known to be right when the last one was taken."""
    streams, chunks = snapshot
    need(role in streams, f"the snapshot has no stream of role {role}")
    stream, kind, length = streams[role], streams[role]["class"], streams[role]["length"]
    checksum = Poly1305(stream["checksum"][:32])
    with about(f"stream of role {role}"):
        if "bytes" in stream:
            need(len(stream["bytes"]) == length and kind == LIST, "inline content of a wrong length or class")
            blocks = [stream["bytes"]]
        else:
            node = stream["leaf"] if "leaf" in stream else chunks.chunk(LIST, stream["root"])
            blocks = walk(node, 0 if "leaf" in stream else None, kind, chunks, length)
        for block in blocks:
            checksum.update(block)
            yield block
        need(checksum.finalize() == stream["checksum"][32:], "the Poly1305 is wrong")

def entries(snapshot, role, kind):
    """The entries of a catalog or of tables."""
    reader = Reader(b"".join(content(snapshot, role)))
    while reader.more():
        size = reader.varint()
        need(size <= MIB, "an entry of more than 1 MiB")
        yield parse(reader.take(size), kind)

def ranges(data=b"\0"):
    """`count, count x (gap since the end of the one before, length)` as (begin, end)."""
    reader, end, found = Reader(data), 0, []
    for _ in range(reader.varint()):
        begin = end + reader.varint()
        end = begin + reader.varint()
        found.append((begin, end))
    return found
