"""Who takes snapshots away (S1 to S8), and who holds them. A step is one request to the store."""
from world import LAG_MASK, LAG_SHIFT, World, bits, caught_up, next_keys


class Remover:
    """Gives up snapshots as retention wants, and takes away what was abandoned or left over.

    Retention may want to give up any committed snapshot at any time. `left` counts further runs.
    """

    def __init__(self, scenario, names, runs, retention=True):
        self.mutant = names.mutant
        self.retention = retention
        self.lag = scenario.lag
        self.any_order = scenario.any_order
        self.count = len(scenario.snapshots)
        self.children = [0] * self.count
        for number, snapshot in enumerate(scenario.snapshots):
            if snapshot.parent is not None:
                self.children[snapshot.parent] |= 1 << number
        self.start = ("choose", runs - 1)

    def step(self, world, local):
        yield from getattr(self, local[0].replace("-", "_"))(world, *local[1:])
        if local[0] not in ("choose", "end") and local[1]:
            yield "stops, begins again", world, self.next_run(local[1])

    @staticmethod
    def next_run(left):
        return ("choose", left - 1) if left else ("end",)

    def end(self, world):
        return ()

    def choose(self, world, left):
        for number in range(self.count):
            manifest, commit = world.shown_manifests >> number & 1, world.shown_commits >> number & 1
            if manifest and commit and self.retention:
                yield f"retention gives up snapshot {number}", world, self.beginning(left, number, False)
            if manifest and not commit:
                yield f"finds snapshot {number} abandoned", world, self.beginning(left, number, True)
            if commit and not manifest:
                yield f"finds commit {number} without manifest", world, ("record", left, number, True)
            if self.mutant == "orphan-list-first" and not manifest:
                yield f"LIST manifests: {number}? no", world, ("orphan-commit", left, number)
            if self.mutant == "finish-any-tombstone" and manifest and world.snapshot_tombs >> number & 1:
                yield f"finishes the tombstone of snapshot {number}", world, self.asking(left, number)

    def orphan_commit(self, world, left, number):
        if world.shown_commits >> number & 1:
            yield f"LIST commits: {number}? yes", world, ("record", left, number, True)

    def beginning(self, left, number, abandoned):
        if abandoned and self.mutant == "forget-no-tomb":
            return ("asks", left, number)
        if self.mutant == "delete-holds-before-tombstone":
            return ("holds", left, number, abandoned)
        if self.mutant == "chain-list-first":
            return self.reading(left, number, abandoned)
        return ("tombstone", left, number, abandoned)

    def tombstone(self, world, left, number, abandoned):
        after = world.with_put("snapshot_tombs", 1 << number, self.lag)
        if not abandoned:
            after = after._replace(given_up=after.given_up | 1 << number)
        if abandoned and self.mutant != "abandoned-no-S2":
            now = ("asks", left, number)
        else:
            now = self.asking(left, number)
        if self.lag and self.mutant != "no-settle-remover":
            now = ("settle", left, number, now)
        yield f"S1 PUT tombstone of snapshot {number}", after, now

    def settle(self, world, left, number, now):
        if not world.fresh_snapshot_tombs >> number & 1:
            yield "has waited W", world, now

    def asks(self, world, left, number):
        if not world.shown_commits >> number & 1:
            yield f"S2 commit {number}? no", world, self.asking(left, number)
        elif self.mutant == "untomb-abort":
            yield f"S2 commit {number}? yes", world, ("untomb", left, number)
        else:
            yield f"S2 commit {number}? yes, so it stays", world, self.next_run(left)

    # S3, S4: who relies on it

    def asking(self, left, number):
        if self.mutant == "delete-holds-before-tombstone":
            return self.reading(left, number)
        return ("holds", left, number, False)

    def holds(self, world, left, number, abandoned):
        if world.shown_holds >> number & 1:
            yield f"S3 a hold on {number}? yes, so it stays", world, self.next_run(left)
        elif self.mutant == "delete-holds-before-tombstone":
            yield f"S3 a hold on {number}? no", world, ("tombstone", left, number, abandoned)
        else:
            yield f"S3 a hold on {number}? no", world, self.reading(left, number)

    def reading(self, left, number, abandoned=False):
        if self.children[number]:
            return ("needs", left, number, self.children[number], abandoned)
        return ("record", left, number, False)

    def needs(self, world, left, number, unread, abandoned):
        counted = world.shown_manifests
        if self.mutant == "chain-pending":
            counted &= world.shown_commits
        if self.mutant == "chain-condemned-no-dep":
            counted &= ~world.shown_snapshot_tombs
        for child in next_keys(unread, self.any_order):
            if counted >> child & 1:
                stays = ("untomb", left, number) if self.mutant == "chain-untomb" else self.next_run(left)
                yield f"S4 manifest {child} needs {number}? yes, so it stays", world, stays
                continue
            rest = unread & ~(1 << child)
            now = ("needs", left, number, rest, abandoned) if rest else ("record", left, number, False)
            if not rest and self.mutant == "chain-list-first":
                now = ("late-tombstone", left, number, abandoned)
            yield f"S4 manifest {child} needs {number}? no", world, now

    def late_tombstone(self, world, left, number, abandoned):
        for label, after, _ in self.tombstone(world, left, number, abandoned):
            yield label, after, ("record", left, number, False)

    # S5 to S8

    def record(self, world, left, number, orphan):
        if self.mutant == "record-after-commit":
            yield from self.manifest(world, left, number)
            return
        after = world._replace(records=world.records | 1 << number)
        now = ("commit", left, number) if orphan else ("manifest", left, number)
        if orphan and self.mutant == "orphan-no-record":
            after = world
        if self.mutant == "snapshot-untomb-first" and not orphan:
            now = ("untomb", left, number)
        if self.mutant == "abandoned-no-record" and not world.given_up >> number & 1:
            after = world
        yield f"S5 PUT record of {number}", after, now

    def manifest(self, world, left, number):
        yield f"S6 DELETE manifest {number}", world.without_manifest(1 << number, self.lag), \
            ("commit", left, number)

    def commit(self, world, left, number):
        now = ("untomb", left, number)
        if self.mutant == "record-after-commit":
            now = ("late-record", left, number)
        elif self.mutant == "snapshot-untomb-first":
            now = self.next_run(left)
        yield f"S7 DELETE commit {number}", world._replace(commits=world.commits & ~(1 << number)), now

    def late_record(self, world, left, number):
        yield f"S5 PUT record of {number}", world._replace(records=world.records | 1 << number), \
            ("untomb", left, number)

    def untomb(self, world, left, number):
        if world.ghost_manifests >> number & 1 and self.mutant != "no-settle-snapshot-untomb":
            return                      # waits W
        bit = 1 << number
        after = world._replace(snapshot_tombs=world.snapshot_tombs & ~bit,
                               fresh_snapshot_tombs=caught_up(world.fresh_snapshot_tombs, bit))
        now = self.next_run(left)
        if self.mutant == "snapshot-untomb-first":
            now = ("manifest", left, number)
        yield f"S8 DELETE tombstone of snapshot {number}", after, now


class Holder:
    """Adds a hold on one committed snapshot, and says what is held."""

    def __init__(self, scenario, names, snapshot):
        self.mutant = names.mutant
        self.lag = scenario.lag
        self.snapshot = snapshot
        self.bit = 1 << snapshot
        self.start = ("choose",)

    def step(self, world, local):
        return getattr(self, local[0].replace("-", "_"))(world)

    def choose(self, world):
        if world.shown_manifests & world.shown_commits & self.bit:
            yield f"wants to hold snapshot {self.snapshot}", world, \
                ("tomb",) if self.mutant == "hold-look-before" else ("publish",)

    def publish(self, world):
        after = world.with_put("holds", self.bit, self.lag)
        if self.mutant in ("hold-look-before", "hold-no-look"):
            yield "PUT hold; reported", self.reported(after), ("done",)
        elif self.lag:
            yield "PUT hold", after, ("tomb",) if self.mutant == "no-settle-hold" else ("settle",)
        else:
            yield "PUT hold", after, ("exist",) if self.mutant == "hold-exist-first" else ("tomb",)

    def settle(self, world):
        if not world.fresh_holds & self.bit:
            yield "has waited W", world, ("tomb",)

    def tomb(self, world):
        if world.shown_snapshot_tombs & self.bit:
            return                                          # not reported as held
        if self.mutant == "hold-exist-first":
            yield "tombstone? no; reported", self.reported(world), ("done",)
        else:
            yield "tombstone? no", world, ("exist",)

    def exist(self, world):
        if not world.shown_manifests & self.bit:
            return
        if self.mutant == "hold-exist-first":
            yield "there? yes", world, ("tomb",)
        elif self.mutant == "hold-look-before":
            yield "there? yes", world, ("publish",)
        else:
            yield "there? yes; reported", self.reported(world), ("done",)

    def reported(self, world):
        return world._replace(held=world.held | self.bit)

    def done(self, world):
        return ()


class Lag:
    """A store where what is read lags: what was put or deleted is seen by one and not yet by the other."""

    FIELDS = [field for field in World._fields if field.startswith(("fresh", "ghost"))]

    def __init__(self, scenario, names):
        self.start = ("store",)

    def step(self, world, local):
        for field in self.FIELDS:
            lagging = getattr(world, field)
            for member in bits(lagging & LAG_MASK):
                words = f"{field.replace('_', ' ')} {member}"
                yield f"now all see it: {words}", \
                    world._replace(**{field: caught_up(lagging, 1 << member)}), local
                yield f"who reads next sees it, or not: {words}", \
                    world._replace(**{field: lagging ^ 1 << member + LAG_SHIFT}), local
