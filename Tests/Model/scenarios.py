"""The scenarios, and the mutants with the scenario in which each is caught."""
from groups import GroupMachine
from index import IndexMachine
from scenario import Machine, Scenario
from world import Segment, Snapshot

A, B, C, D = range(4)


def writer(makes, copies=1, snapshot=1):
    return ("writer", snapshot, makes, copies)


def pruner(runs, most, copies):
    return ("pruner", runs, most, copies)


# Plain segments: pack 0 holds a, pack 1 holds a and b; an old snapshot names b.
PLAIN = (Segment("a", A), Segment("b", B), Segment("a'", A), Segment("b'", B))
PLAIN_PACKS = (0b01, 0b11)
# Deltas: pack 0 holds A, pack 1 B as a delta on A. A writer may make A as a delta on B, or either one plain.
DELTAS = (Segment("A", A), Segment("B/A", B, 0), Segment("A/B", A, 1), Segment("A'", A), Segment("B'", B),
          Segment("B'/A", B, 0))
DELTA_PACKS = (0b01, 0b10)
# A dead delta left behind: envelope 0 holds A and B, envelope 1 C as a delta on A, and D. A and C are dead.
BROKEN = (Segment("A", A, None, 0), Segment("B", B, None, 0),
          Segment("C/A", C, 0, 1), Segment("D", D, None, 1),
          Segment("C'", C), Segment("C'/A", C, 0))
# A chain of deltas, each in a pack of its own. A writer may make A anew as a delta on the last.
DEEP = (Segment("A", A), Segment("B/A", B, 0), Segment("C/B", C, 1), Segment("A/C", A, 2), Segment("C'", C))
DEEP_PACKS = (0b001, 0b010, 0b100)
BROKEN_PACKS = (0b0011, 0b1100)

OLD_B = (Snapshot(1 << B), Snapshot(1 << A))
OLD_B_NEW_BOTH = (Snapshot(1 << B), Snapshot(1 << A | 1 << B))
NOTHING_LIVE = (Snapshot(), Snapshot(1 << A))
TWO_NEW = (Snapshot(1 << B), Snapshot(1 << A), Snapshot(1 << A | 1 << B))
OLD_BD_NEW_C = (Snapshot(1 << B | 1 << D), Snapshot(1 << C))
OLD_C_NEW_A = (Snapshot(1 << C), Snapshot(1 << A))
OLD_BOTH = (Snapshot(1 << A | 1 << B),)
CHAIN = (Snapshot(), Snapshot(parent=0), Snapshot(parent=1))
STAR = (Snapshot(), Snapshot(parent=0), Snapshot(parent=0))
REMOVERS = (("remover", 2, True), ("remover", 2, True))
ADDS = ("acknowledged", "pack deleted", "acknowledged after a pack was deleted")
REMOVES = ("acknowledged", "snapshot removed", "commit without manifest", "committed and taken for abandoned")
HOLDS = ("held", "held, and given up by retention")

SHORT = {
    "plain": Scenario(
        "no deltas, a writer and two pruners",
        (writer((2,)), pruner(1, 1, 1), pruner(1, 1, 0)), PLAIN, PLAIN_PACKS, OLD_B_NEW_BOTH, 1,
        expects=ADDS),
    "plain-writers": Scenario(
        "no deltas, two writers and a pruner that may stop and begin again",
        (writer((2,)), writer((3,), 0, 2), pruner(2, 1, 1)), PLAIN, PLAIN_PACKS, TWO_NEW, 1, expects=ADDS),
    "deltas": Scenario(
        "a writer of deltas, a pruner of sets that may stop and finishes what it left",
        (writer((2, 3)), pruner(2, 2, 2)), DELTAS, DELTA_PACKS, OLD_B, 1, foreign=True, expects=ADDS),
    "deltas-listings": Scenario(
        "the same in one run, listings come to keys in any order",
        (writer((2, 3)), pruner(1, 2, 2)), DELTAS, DELTA_PACKS, OLD_B, 1, foreign=True, any_order=True,
        expects=ADDS),
    "deltas-stale": Scenario(
        "the writer's index knows packs that are condemned or gone",
        (writer((2, 3), 2), pruner(1, 2, 1)), DELTAS, DELTA_PACKS, OLD_B, 1, foreign=True, stale=True,
        any_order=True, expects=ADDS),
    "deltas-unused": Scenario(
        "nothing is alive but what the writer is about to rely on",
        (writer((2,), 2), pruner(2, 2, 1)), DELTAS, DELTA_PACKS, NOTHING_LIVE, 1, foreign=True,
        any_order=True, expects=ADDS),
    "deltas-both": Scenario(
        "a writer that needs both chunks, and may make B anew as a delta on A",
        (writer((2, 5)), pruner(1, 2, 1)), DELTAS, DELTA_PACKS, OLD_B_NEW_BOTH, 1, any_order=True,
        expects=ADDS),
    "deltas-pruners": Scenario(
        "a writer of deltas, two pruners that delete what each other condemned",
        (writer((2,)), pruner(1, 1, 1), pruner(1, 1, 1)), DELTAS, DELTA_PACKS, OLD_B, 1, foreign=True,
        expects=ADDS),
    "pruners": Scenario(
        "two pruners of sets, one may stop and begin again",
        (pruner(2, 2, 1), pruner(1, 2, 1)), DELTAS, DELTA_PACKS, OLD_B[:1], 1, foreign=True, any_order=True,
        expects=("pack deleted",)),
    "pruners-spare": Scenario(
        "two pruners, and B is there twice: as a delta and plain",
        (pruner(1, 1, 1), pruner(1, 1, 1)), DELTAS, (1, 2, 16), OLD_B[:1], 1, foreign=True, any_order=True,
        expects=("pack deleted",)),
    "pruners-flipped": Scenario(
        "two pruners, and A is there as a delta on B too, B as one on A",
        (pruner(1, 2, 1), pruner(1, 1, 1)), DELTAS, (1, 2, 4), OLD_BOTH, 1, foreign=True,
        expects=("pack deleted",)),
    "copies-first": Scenario(
        "a pruner copies before it condemns (P1b), beside a writer",
        (writer((2,)), pruner(2, 1, 2)), DELTAS, DELTA_PACKS, OLD_B, 1, copies_first=True, expects=ADDS),
    "copies-first-pruners": Scenario(
        "two pruners that copy before they condemn",
        (pruner(1, 1, 2), pruner(1, 1, 2)), DELTAS, DELTA_PACKS, OLD_B[:1], 1, copies_first=True,
        foreign=True, expects=("pack deleted",)),
    "deep": Scenario(
        "deltas on deltas on a base, each in its pack; a writer that turns them round, a pruner of sets",
        (writer((3,)), pruner(1, 2, 2)), DEEP, DEEP_PACKS, OLD_C_NEW_A, 1, any_order=True, expects=ADDS),
    "broken": Scenario(
        "a pruner leaves a dead delta whose base is gone; a writer comes to need its chunk",
        (writer((4, 5)), pruner(1, 2, 2)), BROKEN, BROKEN_PACKS, OLD_BD_NEW_C, 1,
        any_order=True, expects=ADDS),
    "chain": Scenario(
        "an increment, two removers that may stop, a hold on its parent",
        (("writer", 1, (), 0),) + REMOVERS + (("holder", 0),), snapshots=CHAIN[:2], committed=1,
        expects=REMOVES + HOLDS),
    "chain-held": Scenario(
        "an increment, two removers that may stop, a hold on the increment",
        (("writer", 1, (), 0),) + REMOVERS + (("holder", 1),), snapshots=CHAIN[:2], committed=1,
        expects=REMOVES + HOLDS),
    "chain-of-two": Scenario(
        "an increment on an increment that is being made, two removers that may stop",
        (("writer", 1, (), 0), ("writer", 2, (), 0)) + REMOVERS, snapshots=CHAIN, committed=1, any_order=True,
        expects=REMOVES),
    "star": Scenario(
        "two increments on one full, a remover that may stop, a hold on the full",
        (("writer", 1, (), 0), ("writer", 2, (), 0), ("remover", 3, True), ("holder", 0)),
        snapshots=STAR, committed=1, any_order=True, expects=REMOVES + HOLDS),
    "whole": Scenario(
        "snapshots and packs go at once: an increment of deltas, a pruner, a remover",
        (writer((2, 3)), pruner(1, 2, 1), ("remover", 2, True)), DELTAS, DELTA_PACKS,
        (Snapshot(1 << B), Snapshot(1 << A, 0)), 1, foreign=True, expects=ADDS + REMOVES),
    "whole-held": Scenario(
        "snapshots and packs go at once, and somebody holds the full",
        (writer((2,)), pruner(1, 1, 1), ("remover", 1, True), ("holder", 0)), DELTAS, DELTA_PACKS,
        (Snapshot(1 << B), Snapshot(1 << A, 0)), 1, foreign=True, any_order=True,
        expects=ADDS + REMOVES + HOLDS),
    "lag-whole": Scenario(
        "snapshots and packs go at once on a store that lags",
        (writer((2,)), pruner(1, 1, 1), ("remover", 1, True), ("lag",)), PLAIN, (1,),
        (Snapshot(), Snapshot(1, 0)), 1, lag=True, foreign=True, expects=ADDS + REMOVES),
    "lag": Scenario(
        "what is written shows some time later; a writer and a pruner that wait W",
        (writer((), 1), pruner(2, 1, 1), ("lag",)), PLAIN, (1,), NOTHING_LIVE, 1, lag=True, foreign=True,
        expects=ADDS),
    "lag-pruners": Scenario(
        "what is deleted is still shown; two pruners that wait W",
        (pruner(1, 1, 1), pruner(1, 1, 1), ("lag",)), PLAIN, (1, 1), (Snapshot(1 << A),), 1, lag=True,
        foreign=True, expects=("pack deleted",)),
    "lag-chain": Scenario(
        "the same for an increment, a hold on its parent and a remover",
        (("writer", 1, (), 0), ("remover", 2, True), ("holder", 0), ("lag",)),
        snapshots=CHAIN[:2], committed=1, lag=True, expects=REMOVES + HOLDS),
    "lag-held": Scenario(
        "the same with a hold on the increment, and two removers",
        (("writer", 1, (), 0), ("remover", 1, True), ("remover", 1, True), ("holder", 1), ("lag",)),
        snapshots=CHAIN[:2], committed=1, lag=True, expects=REMOVES + HOLDS),
}

# Other machines: what they are about, and how they are made.
OTHER = {
    "index": ("index objects: a merger, a pruner that reads them, a reader that finds everything",
              IndexMachine, dict(), ("merged", "pack deleted", "pack without index object")),
    "index-merged-twice": ("index objects: a merger that may stop and begin again, two pruners",
                           IndexMachine, dict(pruners=2, runs=1, find=False), ("merged", "pack deleted")),
    "index-merged": ("index objects: a merger, a pruner, a reader, one run each",
                     IndexMachine, dict(runs=1), ("merged", "pack deleted", "pack without index object")),
    "index-mergers": ("index objects: two mergers at once, a reader that finds everything",
                      IndexMachine, dict(mergers=2, pruners=0), ("merged",)),
    "groups": ("three snapshots saved together, a retention that stops and changes its mind, a hold on any",
               GroupMachine, dict(), ("occurrence given up", "a part is held")),
}

LONG = {
    "long-plain-writers": SHORT["plain-writers"]._replace(
        about="no deltas, two writers and a pruner of sets that may stop and finishes what it left",
        processes=(writer((2,)), writer((3,), 0, 2), pruner(2, 2, 1)), foreign=True),
    "long-writers": Scenario(
        "two writers of deltas, a pruner that finishes what it left",
        (writer((2,)), writer((4,), 1, 2), pruner(2, 1, 1)), DELTAS, DELTA_PACKS, TWO_NEW, 1, foreign=True,
        expects=ADDS),
    "long-pruners": SHORT["deltas-pruners"]._replace(
        about="a writer of deltas, two pruners of sets",
        processes=(writer((2, 3)), pruner(1, 2, 1), pruner(1, 2, 1))),
    "long-three-pruners": SHORT["pruners"]._replace(
        about="three pruners", processes=(pruner(1, 1, 1),) * 3, any_order=False),
    "long-runs": SHORT["deltas"]._replace(
        about="a writer of deltas, a pruner that may stop twice",
        processes=(writer((2, 3)), pruner(3, 1, 2))),
    "long-copies-first": SHORT["copies-first"]._replace(
        about="two pruners that copy before they condemn, beside a writer",
        processes=(writer((2,)), pruner(1, 1, 2), pruner(1, 1, 1))),
    "long-broken": SHORT["broken"]._replace(
        about="a dead delta without its base, a pruner that may stop", any_order=False, foreign=True,
        processes=(writer((4, 5)), pruner(2, 2, 2))),
    "long-broken-pruners": SHORT["broken"]._replace(
        about="a dead delta without its base, two pruners", any_order=False,
        processes=(writer((4,)), pruner(1, 1, 2), pruner(1, 1, 1))),
    "long-chain": SHORT["chain-of-two"]._replace(
        about="an increment on an increment, two removers that may stop, a hold on the first increment",
        processes=SHORT["chain-of-two"].processes + (("holder", 1),), expects=REMOVES + HOLDS),
    "long-whole": SHORT["whole"]._replace(
        about="snapshots and packs: an increment of deltas, a pruner that may stop, two removers, a hold",
        processes=(writer((2,)), pruner(1, 1, 1), ("remover", 1, True), ("remover", 1, True), ("holder", 0)),
        expects=ADDS + REMOVES + HOLDS),
    "long-whole-runs": SHORT["whole"]._replace(
        about="snapshots and packs: a pruner and a remover that may stop",
        processes=(writer((2,)), pruner(2, 1, 1), ("remover", 2, True))),
    "long-listings": SHORT["deltas-pruners"]._replace(
        about="a writer of deltas, two pruners, listings come to keys in any order", any_order=True),
    "long-whole-pruners": SHORT["whole"]._replace(
        about="snapshots and packs: an increment of deltas, two pruners, a remover", foreign=False,
        processes=(writer((2,)), pruner(1, 1, 1), pruner(1, 1, 1), ("remover", 1, True))),
    "long-deep": SHORT["deep"]._replace(
        about="deltas on deltas on a base, two pruners that finish what each other left", any_order=False,
        foreign=True, processes=(writer((3,)), pruner(1, 1, 1), pruner(1, 1, 1))),
    "long-lag-whole": SHORT["lag-whole"]._replace(
        about="snapshots and packs on a store that lags, a pruner and a remover that may stop",
        processes=(writer((2,)), pruner(2, 1, 1), ("remover", 2, True), ("lag",))),
    "long-lag": SHORT["lag"]._replace(
        about="listings that lag, a writer and two pruners",
        processes=(writer((2,), 1), pruner(1, 1, 1), pruner(1, 1, 1), ("lag",)), packs=(1, 1)),
}
LONG_OTHER = {
    "long-index": ("index objects: two mergers, a pruner, a reader",
                   IndexMachine, dict(mergers=2, runs=1), ("merged", "pack deleted")),
}


def machine(name, mutant="none"):
    others = OTHER | LONG_OTHER
    if name in others:
        _, make, values, expects = others[name]
        made = make(mutant, **values)
        made.expects = expects
        return made
    return Machine((SHORT | LONG)[name], mutant)


def about(name):
    others = OTHER | LONG_OTHER
    return others[name][0] if name in others else (SHORT | LONG)[name].about
