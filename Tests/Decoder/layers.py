"""The lower layers of the repository format: conventions, keys, sealing, packs and chunks.

Written from docs/format.md alone; the signs § name its sections. decoder.py has the rest, and the commands.
"""
import contextlib, functools, hashlib, hmac, itertools, re, struct, sys
from collections import defaultdict, namedtuple

import zstandard
from cryptography.exceptions import InvalidSignature, InvalidTag
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

KIB, MIB = 1 << 10, 1 << 20
DATA, LIST = 0, 1                                           # classes


class Violation(Exception):
    """A rule of the format is broken."""


class NoKey(Violation):
    """The key at hand does not open this: no fault of the object."""


def need(condition, rule):
    if not condition:
        raise Violation(rule)


def note(text):
    print(f"decoder: note: {text}", file=sys.stderr)


@contextlib.contextmanager
def reading(name):
    """Says in which object a rule was broken."""
    try:
        yield
    except Violation as error:
        raise type(error)(str(error) if str(error).startswith(name) else f"{name}: {error}") from error
    except OSError as error:
        raise Violation(f"{name}: {error.strerror}") from error


# ---- §1 Conventions ----


class Reader:
    """Takes values off the front of some bytes, and never more than there are."""
    def __init__(self, data):
        self.data, self.at = data, 0

    def take(self, count):
        need(count <= len(self.data) - self.at, "cut short: a value reaches beyond the end")
        self.at += count
        return self.data[self.at - count:self.at]

    def u(self, size):
        return int.from_bytes(self.take(size), "little")

    def varint(self):
        value = 0
        for shift in range(0, 70, 7):
            byte = self.u(1)
            value |= (byte & 0x7F) << shift
            if byte < 0x80:
                need(byte or not shift, "a varint is not in its shortest form")
                break
        need(byte < 0x80 and value < 1 << 64, "a varint exceeds 64 bits")
        return value

    def count(self, least_size, most=64 * MIB):
        """A number of items of at least so many bytes each: range(count)."""
        count = self.varint()
        need(count <= min(most, (len(self.data) - self.at) // least_size), "more items than there can be")
        return range(count)

    def rest(self):
        return self.take(len(self.data) - self.at)

    def zeros(self, count):
        need(not any(self.take(count)), "reserved bytes are not zero")

    @property
    def more(self):
        return self.at < len(self.data)

    def end(self):
        need(not self.more, "bytes behind the end")

    def prologue(self, kind):
        start = self.take(8)
        need(start[:5] == b"repo" + kind, f"the prologue is not that of kind {kind.decode()}")
        need(start[5:] == b"\1\1\0", f"unknown version or suite: {start[5:].hex()}")

    def header(self, kind, domain, id):
        """The 40 bytes that most objects begin with; gives byte 8 and the domain."""
        self.prologue(kind)
        byte = self.u(1)
        need(byte == 0 or kind in b"PR", "reserved bytes are not zero")
        self.zeros(7)
        found = self.take(8)
        need(found == (domain or found), "the domain in the header is not that of the name")
        need(self.take(16) == id, "the id in the header is not that of the name")
        return byte, found


def sha256(data):
    return hashlib.sha256(data).digest()


def mac(key, data):
    """HMAC-SHA-256, which is also HKDF's Extract(salt, ikm)."""
    return hmac.digest(key, data, "sha256")


def expand(prk, info, size=32):
    """HKDF-Expand for at most one block."""
    return mac(prk, info + b"\1")[:size]


def open_gcm(key, nonce, associated, sealed, what):
    try:
        return AESGCM(key).decrypt(nonce, sealed, associated)
    except (InvalidTag, ValueError):
        raise Violation(f"{what} does not decrypt") from None


def padme(length):
    exponent = length.bit_length() - 1
    bits = max(0, exponent - exponent.bit_length())
    return -(-length >> bits) << bits


def unpad(data):
    reader = Reader(data)
    length = reader.u(4)
    need(len(data) == max(256, padme(4 + length)), "padded to another length than Padmé's")
    content = reader.take(length)
    need(not any(reader.rest()), "the padding is not zero")
    return content


def schema(text):
    """`tag[!][+][*] name type, ...`: ! critical, + required, * repeated; a number as type is a length in bytes."""
    rows = (re.fullmatch(r"(\d+)(!?)(\+?)(\*?) (\w+) (\w+)", row.strip()).groups() for row in text.split(","))
    return {int(tag): (bool(critical), required, repeated, name, type)
            for tag, critical, required, repeated, name, type in rows}


CONFIG = schema("1!+ id 16, 2+ text_cutting 12, 3+ other_cutting 12, 4+ consistency u8, 5 created i64")
BUNDLE = schema("""1!+ kind u8, 2!+ config bytes, 3! R 32, 4! domain 8, 5! pkD 32, 6! pkL 32, 7! pkP 32, 8! skL 32,
    9! skP 32, 10! structure 32, 11! K_id 32, 12! K_cut 16, 13! K_list 32, 14! K_index 32, 15! K_auth 32,
    16 label text""")
DIRECTORY = schema("1!+ envelopes bytes, 2 bases bytes, 3!+ segments bytes")
INDEX = schema("1!* packs bytes")
HEAD = schema("""1!+ manifest 32, 2!+ series text, 3!+ kind u8, 4 parent 16, 5 base 16, 6! needs 16, 7!+ time i64,
    8+ started i64, 9+ ended i64, 10!+ complete u8, 11 evidence u8, 12 flags u32, 13+ bytes_read u64,
    14 bytes_new u64, 15 bytes_stored u64, 16 format bytes, 17 host text, 18* tags text, 19 position position,
    20 log_numbers 16, 21!+ writer 16, 22!+ sequence u64, 23!* seen 16, 24 origin 32, 25 tool bytes""")
POSITION = schema("1 file bytes, 2 offset u64, 3 gtid bytes")
MANIFEST = schema("1!+ head bytes, 2 producer producer, 3 source source, 4!+* streams stream, 5! inline inline")
PRODUCER = schema("1 program bytes, 2* options bytes, 3 status i64, 4 error bytes")
SOURCE = schema("""1 tool bytes, 2 tool_version bytes, 3 server_version bytes, 4 inner_format bytes,
    5* databases bytes, 6* notes bytes, 7 end_mark u64""")
STREAM = schema("""1!+ role u8, 2!+ class u8, 3!+ length u64, 4!+ checksum 48, 5! leaf bytes, 6! root 24,
    7 name bytes, 8 rule u16""")
INLINE = schema("1! directory bytes, 2! bytes bytes")
FORGOTTEN = schema("""1!+ snapshot 16, 2!+ writer 16, 3!+ sequence u64, 4 series text, 5 time i64, 6 recorded i64,
    7 reason u8""")
KEY_RECORD = schema("1!+ slot 16, 2!+ kind u8, 3 domain 8, 4 label text, 5 created i64")
TABLE = schema("1 database bytes, 2 name bytes, 3 ranges bytes")
ENTRY = schema("""1!+ path bytes, 2!+ kind u8, 3 mode varint, 4 owner bytes, 5 names bytes, 6 modified 12,
    7 changed 12, 8 inode bytes, 9! length varint, 10! target bytes, 11! link bytes, 12 device bytes,
    13* attributes bytes, 14 reservation u8, 15 holes bytes""")
NESTED = {"position": POSITION, "producer": PRODUCER, "source": SOURCE, "stream": STREAM, "inline": INLINE}
INTEGERS = {"u8": 1, "u16": 2, "u32": 4, "u64": 8, "i64": 8}


def parse_fields(data, known, narrow=False):
    """Fields, by name; `narrow` ones (catalog, tables) have a u8 tag and a varint length."""
    reader, found, last, critical = Reader(data), {}, 0, 0x80 if narrow else 0x8000
    for count in itertools.count():
        if not reader.more:
            break
        need(count < 1_000_000, "more than 1,000,000 fields")
        tag = reader.u(1 if narrow else 2)
        value, number = reader.take(reader.varint() if narrow else reader.u(4)), tag & ~critical
        need(number >= last, f"field {number} stands behind field {last}")
        if number in known:
            is_critical, _, repeated, name, type = known[number]
            need(number > last or repeated, f"field {number} ({name}) appears twice")
            need(bool(tag & critical) == is_critical, f"field {number} ({name}) has the wrong critical bit")
            with reading(f"field {number} ({name})"):
                value = parse_value(value, type)
            found[name] = found.get(name, []) + [value] if repeated else value
        else:
            need(not tag & critical, f"unknown critical field {number}")
        last = number
    for number, (_, required, _, name, _) in known.items():
        need(not required or name in found, f"field {number} ({name}) is missing")
    return found


def parse_value(value, type):
    if type in NESTED:
        return parse_fields(value, NESTED[type])
    if type == "varint":
        reader = Reader(value)
        value = reader.varint()
        reader.end()
    elif type == "text":
        need(len(value) <= 255, "more than 255 bytes")
        try:
            return value.decode()
        except UnicodeDecodeError:
            raise Violation("not UTF-8") from None
    elif type != "bytes":
        size = INTEGERS.get(type) or int(type)
        need(len(value) == size, f"{len(value)} bytes instead of {size}")
        return int.from_bytes(value, "little", signed=type == "i64") if type in INTEGERS else value
    return value


# ---- §3, §5, §6 Keys ----


class Keys:
    """What a bundle lets one read; what it does not hold is None."""
    def __init__(self, bundle):
        self.bundle, self.skD, self.skL, self.pkP = bundle, None, bundle.get("skL"), bundle.get("pkP")
        self.ids, self.structure = None, bundle.get("structure")
        if "R" in bundle:
            prk = mac(b"repo root v1", bundle["R"])
            self.skD, self.skL = expand(prk, b"data key"), expand(prk, b"list key")
            self.ids, self.structure = expand(prk, b"ids"), expand(prk, b"structure")
            self.pkP = public(Ed25519PrivateKey.from_private_bytes(expand(prk, b"record key")))

    def domain(self, d):
        """K_id, K_list, K_index, K_auth of a domain."""
        if self.bundle.get("domain") == d:
            return tuple(self.bundle[name] for name in ("K_id", "K_list", "K_index", "K_auth"))
        if not self.structure:
            raise NoKey("the key at hand does not open this domain")
        ps, pi = mac(b"repo domain v1", self.structure), self.ids and mac(b"repo domain v1", self.ids)
        return (pi and expand(pi, b"chunk ids" + d), expand(ps, b"list ids" + d), expand(ps, b"index" + d),
                expand(ps, b"auth" + d))

    def check_signature(self, label, data):
        try:
            Ed25519PublicKey.from_public_bytes(self.pkP).verify(data[-64:], label + data[:-64])
        except InvalidSignature:
            raise Violation("the signature is wrong") from None

    def open_box(self, domain, label, header, id, box):
        """The plaintext of a box (§4), without its padding."""
        reader = Reader(box)
        salt, check = reader.take(32), reader.take(32)
        prk = mac(salt, self.domain(domain)[2])
        key = expand(prk, b"repo box key v1" + label + id + check)
        plain = open_gcm(key, bytes(12), header, reader.rest(), "the box")
        need(mac(expand(prk, b"repo box check v1" + label + id), plain) == check, "the box's check is wrong")
        return unpad(plain)


def public(key):
    return key.public_key().public_bytes_raw()


def recovery_key(text):
    lines = [line for line in text.splitlines() if not line.lstrip().startswith("#")]
    digits = re.sub(r"[\s-]", "", "".join(lines)).upper().translate(str.maketrans("OIL", "011"))
    number, alphabet = 0, "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
    need(len(digits) == 56 and set(digits) <= set(alphabet), "a recovery key has 56 digits of base 32")
    for digit in digits:
        number = number << 5 | alphabet.index(digit)
    data = number.to_bytes(35, "big")
    need(sha256(b"repo recovery v1" + data[:32])[:3] == data[32:], "the recovery key has a typo")
    return data[:32]


def parse_config(data):
    need(sha256(data[:-32]) == data[-32:], "the hash at the end is wrong")
    reader = Reader(data[:-32])
    reader.prologue(b"C")
    config = parse_fields(reader.rest(), CONFIG)
    need(config["consistency"] in (1, 2), "consistency is neither 1 nor 2")
    return config


def open_slot(data, id, secret_kind=None, secret=b""):
    """The bundle of a key slot, None where the secret does not open it; checks what is in clear in any case."""
    need(sha256(data[:-32]) == data[-32:], "the hash at the end is wrong")
    reader = Reader(data[:-32])
    reader.prologue(b"K")
    kind, bundle_kind, log_n, r, p = reader.take(5)
    reader.zeros(3)
    reader.take(8)
    repository, slot, salt, commitment = reader.take(16), reader.take(16), reader.take(32), reader.take(32)
    sealed = reader.take(reader.u(4))
    reader.end()
    need(slot == id, "the id in the header is not that of the name")
    need(kind in (1, 2) and bundle_kind in (1, 2, 3), "unknown kind of secret or bundle")
    limits = 15 <= log_n <= 20 and r == 8 and 1 <= p <= 4 if kind == 1 else log_n == r == p == 0
    need(limits, f"scrypt parameters out of bounds: {log_n} {r} {p}")
    if kind != secret_kind:
        return None
    if kind == 1:
        secret = hashlib.scrypt(secret, salt=salt, n=1 << log_n, r=r, p=p, dklen=32, maxmem=(1 << 30) + 64 * MIB)
    prk = mac(salt, secret)
    if not hmac.compare_digest(expand(prk, b"slot commit" + data[:88]), commitment):
        return None
    key = expand(prk, b"slot enc" + data[:88])
    bundle = parse_fields(unpad(open_gcm(key, bytes(12), data[:120], sealed, "the bundle")), BUNDLE)
    wanted = {1: "R", 2: "domain pkD pkL pkP K_id K_cut K_list K_index K_auth", 3: "pkD pkL pkP skL skP structure"}
    need(bundle["kind"] == bundle_kind, "the bundle is not of the kind that the header tells")
    need(set(bundle) - {"kind", "config", "label"} == set(wanted[bundle_kind].split()), "not the fields of this kind")
    need(parse_config(bundle["config"])["id"] == repository, "the repository id is not that of the bundle's config")
    return bundle


# ---- §4 Envelopes, §7 packs, §9 frames ----


class Envelope:
    def __init__(self, data, kind, domain, keys):
        reader = Reader(data)
        reader.prologue(b"E")
        need(reader.u(1) == kind, "an envelope of another class than what holds it")
        reader.zeros(7)
        need(reader.take(8) == domain, "an envelope of another domain than what holds it")
        self.id, self.epk, self.salt = reader.take(16), reader.take(32), reader.take(32)
        self.data, self.kind, self.domain, self.keys, self.hash = data, kind, domain, keys, sha256(data[:104])

    @functools.cached_property
    def key(self):
        secret = self.keys.skL if self.kind == LIST else self.keys.skD
        if not secret:
            raise NoKey(f"the key at hand does not open class {self.kind}")
        secret = X25519PrivateKey.from_private_bytes(secret)
        try:
            shared = secret.exchange(X25519PublicKey.from_public_bytes(self.epk))
        except ValueError:
            raise Violation("an envelope's shared secret is zero") from None
        prk = mac(self.salt, shared + public(secret) + self.keys.domain(self.domain)[3])
        need(expand(prk, b"commit" + self.hash) == self.data[104:], "an envelope's commit is wrong")
        return expand(prk, b"enc" + self.hash)

    def open(self, i, context, sealed):
        need(i < 1 << 20, "an envelope of more than 2^20 messages")
        i = i.to_bytes(8, "little")
        what = f"a message of envelope {self.id.hex()}"
        return open_gcm(self.key, bytes(4) + i, self.hash + i + context, sealed, what)


# A piece is (name of the base segment, frame, first chunk, chunks), a chunk is (length, id), the name of a segment is
# (envelope id, i); `read` gives the sealed bytes.
Frame = namedtuple("Frame", "codec stored raw depth closure pieces chunks")
Segment = namedtuple("Segment", "envelope i frames read name")


def parse_directory(data, kind, domain, keys, read, begin, end):
    """The segments of a pack or a manifest, which lie from `begin` to `end`, and where the last one ends."""
    fields, last = parse_fields(data, DIRECTORY), begin
    reader, envelopes = Reader(fields["envelopes"]), []
    while reader.more:
        envelopes.append(Envelope(reader.take(136), kind, domain, keys))
    reader = Reader(fields.get("bases", b"\0"))
    bases = [(reader.take(16), reader.varint()) for _ in reader.count(17)]
    reader.end()
    reader, segments, ranges = Reader(fields["segments"]), {}, []
    for _ in reader.count(30):
        envelope, i, offset, count = reader.varint(), reader.varint(), reader.varint(), reader.varint()
        need(envelope < len(envelopes) and 1 <= count <= 1024, "no such envelope, or not 1 to 1024 frames")
        envelope = envelopes[envelope]
        frames = tuple(parse_frame(reader, bases) for _ in range(count))
        size, name = sum(frame.stored for frame in frames), (envelope.id, i)
        need(size <= 2 * MIB, "a segment of more than 2 MiB")
        need(all(piece[0] != name for frame in frames for piece in frame.pieces), "a segment is its own base")
        need(name not in segments, "a segment stands there twice")
        segments[name] = Segment(envelope, i, frames, functools.partial(read, offset, size + 16), name)
        ranges.append((offset, offset + size + 16))
    reader.end()
    for start, stop in sorted(ranges):
        need(last <= start and stop <= end, "segments overlap or leave the body")
        last = stop
    return list(segments.values()), last


def parse_frame(reader, bases):
    codec, stored, raw = reader.u(1), reader.varint(), reader.varint()
    need(codec <= 2, f"unknown codec {codec}")
    need(1 <= raw <= MIB and (codec or stored == raw), "a frame's length is out of bounds")
    depth, closure, pieces = 0, (0, 0), []
    if codec == 2:
        depth, closure = reader.varint(), (reader.varint(), reader.varint())
        need(1 <= depth <= 32 and closure[0] <= 64 and closure[1] <= 16 * MIB, "depth or closure above the limits")
        for _ in reader.count(4, 256):
            base, *piece = (reader.varint() for _ in range(4))
            need(base < len(bases), "no such base segment")
            pieces.append((bases[base], *piece))
        need(pieces, "a frame with a base has no pieces")
    chunks = tuple((reader.varint(), reader.take(24)) for _ in reader.count(25))
    need(all(length for length, _ in chunks), "an empty chunk")
    need(sum(length for length, _ in chunks) == raw, "the chunks of a frame do not add up to its length")
    return Frame(codec, stored, raw, depth, closure, tuple(pieces), chunks)


def unzstd(data, raw, base=b""):
    try:
        need(data[:4] == b"\x28\xb5\x2f\xfd", "not a zstd frame")
        frame = zstandard.get_frame_parameters(data)
        need(frame.window_size <= 8 * MIB, "a zstd window above 8 MiB")
        need(frame.content_size in (raw, zstandard.CONTENTSIZE_UNKNOWN), "a zstd frame of another length")
        prefix = zstandard.ZstdCompressionDict(base, dict_type=zstandard.DICT_TYPE_RAWCONTENT) if base else None
        plain = zstandard.ZstdDecompressor(dict_data=prefix, max_window_size=8 * MIB).decompress(
            data, max_output_size=raw, allow_extra_data=False)
    except zstandard.ZstdError as error:
        raise Violation(f"zstd: {error}") from None
    need(len(plain) == raw, "a zstd frame of another length")
    return plain


class Chunks:
    """The chunks of a domain, or (with the domain as `outer`) of the inline segments of one manifest."""
    def __init__(self, keys, segments, outer=None):
        self.keys, self.outer, self.chunks, self.segments = keys, outer, defaultdict(list), defaultdict(list)
        for segment in segments:
            self.segments[segment.name].append(segment)
            for number, frame in enumerate(segment.frames):
                for place, (_, id) in enumerate(frame.chunks):
                    self.chunks[segment.envelope.kind, id].append((segment, number, place))
        self.plain, self.frame = functools.lru_cache(16)(self.plain), functools.lru_cache(64)(self.frame)
        self.closure = functools.lru_cache(100_000)(self.closure)

    def first(self, table, key, what, use):
        """What `use` makes of the first good copy."""
        inner, outer = getattr(self, table).get(key, []), self.outer and getattr(self.outer, table).get(key, [])
        error = Violation(f"{what} is nowhere")
        for copy in inner + (outer or []):
            try:
                return use(copy)
            except (Violation, OSError) as problem:
                error = Violation(f"{what}: {problem}")
        raise error

    def chunk(self, kind, id):
        def cut(copy):
            segment, number, place = copy
            chunks = segment.frames[number].chunks
            start = sum(length for length, _ in chunks[:place])
            return self.frame(segment, number)[start:start + chunks[place][0]]
        return self.first("chunks", (kind, id), f"chunk {id.hex()}", cut)

    def plain(self, segment):
        context = b"".join(struct.pack("<BII", frame.codec, frame.stored, frame.raw) for frame in segment.frames)
        return segment.envelope.open(segment.i, context, segment.read())

    def base(self, piece):
        name, number, first, count = piece
        segment = self.first("segments", name, f"base segment {name[0].hex()}/{name[1]}", lambda copy: copy)
        need(number < len(segment.frames), "a piece names no frame")
        chunks = segment.frames[number].chunks
        need(count and first + count <= len(chunks), "a piece names no chunks")
        ends = [0, *itertools.accumulate(length for length, _ in chunks)]
        return segment, number, ends[first], ends[first + count]

    def closure(self, segment, number):
        """Every frame that must be decoded before this one; a depth always falls, so there is no cycle."""
        frame, needed = segment.frames[number], {}
        bases = [self.base(piece)[:2] for piece in frame.pieces]
        depths = [base.frames[of].depth for base, of in bases]
        need(frame.depth == 1 + max(depths, default=-1), "a depth is not 1 + the greatest of its bases")
        for base, of in bases:
            need(base.envelope.kind == segment.envelope.kind, "a base of another class")
            needed |= {(base.name, of): base.frames[of].raw} | self.closure(base, of)
            need(len(needed) <= 64 and sum(needed.values()) <= 16 * MIB, "a closure above the limits")
        need(frame.closure == (len(needed), sum(needed.values())), "a closure is not what the directory tells")
        return needed

    def frame(self, segment, number):
        frame, start = segment.frames[number], sum(frame.stored for frame in segment.frames[:number])
        data, base = self.plain(segment)[start:start + frame.stored], b""
        if frame.pieces:
            self.closure(segment, number)
            for piece in frame.pieces:
                _, _, begin, end = self.base(piece)
                need(len(base) + end - begin <= 4 * MIB, "a base of more than 4 MiB")
                base += self.first("segments", piece[0], "a base", lambda copy: self.frame(copy, piece[1]))[begin:end]
        data, at = unzstd(data, frame.raw, base) if frame.codec else data, 0
        key = self.keys[0 if segment.envelope.kind == DATA else 1]
        for length, id in frame.chunks:
            found = mac(key, bytes([segment.envelope.kind]) + data[at:at + length])[:24]
            need(found == id, f"the content of chunk {id.hex()} has another id")
            at += length
        return data
