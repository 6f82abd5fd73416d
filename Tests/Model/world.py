"""What a repository holds in the model: packs, snapshots, tombstones, holds, records; and what must be so.

Sets are bit masks throughout: of chunks, of segment names, of packs, of snapshots. A pack is the mask of the
names it holds, 0 where there is none (not yet, or no more). Packs have their place by who writes them, and which
of his packs it is.
"""
from functools import lru_cache
from typing import NamedTuple, Optional


class Segment(NamedTuple):
    """A sealed segment: copies of it keep its name, so its number here is its name."""
    label: str
    chunk: int
    base: Optional[int] = None      # the name of the segment that it stands on
    envelope: Optional[int] = None  # names are (envelope, number); only mutants ask. None: one of its own


class Snapshot(NamedTuple):
    chunks: int = 0                 # the chunks that its manifest names
    parent: Optional[int] = None    # the snapshot that it needs


LAG_SHIFT = 16
LAG_MASK = (1 << LAG_SHIFT) - 1


def hidden(lagging):
    """Members that whoever reads next does not see as they are."""
    return lagging & ~(lagging >> LAG_SHIFT) & LAG_MASK if lagging else 0


def caught_up(lagging, bit):
    return lagging & ~(bit | bit << LAG_SHIFT)


class World(NamedTuple):
    packs: tuple = ()               # packs/: names held by each
    condemned: int = 0              # tombstones/ of packs
    manifests: int = 0              # snapshots/
    commits: int = 0                # commits/
    snapshot_tombs: int = 0         # tombstones/ of snapshots
    records: int = 0                # records/ `forgotten`
    holds: int = 0                  # records/ `holds`: snapshots that one covers
    # Where what is read lags: what was put and not all see yet, what was deleted and some still see. The same
    # bits, LAG_SHIFT higher: whoever reads next does see it as it is.
    fresh_condemned: int = 0
    fresh_manifests: int = 0
    fresh_commits: int = 0
    fresh_snapshot_tombs: int = 0
    fresh_holds: int = 0
    ghost_packs: int = 0
    ghost_manifests: int = 0
    # no object of the store: what was said to users, what retention wanted
    acknowledged: int = 0
    held: int = 0                   # reported as held
    given_up: int = 0               # by retention itself
    confirmed: int = 0              # had a commit at some time

    # what a process reads
    @property
    def shown_condemned(self):
        return self.condemned & ~hidden(self.fresh_condemned)

    @property
    def shown_manifests(self):
        return self.manifests & ~hidden(self.fresh_manifests) | hidden(self.ghost_manifests)

    @property
    def shown_commits(self):
        return self.commits & ~hidden(self.fresh_commits)

    @property
    def shown_snapshot_tombs(self):
        return self.snapshot_tombs & ~hidden(self.fresh_snapshot_tombs)

    @property
    def shown_holds(self):
        return self.holds & ~hidden(self.fresh_holds)

    def shows_pack(self, place):
        return bool(self.packs[place]) or bool(hidden(self.ghost_packs) >> place & 1)

    def with_put(self, field, bit, lag):
        """After a PUT into one of the sets."""
        before = getattr(self, field)
        after = self._replace(**{field: before | bit})
        if lag and not before & bit:
            fresh = "fresh_" + field
            after = after._replace(**{fresh: getattr(after, fresh) | bit})
        return after

    def without_manifest(self, bit, lag):
        """After the DELETE of a manifest."""
        after = self._replace(manifests=self.manifests & ~bit,
                              fresh_manifests=caught_up(self.fresh_manifests, bit))
        if lag and self.manifests & bit:
            after = after._replace(ghost_manifests=after.ghost_manifests | bit)
        return after


def bits(mask):
    """The members of a mask, least first."""
    while mask:
        low = mask & -mask
        yield low.bit_length() - 1
        mask ^= low


def next_keys(mask, any_order):
    """Which keys a listing may come to next. Names are random: `any_order` is exact, else least first."""
    return bits(mask) if any_order else bits(mask & -mask)


class Names:
    """Segments of a scenario, and what a closure asks for, as a protocol or a mutant understands it."""

    def __init__(self, segments, mutant, by_envelope=False):
        self.segments = segments
        self.mutant = mutant
        self.by_envelope = by_envelope
        self.of_chunk = {}
        for name, segment in enumerate(segments):
            self.of_chunk.setdefault(segment.chunk, []).append(name)
        self.closures = [self.closure(name) for name in range(len(segments))]
        self.decodable = lru_cache(None)(self.decodable_chunks)
        self.live_names = lru_cache(None)(self.names_of_chunks)

    def acceptable(self, name):
        """Which names will do where this one is wanted as a base: itself."""
        if self.mutant == "chunk-bases":
            return sum(1 << other for other in self.of_chunk[self.segments[name].chunk])
        envelope = self.segments[name].envelope
        if self.by_envelope and envelope is not None:
            return sum(1 << other for other, s in enumerate(self.segments) if s.envelope == envelope)
        return 1 << name

    def closure(self, name):
        """The segment and all it stands on: masks of acceptable names, the segment itself first."""
        wanted = [1 << name]
        base = self.segments[name].base
        while base is not None and self.acceptable(base) not in wanted:
            wanted.append(self.acceptable(base))
            base = self.segments[base].base
        return tuple(wanted)

    def names_of_chunks(self, chunks):
        """All names in closures of segments of these chunks."""
        names = 0
        for chunk in bits(chunks):
            for name in self.of_chunk.get(chunk, ()):
                for wanted in self.closures[name]:
                    names |= wanted
        return names

    def decodable_chunks(self, held):
        """The chunks that can be decoded from these names: the least fixed point."""
        decoded, before = 0, -1
        while decoded != before:
            before = decoded
            for name, segment in enumerate(self.segments):
                if not held >> name & 1:
                    continue
                if segment.base is None or decoded & self.stands_on(segment.base):
                    decoded |= 1 << name
        chunks = 0
        for name in bits(decoded):
            chunks |= 1 << self.segments[name].chunk
        return chunks

    def stands_on(self, base):
        """Names that decode what stands on this base. Only if bases were named by chunk would others do."""
        return self.acceptable(base) if self.mutant == "chunk-bases" else 1 << base


class Judge:
    """The invariants."""

    def __init__(self, names, snapshots):
        self.names = names
        self.snapshots = snapshots

    def wrong(self, world):
        held_names = 0
        for pack in world.packs:
            held_names |= pack
        decodable = self.names.decodable(held_names)
        visible = world.manifests & world.commits
        for number, snapshot in enumerate(self.snapshots):
            bit = 1 << number
            if world.acknowledged & bit & ~world.given_up & ~visible:
                return f"snapshot {number} was acknowledged and is gone"
            if world.held & bit & ~visible:
                return f"snapshot {number} was reported as held and is gone"
            if world.confirmed & bit & ~world.commits & ~world.records:
                return f"the commit of snapshot {number} is gone and no record says so"
            if not visible & bit:
                continue
            if snapshot.chunks & ~decodable:
                return f"snapshot {number} is committed and visible; a chunk cannot be decoded"
            if snapshot.parent is not None and not visible >> snapshot.parent & 1:
                return f"snapshot {number} is committed and visible; its parent is gone"
        return None


def sights(world, first):
    """What has come about, compared with the first world: to see that scenarios are not idle."""
    seen = []
    if any(before and not now for before, now in zip(first.packs, world.packs)):
        seen.append("pack deleted")
        if world.acknowledged & ~first.acknowledged:
            seen.append("acknowledged after a pack was deleted")
    if first.manifests & ~world.manifests:
        seen.append("snapshot removed")
    if world.acknowledged & ~first.acknowledged:
        seen.append("acknowledged")
    if world.held & world.manifests:
        seen.append("held")
        if world.held & world.given_up:
            seen.append("held, and given up by retention")
    if world.confirmed & ~first.confirmed & ~world.manifests & world.records:
        seen.append("committed and taken for abandoned")
    if world.commits & ~world.manifests:
        seen.append("commit without manifest")
    return seen
