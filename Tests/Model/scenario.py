"""A scenario of the repository, and the machine that it makes with a mutant (or none)."""
from typing import NamedTuple

from pruner import Pruner
from remover import Holder, Lag, Remover
from world import Judge, Names, World, sights
from writer import Writer


class Scenario(NamedTuple):
    about: str
    processes: tuple                # ("writer", snapshot, makes, copies), ("pruner", runs, most, copies),
                                    # ("remover", runs, retention too), ("holder", snapshot), ("lag",)
    segments: tuple = ()
    packs: tuple = ()               # what is there at first
    snapshots: tuple = ()
    committed: int = 0              # which of the snapshots are there at first
    foreign: bool = False           # pruners finish what others condemned, may condemn nothing themselves
    copies_first: bool = False      # P1b
    stale: bool = False             # W1 also knows of packs that are condemned or gone
    any_order: bool = False         # listings come to keys in any order, not least first
    lag: bool = False               # what is read lags, and W is waited
    expects: tuple = ()             # what must come about if the scenario is not an idle one

    @property
    def steady(self):
        """Snapshots that nobody adds or removes here: no need to read them key by key."""
        removed = any(process[0] == "remover" for process in self.processes)
        return 0 if removed else self.committed


class Machine:
    def __init__(self, scenario, mutant="none"):
        names = Names(scenario.segments, mutant)
        # the writer, or the pruner, may take an envelope for what is one segment of it
        writer_names = Names(scenario.segments, mutant, mutant == "closure-by-envelope")
        pruner_names = Names(scenario.segments, mutant, mutant == "p5-by-envelope")
        self.judge = Judge(names, scenario.snapshots)
        self.names, self.processes = [], []
        places = len(scenario.packs)
        counts = {}
        for kind, *values in scenario.processes:
            counts[kind] = counts.get(kind, 0) + 1
            self.names.append(f"{kind} {counts[kind]}")
            if kind == "writer":
                snapshot, makes, copies = values
                process = Writer(scenario, writer_names, snapshot, makes, range(places, places + 1 + copies))
                places += 1 + copies
            elif kind == "pruner":
                runs, most, copies = values
                process = Pruner(scenario, pruner_names, runs, most, range(places, places + copies))
                places += copies
            else:
                process = {"remover": Remover, "holder": Holder, "lag": Lag}[kind](
                    scenario, names, *values)
            self.processes.append(process)
        self.starts = tuple(process.start for process in self.processes)
        self.world = World(
            packs=scenario.packs + (0,) * (places - len(scenario.packs)),
            manifests=scenario.committed, commits=scenario.committed,
            acknowledged=scenario.committed, confirmed=scenario.committed)
        self.expects = scenario.expects

    def step(self, process, world, local):
        return self.processes[process].step(world, local)

    def wrong(self, world):
        return self.judge.wrong(world)

    def sights(self, world):
        return sights(world, self.world)
