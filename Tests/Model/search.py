"""Breadth-first search over all that some processes can do to one store; the shortest way to what is wrong.

A machine has
    world                  what is stored at first (a tuple), with what has been promised to users
    starts                 where each process begins (tuples)
    names                  what each process is called in a trace
    step(i, world, local)  what process i can do next: (label, world, local) each; one request each
    wrong(world)           None, or what must never be so
    sights(world)          words for what has come about here; to see that a scenario is not an idle one

A process may rest for ever before any of its steps: that is a crash, a suspended machine, or a clock that is
wrong. Every state is kept exactly: worlds and places of processes are numbered, a state is one integer made of
the numbers. What a process can do is worked out once for each pair of a world and its place, and then added to
states as a difference.
"""
import gc
import time
from typing import NamedTuple

PLACE_BITS = 22
PLACE_MASK = (1 << PLACE_BITS) - 1


class Outcome(NamedTuple):
    holds: bool          # nothing wrong was found
    whole: bool          # every state was visited
    why: str             # what is wrong; empty if nothing is
    states: int
    depth: int
    seconds: float
    sights: frozenset
    trace: tuple         # labels, the shortest way to what is wrong


class Search:
    """One search; numbers of worlds and places live as long as it."""

    def __init__(self, machine):
        self.machine = machine
        self.count = len(machine.starts)
        self.world_shift = PLACE_BITS * self.count
        self.shifts = [PLACE_BITS * i for i in range(self.count)]
        self.worlds, self.world_number = [], {}
        self.places, self.place_number = [], {}
        self.seen_sights = set()
        self.wrong = None                       # (number of the world, what is wrong)

    def number_world(self, world):
        number = self.world_number.get(world)
        if number is None:
            number = self.world_number[world] = len(self.worlds)
            self.worlds.append(world)
            self.seen_sights.update(self.machine.sights(world))
            why = self.machine.wrong(world)
            if why and self.wrong is None:
                self.wrong = (number, why)
        return number

    def number_place(self, place):
        number = self.place_number.get(place)
        if number is None:
            number = self.place_number[place] = len(self.places)
            if number > PLACE_MASK:
                raise OverflowError("more places than PLACE_BITS can number")
            self.places.append(place)
        return number

    def pack(self, world, places):
        state = self.number_world(world) << self.world_shift
        for shift, place in zip(self.shifts, places):
            state |= self.number_place(place) << shift
        return state

    def unpack(self, state):
        places = tuple(self.places[state >> shift & PLACE_MASK] for shift in self.shifts)
        return self.worlds[state >> self.world_shift], places

    def differences(self, process, world_number, place_number):
        """What is added to a state by each step that the process can take there."""
        world, place = self.worlds[world_number], self.places[place_number]
        found = []
        for _, next_world, next_place in self.machine.step(process, world, place):
            difference = ((self.number_world(next_world) - world_number) << self.world_shift) \
                + ((self.number_place(next_place) - place_number) << self.shifts[process])
            if difference and difference not in found:
                found.append(difference)
            if self.wrong:
                break
        return tuple(found)

    def run(self, state_limit):
        started = time.monotonic()
        gc.disable()
        try:
            return self.visit(state_limit, started)
        finally:
            gc.enable()

    def visit(self, state_limit, started):
        first = self.pack(self.machine.world, self.machine.starts)
        parents = {first: first}
        frontier, depth = [first], 0
        memories = [(i, shift, {}) for i, shift in enumerate(self.shifts)]
        world_shift = self.world_shift

        def outcome(trace=()):
            whole = not frontier and not self.wrong
            return Outcome(not self.wrong, whole, self.wrong[1] if self.wrong else "", len(parents), depth,
                           time.monotonic() - started, frozenset(self.seen_sights), tuple(trace))

        if self.wrong:
            return outcome()
        while frontier and len(parents) < state_limit:
            depth += 1
            following = []
            for state in frontier:
                world_number = state >> world_shift
                for process, shift, memory in memories:
                    place_number = state >> shift & PLACE_MASK
                    key = world_number << PLACE_BITS | place_number
                    steps = memory.get(key)
                    if steps is None:
                        steps = memory[key] = self.differences(process, world_number, place_number)
                    for difference in steps:
                        new = state + difference
                        if new not in parents:
                            parents[new] = state
                            following.append(new)
                            if self.wrong and new >> world_shift == self.wrong[0]:
                                return outcome(self.labels(parents, first, new))
            frontier = following
        return outcome()

    def labels(self, parents, first, last):
        path = [last]
        while path[-1] != first:
            path.append(parents[path[-1]])
        path.reverse()
        labels = []
        for before, after in zip(path, path[1:]):
            labels.append(self.label(before, after))
        return labels

    def label(self, before, after):
        world, places = self.unpack(before)
        for process, name in enumerate(self.machine.names):
            for label, next_world, next_place in self.machine.step(process, world, places[process]):
                following = places[:process] + (next_place,) + places[process + 1:]
                if self.pack(next_world, following) == after:
                    return f"{name}: {label}"
        raise AssertionError("a step that cannot be taken again")


def search(machine, state_limit=50_000_000):
    return Search(machine).run(state_limit)
