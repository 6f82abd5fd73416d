"""Index objects as objects: merging, a pruner that reads them, and `find`, which must find all the same.

Reading the index is a listing key by key, and a GET of each key; a key that is gone by then is passed over.
The looks of P5 are one step here, because pruner.py has them in full. Chunk B is alive: what is stored of it is
a delta on A.
"""
from typing import NamedTuple

from world import Names, Segment, bits

SEGMENTS = (Segment("A", 0), Segment("B/A", 1, 0))
LIVE = 1                            # the chunk that a committed snapshot names


class Store(NamedTuple):
    packs: tuple                    # names held by each, 0 where there is none
    index: tuple                    # packs that each index object names, 0 where there is none
    condemned: int = 0
    moves: int = 0                  # packs put or deleted so far; no object, but `find` may be disturbed
    lost: int = 0                   # `find` did not find, and nothing had moved


def put(items, place, value):
    return items[:place] + (value,) + items[place + 1:]


class Merger:
    """Reads some index objects, puts one that says the same, deletes those it read. It may stop anywhere."""

    def __init__(self, mutant, places):
        self.mutant = mutant
        self.places = places
        self.start = ("choose", 0)

    def step(self, store, local):
        yield from getattr(self, local[0])(store, *local[1:])
        if local[0] not in ("choose", "end") and local[1] < len(self.places):
            yield "stops, begins again", store, ("choose", local[1])

    def end(self, store, used):
        return ()

    def choose(self, store, used):
        keys = sum(1 << key for key, named in enumerate(store.index) if named)
        if used < len(self.places) and keys:
            yield "LIST index", store, ("read", used, keys, 0, 0)

    def read(self, store, used, left, keys, named):
        """May take a key or leave it, so any set of them is merged."""
        for key in bits(left & -left):
            rest = left & ~(1 << key)
            if store.index[key]:
                taken = keys | 1 << key, named | store.index[key]
                yield f"GET index {key}", store, self.after_read(used, rest, *taken)
            yield f"leaves index {key}", store, self.after_read(used, rest, keys, named)

    def after_read(self, used, left, keys, named):
        if left:
            return ("read", used, left, keys, named)
        if not keys:
            return ("choose", used)
        return ("delete" if self.mutant == "merge-delete-first" else "merged", used, keys, named)

    def merged(self, store, used, keys, named):
        rest = ("choose", used + 1) if self.mutant == "merge-delete-first" else ("delete", used + 1, keys, 0)
        after = store._replace(index=put(store.index, self.places[used], named))
        yield f"PUT index {self.places[used]}", after, rest

    def delete(self, store, used, keys, named):
        key = (keys & -keys).bit_length() - 1
        rest = keys & (keys - 1)
        now = ("delete", used, rest, named)
        if not rest:
            now = ("merged", used, 0, named) if self.mutant == "merge-delete-first" else ("choose", used)
        yield f"DELETE index {key}", store._replace(index=put(store.index, key, 0)), now


class Reader:
    """Whoever reads the index, key by key in any order."""

    def read_index(self, store, left, known, go_on):
        for key in bits(left):
            rest = left & ~(1 << key)
            named = known | store.index[key]
            packs = " ".join(map(str, bits(store.index[key])))
            word = f"names {packs}" if packs else "is gone"
            yield f"index {key} {word}", store, go_on(rest, named)


class IndexPruner(Reader):
    """Condemns one pack a run, reads the index behind that, and shows every live chunk in what it knows.

    Mutant `trust-index`: where the index it read connects no live chunk with the pack, nothing is looked for.
    """

    def __init__(self, mutant, names, runs, places, index_places):
        self.mutant, self.names = mutant, names
        self.places, self.index_places = places, index_places
        self.start = ("choose", runs, 0)

    def step(self, store, local):
        return getattr(self, local[0])(store, *local[1:])

    def choose(self, store, left, used):
        for place, pack in enumerate(store.packs):
            if left and pack:
                after = store._replace(condemned=store.condemned | 1 << place)
                yield f"P2 PUT tombstone of pack {place}", after, ("list", left - 1, used, place)

    def list(self, store, left, used, due):
        keys = (1 << len(store.index)) - 1
        yield "P4 LIST index", store, ("read", left, used, due, keys, 0)

    def read(self, store, left, used, due, keys, known):
        def go_on(rest, named):
            return ("read", left, used, due, rest, named) if rest else ("show", left, used, due, named)
        yield from self.read_index(store, keys, known, go_on)

    def show(self, store, left, used, due, known):
        clean = known & ~store.condemned & ~(1 << due)
        known_names = self.held(store, known)
        if self.names.decodable(self.held(store, clean)) >> LIVE & 1:
            yield "P5 shows B", store, ("delete", left, used, due)
        elif self.mutant == "trust-index" and not known_names & 2:
            yield "P5 knows of no B", store, ("delete", left, used, due)
        if used < len(self.places):
            for place in bits((known | 1 << due) & (store.condemned | 1 << due)):
                for name in bits(store.packs[place]):
                    yield f"P5 GET {SEGMENTS[name].label} of pack {place}", store, \
                        ("copy", left, used, due, known, 1 << name)
        if left:
            yield "P5 stops; the tombstone stays", store, ("choose", left, used)

    @staticmethod
    def held(store, places):
        names = 0
        for place in bits(places):
            names |= store.packs[place]
        return names

    def copy(self, store, left, used, due, known, names):
        place = self.places[used]
        after = store._replace(packs=put(store.packs, place, names), moves=store.moves + 1)
        now = ("tell", left, used, due, known)
        if self.mutant == "copy-no-index":
            now = ("show", left, used + 1, due, known | 1 << place)
        yield f"P5 PUT pack {place}", after, now

    def tell(self, store, left, used, due, known):
        bit = 1 << self.places[used]
        yield f"PUT index {self.index_places[used]}", \
            store._replace(index=put(store.index, self.index_places[used], bit)), \
            ("show", left, used + 1, due, known | bit)

    def delete(self, store, left, used, due):
        after = store._replace(packs=put(store.packs, due, 0), moves=store.moves + 1)
        yield f"P6 DELETE pack {due}", after, ("untomb", left, used, due)

    def untomb(self, store, left, used, due):
        yield f"P7 DELETE tombstone of pack {due}", store._replace(condemned=store.condemned & ~(1 << due)), \
            ("choose", left, used)


class Finder(Reader):
    """Lists index objects, then packs, and reads directories of packs that none of them names.

    What it looks for may have moved meanwhile; then it begins again.
    """

    def __init__(self, mutant, names):
        self.mutant, self.names = mutant, names
        self.start = ("list",)

    def step(self, store, local):
        return getattr(self, local[0])(store, *local[1:])

    def list(self, store):
        yield "find: LIST index", store, ("read", store.moves, (1 << len(store.index)) - 1, 0)

    def read(self, store, moves, keys, known):
        def go_on(rest, named):
            if rest:
                return ("read", moves, rest, named)
            if self.mutant == "find-index-only":
                return ("judge", moves, named)
            return ("packs", moves, (1 << len(store.packs)) - 1, named)
        yield from self.read_index(store, keys, known, go_on)

    def packs(self, store, moves, left, known):
        place = (left & -left).bit_length() - 1
        if store.packs[place]:
            known |= 1 << place
        left &= left - 1
        yield f"find: pack {place}? {'yes' if store.packs[place] else 'no'}", store, \
            ("packs", moves, left, known) if left else ("judge", moves, known)

    def judge(self, store, moves, known):
        found = self.names.decodable(IndexPruner.held(store, known))
        if found >> LIVE & 1:
            yield "find: found", store, ("done",)
        elif store.moves == moves:
            yield "find: not found, though nothing moved", store._replace(lost=1), ("done",)
        else:
            yield "find: not found, begins again", store, ("list",)

    def done(self, store):
        return ()


class IndexMachine:
    def __init__(self, mutant="none", mergers=1, merges=1, pruners=1, runs=2, find=True, copies=1):
        self.judge = Names(SEGMENTS, mutant)
        packs, index = (1, 2), (1, 2)
        self.processes, self.names = [], []
        place, key = len(packs), len(index)
        for number in range(mergers):
            self.add(f"merger {number + 1}", Merger(mutant, range(key, key + merges)))
            key += merges
        for number in range(pruners):
            self.add(f"pruner {number + 1}", IndexPruner(
                mutant, self.judge, runs, range(place, place + copies), range(key, key + copies)))
            place, key = place + copies, key + copies
        if find:
            self.add("finder 1", Finder(mutant, self.judge))
        self.starts = tuple(process.start for process in self.processes)
        self.world = Store(packs + (0,) * (place - len(packs)), index + (0,) * (key - len(index)))

    def add(self, name, process):
        self.names.append(name)
        self.processes.append(process)

    def step(self, process, store, local):
        return self.processes[process].step(store, local)

    def wrong(self, store):
        held = 0
        for pack in store.packs:
            held |= pack
        if not self.judge.decodable(held) >> LIVE & 1:
            return "a live chunk cannot be decoded"
        if store.lost:
            return "a stored chunk was not found"
        return None

    def sights(self, store):
        seen = []
        if not store.packs[0] or not store.packs[1]:
            seen.append("pack deleted")
        if not store.index[0] and not store.index[1]:
            seen.append("merged")
        named = 0
        for mask in store.index:
            named |= mask
        if any(pack and not named >> place & 1 for place, pack in enumerate(store.packs)):
            seen.append("pack without index object")
        return seen
