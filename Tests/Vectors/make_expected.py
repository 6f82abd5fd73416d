#!/usr/bin/env python3
"""Computes what the golden vectors expect, from docs/format.md alone: the signs § name its sections.

    make_expected.py            recomputes every `expected` line and compares; 1 where one differs
    make_expected.py --write    rewrites the files with what was computed

Shares nothing with the program: hashlib, hmac and the `cryptography` package only.
"""
import hashlib, hmac, pathlib, struct, sys

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.poly1305 import Poly1305
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

HERE = pathlib.Path(__file__).parent


# ---- files of vectors (README.md)


class Case:
    """One block of a file: comments, and lines of a name and bytes."""
    def __init__(self):
        self.comments, self.lines = [], []

    def has(self, name):
        return any(n == name for n, _ in self.lines)

    def __getitem__(self, name):
        return next(value for n, value in self.lines if n == name)

    def get(self, name):
        return self[name] if self.has(name) else None

    def all(self, name):
        return [value for n, value in self.lines if n == name]

    def n(self, name):
        return number(self[name])

    def inputs(self):
        return [(n, v) for n, v in self.lines if not n.startswith("expected ")]

    def __str__(self):
        text = "".join(comment + "\n" for comment in self.comments)
        for name, value in self.lines:
            digits = value.hex()
            if len(name) + 2 + len(digits) <= 100:
                text += f"{name}: {digits}".rstrip() + "\n"
            else:
                text += f"{name}:\n" + "".join(f"    {digits[i:i + 96]}\n" for i in range(0, len(digits), 96))
        return text


def read(path):
    cases = [Case()]
    for line in path.read_text().split("\n"):
        if not line:
            cases.append(Case())
        elif line[0] == "#":
            cases[-1].comments.append(line)
        elif line[0] == " ":
            name, value = cases[-1].lines[-1]
            cases[-1].lines[-1] = name, value + bytes.fromhex(line)
        else:
            name, _, digits = line.partition(":")
            cases[-1].lines.append((name, bytes.fromhex(digits)))
    return [case for case in cases if case.comments or case.lines]


# ---- §1 Conventions


def number(value):
    return int.from_bytes(value, "little")


def u(size, value):
    return value.to_bytes(size, "little")


def varint(value):
    return bytes([value]) if value < 0x80 else bytes([value & 0x7F | 0x80]) + varint(value >> 7)


def counted(value):
    return varint(len(value)) + value


def H(data):
    return hashlib.sha256(data).digest()


def mac(key, data):
    return hmac.digest(key, data, "sha256")


extract = mac


def expand(prk, info, size=32):
    return mac(prk, info + b"\1")[:size]


def gcm(key, nonce, associated, plaintext):
    return AESGCM(key).encrypt(nonce, plaintext, associated)


def padme(length):
    exponent = length.bit_length() - 1
    kept = exponent.bit_length()
    unit = 1 << max(0, exponent - kept)
    return (length + unit - 1) // unit * unit


def padded(data):
    data = u(4, len(data)) + data
    return data.ljust(max(256, padme(len(data))), b"\0")


def prologue(kind):
    return b"repo" + kind + b"\1\1\0"


def header(kind, domain, id, detail=0):
    return prologue(kind) + bytes([detail]) + bytes(7) + domain + id


def fields(*rows):
    """Rows of a tag, as `7` or `7!`, and a value or None."""
    text = b""
    for tag, value in rows:
        if value is not None:
            text += u(2, int(tag.rstrip("!")) | (0x8000 if tag.endswith("!") else 0)) + u(4, len(value)) + value
    return text


def narrow(*rows):
    text = b""
    for tag, value in rows:
        if value is not None:
            text += bytes([int(tag.rstrip("!")) | (0x80 if tag.endswith("!") else 0)]) + counted(value)
    return text


# ---- §3 Keys


def raw(public_key):
    return public_key.public_bytes(Encoding.Raw, PublicFormat.Raw)


class Keys:
    def __init__(self, root):
        prk = extract(b"repo root v1", root)
        self.skD, self.skL, self.skP = (expand(prk, name) for name in (b"data key", b"list key", b"record key"))
        self.pkD, self.pkL = (raw(X25519PrivateKey.from_private_bytes(k).public_key()) for k in (self.skD, self.skL))
        self.signer = Ed25519PrivateKey.from_private_bytes(self.skP)
        self.pkP = raw(self.signer.public_key())
        self.ids, self.structure = expand(prk, b"ids"), expand(prk, b"structure")
        self.check = expand(prk, b"root check", 16)                          # § 5

    def domain(self, d):
        pi, ps = extract(b"repo domain v1", self.ids), extract(b"repo domain v1", self.structure)
        return {"K_id": expand(pi, b"chunk ids" + d), "K_cut": expand(pi, b"cut" + d, 16),
                "K_list": expand(ps, b"list ids" + d), "K_index": expand(ps, b"index" + d),
                "K_auth": expand(ps, b"auth" + d)}


def keys(c):
    k = Keys(c["root"])
    return [(name, getattr(k, name)) for name in ("skD", "pkD", "skL", "pkL", "skP", "pkP")] + [
        ("ids root", k.ids), ("structure root", k.structure), ("root check", k.check),
        *k.domain(c["domain"]).items()]


def recovery_key(c):
    data = c["root"] + H(b"repo recovery v1" + c["root"])[:3]
    value = int.from_bytes(data, "big")
    digits = ["0123456789ABCDEFGHJKMNPQRSTVWXYZ"[value >> 5 * i & 31] for i in reversed(range(56))]
    return [("text", "-".join("".join(digits[i:i + 4]) for i in range(0, 56, 4)).encode())]


# ---- §4 Sealing


def box_parts(key, label, name, salt, associated, plaintext):
    prk = extract(salt, key)
    check = mac(expand(prk, b"repo box check v1" + label + name), plaintext)
    box_key = expand(prk, b"repo box key v1" + label + name + check)
    return [("prk", prk), ("check", check), ("key", box_key),
            ("box", salt + check + gcm(box_key, bytes(12), associated, plaintext))]


def box(*arguments):
    return box_parts(*arguments)[-1][1]


class Envelope:
    """Of the inputs root, domain, envelope id, ephemeral key, envelope salt."""
    def __init__(self, c, kind):
        k = Keys(c["root"])
        pk = (k.pkD, k.pkL)[kind]
        secret = X25519PrivateKey.from_private_bytes(c["ephemeral key"])
        self.header = (prologue(b"E") + bytes([kind]) + bytes(7) + c["domain"] + c["envelope id"]
                       + raw(secret.public_key()) + c["envelope salt"])
        self.shared = secret.exchange(X25519PublicKey.from_public_bytes(pk))
        self.prk = extract(c["envelope salt"], self.shared + pk + k.domain(c["domain"])["K_auth"])
        self.key = expand(self.prk, b"enc" + H(self.header))
        self.stored = self.header + expand(self.prk, b"commit" + H(self.header))

    def seal(self, i, context, plaintext):
        return gcm(self.key, bytes(4) + u(8, i), H(self.header) + u(8, i) + context, plaintext)


def envelope(c):
    e = Envelope(c, c.n("class"))
    out = [("header", e.header), ("shared", e.shared), ("prk", e.prk), ("key", e.key), ("commit", e.stored[104:])]
    messages = zip(c.all("number"), c.all("context"), c.all("plaintext"))
    return out + [(f"message {i}", e.seal(number(n), context, p)) for i, (n, context, p) in enumerate(messages)]


# ---- §5 Config, §6 Key slots


def config(c):
    cut_key, out = None, []
    if c.get("other root"):
        shared = bytes(8)
        theirs, ours = (Keys(c[name]).domain(shared) for name in ("other root", "root"))
        cut_key = box(ours["K_id"], b"cut key", c["repository"], c["salt"], b"", theirs["K_cut"])
        out = [("cut key", cut_key)]
    data = prologue(b"C") + fields(("1!", c["repository"]), ("2", c["text cutting"]), ("3", c["other cutting"]),
                                   ("4", c["consistency"]), ("5", c["created"]), ("6", c.get("root check")),
                                   ("7", cut_key))
    return out + [("object", data + H(data))]


BUNDLE = (("1!", "kind"), ("2!", "config"), ("3!", "root"), ("4!", "domain"), ("5!", "pkD"), ("6!", "pkL"), ("7!", "pkP"),
          ("8!", "skL"), ("9!", "skP"), ("10!", "structure root"), ("11!", "K_id"), ("12!", "K_cut"), ("13!", "K_list"),
          ("14!", "K_index"), ("15!", "K_auth"), ("16", "label"))


def key_slot(c):
    bundle = fields(*((tag, c.get(name)) for tag, name in BUNDLE))
    log2n, r, p = c["cost"]
    head = (prologue(b"K") + c["secret kind"] + c["kind"] + c["cost"] + bytes(3) + c["created"] + c["repository"]
            + c["slot id"] + c["salt"])
    ikm = c["secret"]
    if c.n("secret kind") == 1:
        ikm = hashlib.scrypt(ikm, salt=c["salt"], n=1 << log2n, r=r, p=p, maxmem=1 << 30, dklen=32)
    prk = extract(c["salt"], ikm)
    commitment = expand(prk, b"slot commit" + head)
    ciphertext = gcm(expand(prk, b"slot enc" + head), bytes(12), head + commitment, padded(bundle))
    data = head + commitment + u(4, len(ciphertext)) + ciphertext
    return [("bundle", bundle), ("header", head), ("commitment", commitment), ("object", data + H(data))]


# ---- §7 Packs, §8 Index objects


def take(value, *sizes):
    """Little-endian numbers of so many bytes, one after the other."""
    numbers, at = [], 0
    for size in sizes:
        numbers.append(number(value[at:at + size]))
        at += size
    assert at == len(value)
    return numbers


def tree(lines):
    """The lines of segments, frames and chunks (README.md) as [[envelope, number, offset, [frame]]]."""
    segments = []
    for name, value in lines:
        if name == "segment":
            segments.append([*take(value, 4, 8, 4), []])
        elif name == "frame":
            segments[-1][3].append({"codec": value[0], "stored": number(value[1:5]), "pieces": [], "chunks": []})
        elif name == "delta":
            segments[-1][3][-1]["delta"] = take(value, 4, 4, 4)
        elif name == "piece":
            segments[-1][3][-1]["pieces"].append(take(value, 4, 4, 4, 4))
        elif name == "chunk":
            segments[-1][3][-1]["chunks"].append((number(value[:4]), value[4:]))
    return segments


def directory_fields(envelopes, bases, segments):
    table = varint(len(segments))
    for envelope, i, offset, frames in segments:
        table += varint(envelope) + varint(i) + varint(offset) + varint(len(frames))
        for frame in frames:
            table += bytes([frame["codec"]]) + varint(frame["stored"]) + varint(sum(n for n, _ in frame["chunks"]))
            if frame["codec"] == 2:
                table += b"".join(map(varint, frame["delta"])) + varint(len(frame["pieces"]))
                table += b"".join(varint(n) for piece in frame["pieces"] for n in piece)
            table += varint(len(frame["chunks"])) + b"".join(varint(n) + id for n, id in frame["chunks"])
    base_table = varint(len(bases)) + b"".join(b[:16] + varint(number(b[16:])) for b in bases) if bases else None
    return fields(("1!", b"".join(envelopes)), ("2", base_table), ("3!", table))


def pack_directory(c):
    return [("fields", directory_fields(c.all("envelope"), c.all("base segment"), tree(c.inputs())))]


def chunk_id(c):
    return [("id", mac(c["key"], c["class"] + c["plaintext"])[:24])]


def pack(c):
    kind = c.n("class")
    k = Keys(c["root"]).domain(c["domain"])
    e = Envelope(c, kind)
    lines, ids = [], []
    for name, value in c.inputs():
        if name == "chunk content":
            ids.append(mac(k["K_list" if kind else "K_id"], bytes([kind]) + value)[:24])
            lines.append(("chunk", u(4, len(value)) + ids[-1]))
        elif name == "frame content":
            lines.append(("stored", value))
        else:
            lines.append((name, value))
    segments, stored = tree(lines), [value for name, value in lines if name == "stored"]
    body = header(b"P", c["domain"], c["pack id"], kind)
    for segment in segments:
        segment[2], plaintext, context = len(body), b"", b""
        for frame in segment[3]:
            content = stored.pop(0)
            frame["stored"] = len(content)
            plaintext += content
            context += bytes([frame["codec"]]) + u(4, len(content)) + u(4, sum(n for n, _ in frame["chunks"]))
        body += e.seal(segment[1], context, plaintext)
    assert len(c["padding"]) == padme(len(body)) - len(body), padme(len(body)) - len(body)
    body += c["padding"]
    directory = directory_fields([e.stored], c.all("base segment"), segments)
    sealed = box(k["K_index"], b"pack directory", c["pack id"], c["box salt"], body[:40], padded(directory))
    length = len(body) + len(sealed) + 66
    data = body + sealed + u(2, 2) + u(2, 1) + u(8, len(body)) + u(2, 2) + u(8, len(sealed)) + u(8, length) + u(4, 66)
    return [("chunk ids", b"".join(ids)), ("directory", directory), ("object", data + H(data))]


def index_object(c):
    content = fields(*(("1!", value) for value in c.all("pack")))
    head = header(b"I", c["domain"], c["index id"])
    k = Keys(c["root"]).domain(c["domain"])["K_index"]
    return [("fields", content),
            ("object", head + box(k, b"index object", c["index id"], c["box salt"], head, padded(content)))]


# ---- §10 Lists


def list_node(c):
    node = c["level"]
    for name, value in c.inputs():
        if name == "chunk":
            node += varint(number(value[:4]) << 2) + value[4:]
        elif name == "zeros":
            node += varint(number(value) << 2 | 1)
        elif name == "again":
            node += varint(number(value) << 2 | 2)
        elif name == "child":
            node += varint(number(value[:8])) + value[8:]
    return [("node", node)]


# ---- §11 Manifests, §12 Heads

HEAD = (("1!", "manifest hash"), ("2!", "series"), ("3!", "kind"), ("4", "parent"), ("5", "base"), ("6!", "needs"),
        ("7!", "time"), ("8", "started"), ("9", "ended"), ("10!", "complete"), ("11", "evidence"), ("12", "flags"),
        ("13", "bytes read"), ("14", "bytes new"), ("15", "bytes stored"), ("16", "format"), ("17", "host"), ("18", "tag"),
        ("19", ("position file", "position offset", "position GTID")), ("20", "log sequence numbers"), ("21!", "writer"),
        ("22!", "sequence"), ("23!", "names"), ("24", "origin"), ("25", "tool"), ("26", "group"))


def nested(c, names):
    inner = fields(*((str(i), value) for i, name in enumerate(names, 1) for value in c.all(name)))
    return [inner] if any(c.has(name) for name in names) else []


def head_fields(c, in_manifest=False):
    rows = []
    for tag, name in HEAD[1 if in_manifest else 0:]:
        rows += [(tag, value) for value in (c.all(name) if isinstance(name, str) else nested(c, name))]
    return fields(*rows)


def head(c):
    content = head_fields(c)
    start = header(b"H", c["domain"], c["snapshot id"])
    k = Keys(c["root"]).domain(c["domain"])["K_index"]
    return [("fields", content), ("fields in the manifest", head_fields(c, True)),
            ("object", start + box(k, b"head", c["snapshot id"], c["box salt"], start, padded(content)))]


STREAM = (("1!", "stream role"), ("2!", "class"), ("3!", "length"), ("4!", "checksum"), ("5!", "inline list"), ("6!", "root node"),
          ("7", "name"), ("8", "cutting rule"), ("9!", "content"), ("10!", "sums files"))


def manifest(c):
    streams = []
    for name, value in c.inputs():
        if name == "stream role":
            streams.append({})
        if streams and name in (n for _, n in STREAM):
            streams[-1][name] = value
    rows = [("1!", c["head"])]
    rows += [("2", v) for v in nested(c, ("program", "option", "exit status", "standard error"))]
    rows += [("3", v) for v in nested(c, ("tool", "tool version", "server version", "inner format", "database", "note",
                                          "end offset"))]
    rows += [("4!", fields(*((tag, stream.get(name)) for tag, name in STREAM))) for stream in streams]
    if c.has("inline segments"):
        rows.append(("5!", fields(("1!", c["inline directory"]), ("2!", c["inline segments"]))))
    content = fields(*rows)
    start = header(b"M", c["domain"], c["snapshot id"])
    e = Envelope(c, 1)
    stored = c.get("compressed")
    plaintext = padded(bytes([stored is not None]) + u(4, len(content)) + (stored or content))
    return [("content", content), ("object", start + e.stored + e.seal(0, start, plaintext))]


def pairs(ranges):
    """Ascending ranges, each u64 begin and u64 length, as gaps and lengths."""
    text, end = varint(len(ranges)), 0
    for begin, length in (take(r, 8, 8) for r in ranges):
        text += varint(begin - end) + varint(length)
        end = begin + length
    return text


def varints(*values):
    return b"".join(varint(number(value)) for value in values)


def catalog_entry(c):
    def some(make, *names):
        return make(*(c[name] for name in names)) if c.has(names[0]) else None

    entry = narrow(
        ("1!", c["path"]), ("2!", c["kind"]), ("3", some(varints, "mode")), ("4", some(varints, "user", "group")),
        ("5", some(lambda *names: b"".join(map(counted, names)), "user name", "group name")), ("6", c.get("modified")),
        ("7", c.get("changed")), ("8", some(varints, "inode device", "inode")), ("9!", some(varints, "length")),
        ("10!", c.get("target")), ("11!", c.get("hard link")), ("12", some(varints, "major", "minor")),
        *(("13", counted(name) + value) for name, value in zip(c.all("attribute name"), c.all("attribute value"))),
        ("14", c.get("reservation")), ("15", pairs(c.all("hole")) if c.has("hole") else None),
        ("16!", pairs(c.all("range")) if c.has("range") else None), ("17", c.get("checksum")))
    return [("entry", counted(entry))]


def table_entry(c):
    return [("entry", counted(narrow(("1", c["database"]), ("2", c["name"]), ("3", pairs(c.all("range"))))))]


def stream_checksum(c):
    return [("code", Poly1305.generate_tag(c["key"], c["stream"]))]


# ---- §13 Tombstones and records


def tombstone(c):
    data = prologue(b"T") + c["target"] + c["reason"] + bytes(6) + c["domain"] + c["target id"] + c["time"]
    return [("object", data + Keys(c["root"]).signer.sign(b"repo tombstone v1" + data))]


FORGOTTEN = (("1!", "snapshot"), ("2!", "writer"), ("3!", "sequence"), ("4", "series"), ("5", "time"), ("6", "recorded"),
             ("7", "reason"))
KEY = (("1!", "slot"), ("2!", "slot kind"), ("3", "slot domain"), ("4", "label"), ("5", "created"))


RULES = (("1!", "last"), ("2!", "hourly"), ("3!", "daily"), ("4!", "weekly"), ("5!", "monthly"), ("6!", "yearly"),
         ("7!", "within"), ("8!", "tag"), ("9!", "max age"), ("10!", "timezone"), ("11!", "week start"), ("12!", "by host"),
         ("13", "expect every"))
HOLD = (("1!", "name"), ("2!", "recorded"), ("3!", "ends"), ("4!", "pattern"), ("5!", "until"), ("6!", "age"), ("7", "reason"),
        ("8", "source"))
ACKNOWLEDGEMENT = (("1!", "series"), ("2!", "of domain"), ("3!", "recorded"), ("4!", "snapshot"))


def named(c, table):
    return fields(*((tag, value) for tag, name in table for value in c.all(name)))


def record(c):
    kind = c.n("kind")
    if kind == 2:
        rules = [("4!", named(c, RULES))] if c.has("rules") else []
        content = fields(("1!", c["pattern"]), ("2!", c["version"]), ("3!", c["recorded"]), *rules)
    else:
        content = named(c, {1: FORGOTTEN, 3: HOLD, 4: ACKNOWLEDGEMENT, 6: KEY}[kind])
    start = header(b"R", c["domain"], c["record id"], c.n("kind"))
    k = Keys(c["root"])
    data = start + box(k.domain(c["domain"])["K_index"], b"record", c["record id"], c["box salt"], start, padded(content))
    return [("fields", content), ("object", data + k.signer.sign(b"repo record v1" + data))]


# ---- §14 Cutting


class Cutting:
    def __init__(self, key, stream):
        self.key, self.s, self.before = key, stream, bytes(64) + stream

    def value(self, p):
        cipher = Cipher(algorithms.AES(self.key), modes.CBC(bytes(16))).encryptor()
        return number((cipher.update(self.before[p:p + 64]) + cipher.finalize())[48:52])

    def general(self, p):
        x, y = number(self.before[p + 60:p + 62]), number(self.before[p + 62:p + 64])
        return (x * 0x9E37 ^ y * 0x79B5) % 0x10000 >> 8 == 0x5A

    def pieces(self, by_rows, least, average, most, zero_run=16384):
        """Positions where pieces end, and whether each piece is zeros."""
        found, at = [], 0
        while at < len(self.s):
            end = at
            while end < len(self.s):
                stop = end
                while stop < len(self.s) and self.s[stop] == 0:
                    stop += 1
                if stop - end >= zero_run:
                    break
                end = max(stop, end + 1)
            if end > at:
                self.chunks(found, at, min(end, len(self.s)), by_rows, least, average, most)
            if end < len(self.s):
                found.append((stop, True))
            at = stop if end < len(self.s) else len(self.s)
        return found

    def chunks(self, found, begin, end, by_rows, least, average, most):
        if by_rows:
            # A line begins at the beginning of the stream and behind every newline.
            starts = [0] + [p for p in range(1, end + 1) if self.s[p - 1] == 10]
            line = 0
            candidates = []
            for p in range(begin + 1, end + 1):
                while line + 1 < len(starts) and starts[line + 1] < p:
                    line += 1
                if self.s[p - 1] == 10 or (self.s[p - 2:p + 1] == b"),(" and p - starts[line] >= 4096):
                    candidates.append(p)
        else:
            candidates = [p for p in range(begin + 1, end + 1) if self.general(p)]
        accepted, last = [], begin
        for p in candidates:
            if p - last >= 128:
                accepted.append((p, self.value(p), min(p - last, 4096)))
                last = p
        s = begin
        while s < end:
            cut, best = None, None
            for p, value, w in accepted:
                if p <= s or p - s < least or p - s > most:
                    continue
                limit = w << 32 if p - s < average else 4 * w << 32
                if value * (2 * average if p - s < average else average) < limit:
                    cut = p
                    break
                if best is None or value < best[0]:
                    best = value, p
            if cut is None:
                if end - s < most:
                    cut = end
                elif best:
                    cut = best[1]
                else:
                    cut = s + most
                    if by_rows:
                        kept, last = [], s + least
                        for p in range(s + least + 1, s + most + 1):
                            if self.general(p) and p - last >= 128:
                                kept.append((self.value(p), p))
                                last = p
                        cut = min(kept)[1] if kept else cut
            found.append((cut, False))
            s = cut


def cuts(c):
    stream = b""
    for name, value in c.inputs():
        if name == "bytes":
            stream += value
        elif name == "repeated":
            stream += value[4:] * number(value[:4])
        elif name == "hashed":
            count, seed = number(value[:4]), value[4:]
            stream += b"".join(H(seed + u(4, i)) for i in range(-(-count // 32)))[:count]
    found = Cutting(c["K_cut"], stream).pieces(c.n("rule") == 1, *take(c["sizes"], 4, 4, 4))
    return [("stream hash", H(stream)), ("ends", b"".join(u(4, p) for p, _ in found)),
            ("zeros", bytes(zero for _, zero in found))]


def cut_values(c):
    cutting = Cutting(c["key"], c["bytes"])
    return [("values", b"".join(u(4, cutting.value(number(p))) for p in c.all("position")))]


FILES = {
    "keys": keys, "recovery-key": recovery_key, "padded": lambda c: [("padded", padded(c["content"]))],
    "box": lambda c: box_parts(c["key"], c["label"], c["name"], c["salt"], c["associated"], c["plaintext"]),
    "envelope": envelope, "config": config, "key-slot": key_slot, "pack-directory": pack_directory, "chunk-id": chunk_id,
    "pack": pack, "index-object": index_object, "list-node": list_node, "head": head, "manifest": manifest,
    "catalog-entry": catalog_entry, "table-entry": table_entry, "stream-checksum": stream_checksum,
    "tombstone": tombstone, "record": record, "cut-values": cut_values, "cuts": cuts,
}


def main():
    writing = sys.argv[1:] == ["--write"]
    if not writing and sys.argv[1:]:
        sys.exit(__doc__)
    checked = wrong = 0
    paths = sorted(HERE.glob("*.txt"))
    if {path.stem for path in paths} != set(FILES):
        sys.exit(f"files without a rule or rules without a file: {set(FILES) ^ {path.stem for path in paths}}")
    for path in paths:
        cases = read(path)
        for case in cases:
            if not case.lines:
                continue
            made = case.inputs() + [("expected " + name, value) for name, value in FILES[path.stem](case)]
            checked += 1
            if case.lines != made and not writing:
                wrong += 1
                known = {name: value for name, value in case.lines if name.startswith("expected ")}
                names = [name for name, value in made if known.get(name, value) != value] or ["the names or their order"]
                print(f"{path.name}: {case.comments[-1:]}: {', '.join(names)}", file=sys.stderr)
            case.lines = made
        if writing:
            path.write_text("\n".join(map(str, cases)))
    print(f"{checked} cases in {len(paths)} files, {wrong} wrong")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
