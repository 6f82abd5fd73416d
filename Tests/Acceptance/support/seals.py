"""seals.py RECOVERY-KEY-FILE REPOSITORY...: with the decoder, all sealed messages of these repositories, which may be other
states of one. AES-GCM is broken where a key seals two messages under one number. Prints `name value` a line: how many
envelopes, messages and boxes there are, and how many keys, numbers and salts were used a second time for something else."""
import os
import sys
from pathlib import Path

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "../../Decoder"))
import decoder

envelopes, messages, salts = {}, {}, {}
twice = dict.fromkeys(("messages", "names", "keys", "salts", "box_salts"), 0)


def note(table, key, value, what):
    if table.setdefault(key, value) != value:
        twice[what] += 1


def envelope(head, i, sealed):
    # A segment that was moved keeps its envelope, its number and its bytes.
    note(messages, (head, i), sealed, "messages")
    for begin, end, what in (24, 40, "names"), (40, 72, "keys"), (72, 104, "salts"):
        note(envelopes, (what, head[begin:end]), head, what)


secret = Path(sys.argv[1]).read_bytes()
for root in sys.argv[2:]:
    repository = decoder.Repository(Path(root))
    repository.keys, _ = decoder.open_keys(repository, "--recovery-key-file", secret)
    for name, domain, id in repository.objects("packs/D/../N"):
        segments, _ = repository.pack(name, domain, id)
        for segment in segments:
            envelope(segment.envelope, segment.i, segment.read())
    for name, domain, id in repository.objects("snapshots/D/N"):
        data = repository.read(name)
        envelope(data[40:176], 0, data[176:])
    for pattern in "commits/D/N", "index/D/N":
        for name, _, _ in repository.objects(pattern):
            data = repository.read(name)
            note(salts, data[40:72], data[72:], "box_salts")
print("envelopes", sum(what == "names" for what, _ in envelopes))
print("messages", len(messages))
print("boxes", len(salts))
for what, count in twice.items():
    print("twice_" + what, count)
