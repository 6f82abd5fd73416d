"""Groups: what was saved together is given up together, or not at all, also where a run stops in between.

Who belongs to an occurrence is computed from the heads that are there when it is asked. Retention may want
one thing in one run and another in the next. Record, manifest and commit go in one step; remover.py has them in
full.
"""
from typing import NamedTuple

from world import bits


class Store(NamedTuple):
    there: int                      # members whose snapshot is there
    tombs: int = 0
    holds: int = 0
    completed: int = 0              # no object: the last run of retention came to its end


class Retention:
    """All tombstones of an occurrence are put before the first of its snapshots goes.

    A run begins with what other runs left: where a member carries a tombstone of retention, all members are
    given up.
    """

    def __init__(self, mutant, runs):
        self.mutant = mutant
        self.start = ("choose", runs)

    def step(self, store, local):
        yield from getattr(self, local[0])(store, *local[1:])
        if local[0] != "choose" and local[1]:
            yield "stops, begins again", store, ("choose", local[1])

    def choose(self, store, left):
        if not left:
            return
        fresh = store._replace(completed=0)
        members = store.there
        begun = store.tombs & members
        yield "wants the occurrence given up", fresh, self.going(left - 1, members)
        if not begun:
            yield "wants the occurrence kept", fresh, ("complete", left - 1)
        elif self.mutant == "group-finish-own":
            yield "wants it kept, finishes what carries a tombstone", fresh, self.going(left - 1, begun)

    def going(self, left, members):
        if not members:
            return ("complete", left)
        return ("tombstone", left, members, 0)

    def tombstone(self, store, left, todo, given):
        bit = todo & -todo
        after = store._replace(tombs=store.tombs | bit)
        todo, given = todo & ~bit, given | bit
        if self.mutant == "group-one-by-one":
            now = ("look", left, bit, todo)
        else:
            now = ("tombstone", left, todo, given) if todo else ("look", left, given, 0)
        yield f"S1 PUT tombstone of member {bit.bit_length() - 1}", after, now

    def look(self, store, left, todo, later):
        bit = todo & -todo
        number = bit.bit_length() - 1
        if store.holds & bit:
            yield f"S3 a hold on {number}? yes, so it stays", store, self.after(left, todo & ~bit, later)
        else:
            yield f"S3 a hold on {number}? no", store, ("remove", left, todo, later)

    def remove(self, store, left, todo, later):
        bit = todo & -todo
        yield f"S5-S7 member {bit.bit_length() - 1} goes", store._replace(there=store.there & ~bit), \
            ("untomb", left, todo, later)

    def untomb(self, store, left, todo, later):
        bit = todo & -todo
        yield f"S8 DELETE tombstone of member {bit.bit_length() - 1}", \
            store._replace(tombs=store.tombs & ~bit), self.after(left, todo & ~bit, later)

    def after(self, left, todo, later):
        if todo:
            return ("look", left, todo, later)
        return ("tombstone", left, later, 0) if later else ("complete", left)

    def complete(self, store, left):
        yield "comes to its end", store._replace(completed=1), ("choose", left)


class GroupHolder:
    """Holds one member, at any time."""

    def __init__(self):
        self.start = ("publish",)

    def step(self, store, local):
        if local[0] == "publish":
            for number in bits(store.there):
                after = store._replace(holds=store.holds | 1 << number)
                yield f"PUT hold on member {number}", after, ("done",)


class GroupMachine:
    def __init__(self, mutant="none", members=3, runs=3, holds=True):
        self.all = (1 << members) - 1
        self.processes = [Retention(mutant, runs)] + ([GroupHolder()] if holds else [])
        self.names = ["retention 1", "holder 1"][:len(self.processes)]
        self.starts = tuple(process.start for process in self.processes)
        self.world = Store(self.all)

    def step(self, process, store, local):
        return self.processes[process].step(store, local)

    def wrong(self, store):
        part = store.there and store.there != self.all
        if store.completed and part and store.there & ~store.holds:
            return "a run came to its end, and a part of the occurrence is left that nobody holds"
        return None

    def sights(self, store):
        seen = []
        if not store.there:
            seen.append("occurrence given up")
        if store.completed and store.there and store.there != self.all:
            seen.append("a part is held")
        return seen
