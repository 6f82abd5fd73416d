"""The pruner of packs: P0 to P7. A step is one request; what is decided in between is part of the next."""
from itertools import combinations, product
from typing import NamedTuple

from world import bits, caught_up, next_keys


class Run(NamedTuple):
    """What a pruner carries through its runs."""
    left: int            # further runs
    copies: int          # places used for copies
    trusted: int         # names it does not look for again: none, but in mutants
    early: int           # mutants: chunks found alive at P0


ROOTS_FIRST = ("list-before-tomb", "reread-none")


class Pruner:
    """
    runs       how often it may run; a run may end at any step
    most       how many packs it may condemn in a run
    places     its places for packs it makes (P1b, P5)
    """

    def __init__(self, scenario, names, runs, most, places):
        self.names = names
        self.mutant = names.mutant
        self.lag = scenario.lag
        self.any_order = scenario.any_order
        self.first_packs = scenario.packs
        self.foreign = scenario.foreign
        self.copies_first = scenario.copies_first
        self.most = most
        self.places = places
        self.snapshots = scenario.snapshots
        self.steady = scenario.steady
        self.passing = ((1 << len(scenario.snapshots)) - 1) & ~self.steady
        self.start = ("choose", Run(runs - 1, 0, 0, 0))
        cut = self.mutant == "p5-no-closure"
        self.closures = [closure[:1] if cut else closure for closure in names.closures]

    def step(self, world, local):
        yield from getattr(self, local[0].replace("-", "_"))(world, *local[1:])
        if local[0] not in ("choose", "end") and local[1].left:
            yield "stops, begins again", world, self.next_run(local[1])

    def next_run(self, run):
        if not run.left:
            return ("end",)
        return ("choose", run._replace(left=run.left - 1, trusted=0, early=0))

    def end(self, world):
        return ()

    # P0: any packs; P1b; P2

    def choose(self, world, run):
        there = [place for place, pack in enumerate(world.packs) if pack]
        if self.mutant in ROOTS_FIRST:
            yield "P0 begins", world, self.reading(run, 0)
            return
        yield from self.chosen(world, run, there)
        if self.mutant == "untomb-foreign":
            for place in bits(world.condemned):
                if world.packs[place]:
                    yield f"clears the tombstone of pack {place}", \
                        world._replace(condemned=world.condemned & ~(1 << place)), self.next_run(run)

    def chosen(self, world, run, there):
        for count in range(0 if self.foreign else 1, self.most + 1):
            for places in combinations(there, count):
                own = sum(1 << place for place in places)
                words = " ".join(map(str, places)) or "no packs"
                if self.copies_first and run.copies < len(self.places):
                    for place in places:
                        for names in self.parts(world.packs[place], self.all_live()):
                            yield f"P0 chooses {words}; P1b GET {self.words(names)} of pack {place}", world, \
                                ("copy-first", run, own, names)
                yield f"P0 chooses {words}", world, self.condemning(run, own, own)

    def all_live(self):
        chunks = 0
        for snapshot in self.snapshots:
            chunks |= snapshot.chunks
        return chunks

    def parts(self, pack, chunks):
        """What may be copied of a pack: all of it that is of use, or any one segment."""
        useful = pack & self.names.live_names(chunks)
        singles = {1 << name for name in bits(useful)}
        return sorted(singles | {useful}) if useful else []

    def words(self, names):
        return "+".join(self.names.segments[name].label for name in bits(names))

    def copy_first(self, world, run, own, names):
        run, packs, place = self.make_pack(world, run, names)
        if self.mutant == "p1b-trust":
            run = run._replace(trusted=run.trusted | names)
        yield f"P1b PUT pack {place}", world._replace(packs=packs), self.condemning(run, own, own)

    def make_pack(self, world, run, names):
        place = self.places[run.copies]
        packs = world.packs[:place] + (names,) + world.packs[place + 1:]
        return run._replace(copies=run.copies + 1), packs, place

    def condemning(self, run, own, left):
        if left and self.mutant != "no-tomb":
            return ("condemn", run, own, left)
        if self.mutant in ROOTS_FIRST:
            return ("show", run, own, run.early)
        return ("adopt", run, own) if self.foreign else self.settling(run, own, own)

    def condemn(self, world, run, own, left):
        bit = left & -left
        after = world.with_put("condemned", bit, self.lag)
        label = f"P2 PUT tombstone of pack {bit.bit_length() - 1}"
        yield label, after, self.condemning(run, own, left & ~bit)

    def adopt(self, world, run, own):
        """What others condemned before the roots are read may be deleted by this run as well."""
        others = list(bits(world.shown_condemned & ~own))
        for count in range(len(others) + 1):
            for places in combinations(others, count):
                due = own | sum(1 << place for place in places)
                yield "P2 LIST tombstones, due: " + " ".join(map(str, bits(due))), world, \
                    self.settling(run, due, own if self.mutant == "no-settle-adopted" else due)

    def settling(self, run, due, waited):
        if self.lag and waited and self.mutant not in ("no-settle-pruner", "no-tomb"):
            return ("settle", run, due, waited)
        return self.reading(run, due)

    def settle(self, world, run, due, waited):
        if not world.fresh_condemned & waited:
            yield "has waited W", world, self.reading(run, due)

    # P4: the roots, key by key

    def reading(self, run, due):
        live = 0
        for snapshot in bits(self.steady):
            live |= self.snapshots[snapshot].chunks
        return ("roots", run, due, self.passing, live) if self.passing else ("show", run, due, live)

    def roots(self, world, run, due, left, live):
        listed = world.shown_manifests
        if self.mutant == "pending-no-root":
            listed &= world.shown_commits
        for number in next_keys(left, self.any_order):
            there = listed >> number & 1
            found = live | (self.snapshots[number].chunks if there else 0)
            label = f"P4 LIST manifests: snapshot {number}? {'yes' if there else 'no'}"
            rest = left & ~(1 << number)
            if rest:
                yield label, world, ("roots", run, due, rest, found)
            elif self.mutant in ROOTS_FIRST:
                packs = [place for place, pack in enumerate(world.packs) if pack]
                for words, _, local in self.chosen(world, run._replace(early=found), packs):
                    yield f"{label}; {words}", world, local
            else:
                yield label, world, ("show", run, due, found)

    # P5: a place for every live chunk, or a copy; then the look at these places

    def show(self, world, run, due, live):
        for due_now in self.due_sets(world, due):
            for shown in self.covers(world, run, due_now, live):
                words = " ".join(map(str, bits(shown))) or "none needed"
                yield f"P5 live chunks would be in packs: {words}", world, self.looking(run, due_now, shown)
        if run.copies < len(self.places):
            for place in bits(world.condemned | due):
                for names in self.parts(world.packs[place], live):
                    label = f"P5 GET {self.words(names)} of pack {place}"
                    yield label, world, ("copy", run, due, live, names)

    def due_sets(self, world, due):
        yield due
        if self.mutant == "due-foreign-fresh" and world.condemned & ~due:
            yield due | world.condemned

    def covers(self, world, run, due, live):
        """The least sets of packs in which every live chunk has a segment with its whole closure."""
        any_will_do = self.lag or self.mutant in ("blind-pruners", "no-tomb", "p5-exist-first")
        banned = due if any_will_do else due | world.condemned
        packs = world.packs
        if self.lag:                # the index may still know what is gone, and listings may show it
            count = len(self.first_packs)
            packs = tuple(now or first for now, first in zip(packs, self.first_packs)) + packs[count:]
        ways = [0]
        for chunk in bits(live):
            if self.mutant == "every-look-own" and self.untouched(world, due, chunk):
                continue
            of_chunk = set()
            for name in self.names.of_chunk.get(chunk, ()):
                of_chunk.update(self.closure_ways(packs, run, banned, self.closures[name]))
            ways = {way | more for way in ways for more in of_chunk}
        return sorted(way for way in ways if not any(other & way == other != way for other in ways))

    def closure_ways(self, packs, run, banned, closure):
        found = []
        for wanted in closure:
            places = [1 << place for place, pack in enumerate(packs)
                      if pack & wanted and not banned >> place & 1]
            found.append([0] if wanted & run.trusted else places)
        for choice in product(*found):
            way = 0
            for place in choice:
                way |= place
            yield way

    def untouched(self, world, due, chunk):
        """Mutant: does the index know a segment of this chunk that has nothing to do with the packs due?"""
        for name in self.names.of_chunk.get(chunk, ()):
            known = any(pack >> name & 1 for pack in world.packs)
            touched = any(pack & wanted for place, pack in enumerate(world.packs) if due >> place & 1
                          for wanted in self.closures[name])
            if known and not touched:
                return True
        return False

    def looking(self, run, due, shown):
        if not shown:
            return ("delete", run, due, 0)
        if self.mutant in ("blind-pruners", "no-tomb", "p5-exist-first"):
            return ("exist", run, due, shown, shown)
        return ("tombs", run, due, shown, shown)

    # What is condemned or missing is as if it had not been chosen: a place that was reached before.

    def tombs(self, world, run, due, shown, left):
        for place in next_keys(left, self.any_order):
            if world.shown_condemned >> place & 1:
                continue
            rest = left & ~(1 << place)
            now = ("tombs", run, due, shown, rest) if rest else ("exist", run, due, shown, shown)
            if not rest and self.mutant == "p5-exist-first":
                now = ("delete", run, due, 0)
            yield f"P5 LIST tombstones: pack {place}? no", world, now

    def exist(self, world, run, due, shown, left):
        for place in next_keys(left, self.any_order):
            if not world.shows_pack(place):
                continue
            rest = left & ~(1 << place)
            now = ("exist", run, due, shown, rest) if rest else ("delete", run, due, 0)
            if not rest and self.mutant == "p5-exist-first":
                now = ("tombs", run, due, shown, shown)
            yield f"P5 LIST packs: pack {place}? yes", world, now

    def copy(self, world, run, due, live, names):
        run, packs, place = self.make_pack(world, run, names)
        if self.mutant == "no-recheck-copy":
            run = run._replace(trusted=run.trusted | names)
        yield f"P5 PUT the copy as pack {place}", world._replace(packs=packs), ("show", run, due, live)

    # P6, P7

    def delete(self, world, run, left, gone):
        if self.mutant == "untomb-first" and not gone & 1 << 30:
            yield "P7 removes the tombstones first", world._replace(condemned=world.condemned & ~left), \
                ("delete", run, left, 1 << 30)
            return
        for place in bits(left):
            packs = world.packs[:place] + (0,) + world.packs[place + 1:]
            after = world._replace(packs=packs)
            if self.lag and world.packs[place]:
                after = after._replace(ghost_packs=after.ghost_packs | 1 << place)
            now = self.deleting(run, left & ~(1 << place), gone | 1 << place)
            yield f"P6 DELETE pack {place}", after, now
        for place in bits(gone & ~(1 << 30)):
            if self.lag and self.mutant != "no-settle-untomb" and world.ghost_packs >> place & 1:
                continue            # waits W
            bit = 1 << place
            after = world._replace(condemned=world.condemned & ~bit,
                                   fresh_condemned=caught_up(world.fresh_condemned, bit))
            now = self.deleting(run, left, gone & ~(1 << place))
            yield f"P7 DELETE tombstone of pack {place}", after, now

    def deleting(self, run, left, gone):
        if gone & 1 << 30:
            gone = 1 << 30
        return ("delete", run, left, gone) if left or gone & ~(1 << 30) else self.next_run(run)
