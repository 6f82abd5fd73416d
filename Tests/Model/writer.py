"""The writer: W1 to W7. A step is one request; what is decided in between is part of the next."""
from itertools import product

from world import bits, next_keys

NO_LOOKS = ("no-tomb", "grace-only")


class Writer:
    """Makes one snapshot.

    snapshot   which one
    makes      names of segments that it may make; at most one pack of them
    places     its places for packs: the first for that one, the others for copies (W5)
    """

    def __init__(self, scenario, names, snapshot, makes, places):
        self.names = names
        self.mutant = names.mutant
        self.lag = scenario.lag
        self.any_order = scenario.any_order
        self.stale_packs = scenario.packs if scenario.stale else ()
        self.snapshot = 1 << snapshot
        self.chunks = scenario.snapshots[snapshot].chunks
        self.parent = scenario.snapshots[snapshot].parent
        self.makes = makes
        self.places = places
        self.start = ("load",)
        cut = self.mutant == "no-closure-check"
        self.closures = [closure[:1] if cut else closure for closure in names.closures]

    def step(self, world, local):
        return getattr(self, local[0].replace("-", "_"))(world, *local[1:])

    # W1: what is known, what is made, on what it relies

    def load(self, world):
        for relied, made, words in self.plans(world):
            label = "W1 " + (", ".join(words) or "begins")
            if made:
                yield label, world, ("put", relied, made)
            else:
                yield label, world, self.before_publishing(relied)

    def plans(self, world):
        """Every way to have all chunks: what is relied on as (acceptable names, pack), what is made."""
        if self.parent is not None and not (world.shown_manifests & world.shown_commits) >> self.parent & 1:
            return
        ways = [self.ways(world, chunk) for chunk in bits(self.chunks)]
        for choice in product(*ways):
            relied, made, words = set(), 0, []
            for more_relied, more_made, word in choice:
                relied.update(more_relied)
                made |= more_made
                words.append(word)
            yield tuple(sorted(relied)), made, words

    def ways(self, world, chunk):
        ways = []
        clean = -1 if self.stale_packs else ~world.condemned
        for name in self.names.of_chunk[chunk]:
            label = self.names.segments[name].label
            if name in self.makes:
                # the bytes of a base may come from the cache, so a pack that is condemned will do
                for holders in self.holders(world, self.closures[name][1:], -1):
                    ways.append((((1 << name, self.places[0]),) + holders, 1 << name, f"makes {label}"))
            else:
                for holders in self.holders(world, self.closures[name], clean):
                    ways.append((holders, 0, f"knows {label}"))
        return ways

    def holders(self, world, closure, allowed):
        """Every way to find the whole closure in packs that are known."""
        known = list(world.packs)
        for place, first in enumerate(self.stale_packs):
            known[place] |= first
        found = []
        for wanted in closure:
            found.append([(wanted, place) for place, pack in enumerate(known)
                          if pack & wanted and allowed >> place & 1])
        return [tuple(choice) for choice in product(*found)]

    # W2, W3

    def put(self, world, relied, made):
        place = self.places[0]
        packs = world.packs[:place] + (made,) + world.packs[place + 1:]
        yield f"W2 PUT pack {place}", world._replace(packs=packs), self.before_publishing(relied)

    def before_publishing(self, relied):
        if self.mutant == "look-before":
            return self.looking(relied, published=False)
        return ("publish", relied)

    def publish(self, world, relied):
        after = world.with_put("manifests", self.snapshot, self.lag)
        if self.mutant in NO_LOOKS or self.mutant == "look-before":
            yield "W3 PUT manifest", after, self.after_packs(True)
        elif self.lag and self.mutant != "no-settle-writer":
            yield "W3 PUT manifest", after, ("settle", relied)
        else:
            yield "W3 PUT manifest", after, self.looking(relied)

    def settle(self, world, relied):
        if not world.fresh_manifests & self.snapshot:
            yield "has waited W", world, self.looking(relied)

    # W4: tombstones, then the packs

    def looking(self, relied, published=True):
        places = 0
        for _, place in relied:
            if self.mutant != "own-packs-not-looked-at" or place not in self.places:
                places |= 1 << place
        first = "exist" if self.mutant == "exist-then-tomb" else "tombs"
        return (first, relied, places, places, 0, published) if places else self.after_packs(published)

    def tombs(self, world, relied, places, left, bad, published):
        for place in next_keys(left, self.any_order):
            condemned = world.shown_condemned
            if self.mutant == "exist-then-tomb":
                now = self.second_look(relied, places, left, bad, published, place, condemned >> place & 1)
            else:
                marked = bad | (condemned & 1 << place)
                rest = left & ~(1 << place)
                if rest:
                    now = ("tombs", relied, places, rest, marked, published)
                else:
                    now = self.existence(relied, places, places & ~marked, marked, published)
            yield f"W4 tombstone of pack {place}?{self.told(condemned, place)}", world, now

    def existence(self, relied, places, left, bad, published):
        if left:
            return ("exist", relied, places, left, bad, published)
        return self.mending(relied, bad, published)

    def exist(self, world, relied, places, left, bad, published):
        for place in next_keys(left, self.any_order):
            missing = not world.shows_pack(place)
            if self.mutant == "exist-then-tomb":
                rest, marked = left & ~(1 << place), bad | missing << place
                now = ("exist", relied, places, rest, marked, published) if rest else \
                    ("tombs", relied, places, places, marked, published)
            else:
                now = self.second_look(relied, places, left, bad, published, place, missing)
            yield f"W4 pack {place} there? {'no' if missing else 'yes'}", world, now

    def second_look(self, relied, places, left, bad, published, place, is_bad):
        marked = bad | is_bad << place
        rest = left & ~(1 << place)
        if not rest:
            return self.mending(relied, marked, published)
        kind = "tombs" if self.mutant == "exist-then-tomb" else "exist"
        return (kind, relied, places, rest, marked, published)

    @staticmethod
    def told(mask, place):
        return " yes" if mask >> place & 1 else " no"

    # W5: what was found condemned or missing, name by name

    def mending(self, relied, bad, published, used=1):
        lacking = tuple(sorted({wanted for wanted, place in relied if bad >> place & 1}))
        return ("mend", lacking, used, published) if lacking else self.after_packs(published)

    def mend(self, world, lacking, used, published):
        wanted = lacking[0]
        for place, pack in enumerate(world.packs):
            if not pack & wanted:
                continue
            if not world.shown_condemned >> place & 1:
                yield (f"W5 tombstone of pack {place} instead? no", world,
                       ("mend-exist", lacking, used, published, place))
            if used < len(self.places):
                yield f"W5 GET a segment of pack {place}", world, \
                    ("copy", lacking, used, published, pack & wanted)
        # nowhere: FAIL; any add may give up here
        if published:
            yield self.gives_up(world)

    def gives_up(self, world):
        """It never counted, and nobody relies on it: who made it may take it away without a tombstone."""
        return "FAIL: DELETE own manifest", world.without_manifest(self.snapshot, self.lag), ("done",)

    def mend_exist(self, world, lacking, used, published, place):
        if world.shows_pack(place):
            yield f"W5 pack {place} there? yes", world, self.mended(lacking, used, published)
        # no: as if it had not been chosen, which is a place that was reached before

    def mended(self, lacking, used, published):
        return ("mend", lacking[1:], used, published) if lacking[1:] else self.after_packs(published)

    def copy(self, world, lacking, used, published, names):
        place = self.places[used]
        packs = world.packs[:place] + (names & -names,) + world.packs[place + 1:]
        yield f"W5 PUT the copy as pack {place}", world._replace(packs=packs), \
            ("mend-tomb", lacking, used + 1, published, place)

    def mend_tomb(self, world, lacking, used, published, place):
        if world.shown_condemned >> place & 1:
            yield f"W5 tombstone of pack {place}? yes", world, ("mend", lacking, used, published)
        else:
            yield f"W5 tombstone of pack {place}? no", world, ("mend-exist", lacking, used, published, place)

    # the parent

    def after_packs(self, published):
        if not published:
            return ("publish", ())
        if self.parent is None or self.mutant in ("chain-no-look", "no-tomb", "grace-only"):
            return ("commit",)
        return ("parent-exist",) if self.mutant == "chain-exist-first" else ("parent-tomb",)

    def parent_tomb(self, world):
        if not world.shown_snapshot_tombs >> self.parent & 1:
            last = self.mutant == "chain-exist-first"
            yield "the parent's tombstone? no", world, ("commit",) if last else ("parent-exist",)
        else:
            yield self.gives_up(world)

    def parent_exist(self, world):
        if world.shown_manifests >> self.parent & 1:
            last = self.mutant != "chain-exist-first"
            yield "the parent there? yes", world, ("commit",) if last else ("parent-tomb",)

    # W6, W7

    def commit(self, world):
        after = world.with_put("commits", self.snapshot, self.lag)
        after = after._replace(confirmed=world.confirmed | self.snapshot)
        if self.mutant in NO_LOOKS or self.mutant == "no-final-look":
            yield "W6 PUT commit, acknowledged", self.acknowledged(after), ("done",)
        elif self.mutant == "final-exist-first":
            yield "W6 PUT commit", after, ("own-exist",)
        elif self.lag and self.mutant != "no-settle-commit":
            yield "W6 PUT commit", after, ("settle-commit",)
        else:
            yield "W6 PUT commit", after, ("own-tomb",)

    def settle_commit(self, world):
        if not world.fresh_commits & self.snapshot:
            yield "has waited W", world, ("own-tomb",)

    def own_tomb(self, world):
        if world.shown_snapshot_tombs & self.snapshot:
            return
        if self.mutant == "final-exist-first":
            yield "W7 own tombstone? no; acknowledged", self.acknowledged(world), ("done",)
        else:
            yield "W7 own tombstone? no", world, ("own-exist",)

    def own_exist(self, world):
        if not world.shown_manifests & self.snapshot:
            return
        if self.mutant == "final-exist-first":
            yield "W7 own manifest there? yes", world, ("own-tomb",)
        else:
            yield "W7 own manifest there? yes; acknowledged", self.acknowledged(world), ("done",)

    def acknowledged(self, world):
        return world._replace(acknowledged=world.acknowledged | self.snapshot)

    def done(self, world):
        return ()
