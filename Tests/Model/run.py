#!/usr/bin/env python3
"""Searches the scenarios of the prune protocol for losses, and sees that every mutant has one (README.md).

    run.py --short                          what continuous integration runs: about a minute
    run.py --long                           that, larger scenarios, and the shortest traces
    run.py --list                           the scenarios and the mutants
    run.py --scenario NAME [--mutant NAME]  one search
    run.py --mutant NAME                    the same, where that mutant is caught

One line a fact, `ok - ...` or `not ok - ...`; the status is not 0 if anything is not as it must be.
"""
import argparse
import sys
import time

from mutants import LOSE, OTHERS, PACKS, SAFE, SNAPSHOTS
from scenarios import LONG, LONG_OTHER, OTHER, SHORT, about, machine
from search import search

SHORT_LIMIT = 4_000_000
LONG_LIMIT = 30_000_000          # some 4 GB


class Report:
    def __init__(self, traces):
        self.traces = traces
        self.failed = 0

    def fact(self, good, words, outcome, traced=True):
        self.failed += not good
        print(f"{'ok' if good else 'not ok'} - {words}", flush=True)
        if outcome.trace and traced and (self.traces or not good):
            for number, label in enumerate(outcome.trace, 1):
                print(f"#   {number:2} {label}", flush=True)

    def holds(self, name, limit, mutant="none", may_be_cut=False):
        """The protocol holds there, or a mutant that must be none."""
        made = machine(name, mutant)
        outcome = search(made, limit)
        what = "the protocol" if mutant == "none" else f"{mutant} ({SAFE[mutant][1]})"
        found = figures(outcome)
        if outcome.why:
            self.fact(False, f"{what} holds in {name}: {outcome.why}, {found}", outcome)
            return
        idle = sorted(set(getattr(made, "expects", ())) - outcome.sights) if mutant == "none" else []
        good = not idle and (outcome.whole or may_be_cut)
        if idle:
            found += "; never came about: " + ", ".join(idle)
        if not outcome.whole:
            found += "; CUT OFF at the limit, nothing wrong so far"
        self.fact(good, f"{what} holds in {name}: {found}", outcome)

    def loses(self, name, mutant, limit):
        outcome = search(machine(name, mutant), limit)
        what = f"{mutant} ({LOSE[mutant][1]}) loses in {name}"
        if outcome.why:
            found = f"{outcome.why}; trace of {len(outcome.trace)} steps, {figures(outcome)}"
            self.fact(True, f"{what}: {found}", outcome)
        else:
            self.fact(False, f"{what}: nothing was found, {figures(outcome)}", outcome)


def figures(outcome):
    return f"{outcome.states} states, depth {outcome.depth}, {outcome.seconds:.1f} s"


def run_all(report, long):
    limit = LONG_LIMIT if long else SHORT_LIMIT
    for name in list(SHORT) + list(OTHER):
        report.holds(name, limit)
    for mutant, (name, _) in LOSE.items():
        report.loses(name, mutant, limit)
    for mutant, (names, _, _) in SAFE.items():
        for name in names:
            report.holds(name, limit, mutant)
    if long:
        for name in list(LONG) + list(LONG_OTHER):
            report.holds(name, limit, may_be_cut=True)


def run_one(report, scenario, mutant):
    if mutant in LOSE:
        report.loses(scenario or LOSE[mutant][0], mutant, LONG_LIMIT)
        return
    names = [scenario] if scenario else SAFE[mutant][0]
    for name in names:
        report.holds(name, LONG_LIMIT, mutant, may_be_cut=True)


def show_list():
    for title, names in (("Scenarios", [*SHORT, *OTHER]), ("Larger scenarios", [*LONG, *LONG_OTHER])):
        print(title)
        for name in names:
            print(f"    {name:26} {about(name)}")
    for title, mutants in (("Mutants of packs", PACKS), ("Mutants of snapshots", SNAPSHOTS),
                           ("Mutants of waiting, index and groups", OTHERS)):
        print(title)
        for mutant, (name, words) in mutants.items():
            print(f"    {mutant:30} {words} [{name}]")
    print("Harmless, and seen to be")
    for mutant, (names, words, _) in SAFE.items():
        print(f"    {mutant:30} {words} [{', '.join(names)}]")


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--short", action="store_true")
    parser.add_argument("--long", action="store_true")
    parser.add_argument("--list", action="store_true")
    parser.add_argument("--scenario", choices=[*SHORT, *OTHER, *LONG, *LONG_OTHER], metavar="NAME")
    parser.add_argument("--mutant", choices=[*LOSE, *SAFE, "none"], metavar="NAME")
    given = parser.parse_args()
    if given.list:
        show_list()
        return 0
    started = time.monotonic()
    report = Report(traces=not given.short)
    if given.short or given.long:
        run_all(report, given.long)
    elif given.mutant and given.mutant != "none":
        run_one(report, given.scenario, given.mutant)
    elif given.scenario:
        report.holds(given.scenario, LONG_LIMIT, may_be_cut=True)
    else:
        parser.error("one of --short, --long, --list, --scenario and --mutant")
    print(f"# {time.monotonic() - started:.0f} s, {report.failed} not as it must be", flush=True)
    return 1 if report.failed else 0


if __name__ == "__main__":
    sys.exit(main())
