"""What is left out or turned round, one thing each, and where that is caught.

LOSE: mutant -> (scenario, what is done instead). The search must find a loss there.
SAFE: mutant -> (scenarios, what is done instead, why it is no loss). It must hold in them.
"""

PACKS = {
    "no-tomb": ("deltas-unused", "the pruner deletes without a tombstone, the writer does not look"),
    "grace-only": ("deltas-unused", "the pruner condemns and waits, the writer does not look"),
    "look-before": ("deltas-unused", "the writer looks (W4) before it publishes its manifest (W3)"),
    "exist-then-tomb": ("deltas-unused", "W4 sees that packs exist, then looks for their tombstones"),
    "own-packs-not-looked-at": ("broken", "W4 leaves out the packs that the writer put itself"),
    "no-closure-check": ("deltas-unused", "W4 looks at the segments used, not at their bases"),
    "closure-by-envelope": ("broken", "the writer takes a base for held if any segment of its envelope is"),
    "chunk-bases": ("deltas-both", "a delta stands on a chunk: any segment of that will do"),
    "list-before-tomb": ("deltas-unused", "the pruner reads the manifests (P4) before its tombstones (P2)"),
    "reread-none": ("deltas-unused", "the pruner does not list manifests again, it has those of P0"),
    "pending-no-root": ("deltas-unused", "manifests without a commit are no roots"),
    "p5-no-closure": ("deltas-both", "P5 shows segments without their bases"),
    "p5-by-envelope": ("broken", "P5 takes a base for held if any segment of its envelope is"),
    "p5-exist-first": ("pruners-spare", "P5 lists packs, then tombstones"),
    "blind-pruners": ("pruners-spare", "P5 trusts packs that others condemned"),
    "every-look-own": ("pruners-spare", "P5 looks only at chunks that the index connects with the packs due"),
    "p1b-trust": ("copies-first-pruners", "P5 does not look again at what P1b copied"),
    "due-foreign-fresh": ("plain", "the run also deletes what others condemned behind its P4"),
    "untomb-first": ("deltas-unused", "the tombstone is removed (P7) before the pack (P6)"),
    "untomb-foreign": ("pruners", "a pruner takes back the tombstone of another one"),
}
SNAPSHOTS = {
    "no-final-look": ("chain", "the writer does not look (W7) behind its commit"),
    "final-exist-first": ("chain", "W7 sees its manifest, then looks for its tombstone"),
    "forget-no-tomb": ("chain", "an abandoned snapshot is removed without a tombstone"),
    "abandoned-no-S2": ("chain", "an abandoned snapshot is removed without asking for its commit again"),
    "untomb-abort": ("chain", "S2 finds a commit, and the tombstone is taken back"),
    "finish-any-tombstone": ("chain", "a run finishes any tombstone, also one put for an abandoned snapshot"),
    "snapshot-untomb-first": ("chain", "the tombstone is removed (S8) before the manifest (S6)"),
    "record-after-commit": ("chain", "the record is written behind the removal of the commit"),
    "abandoned-no-record": ("chain", "no record is written for what had no commit at S2"),
    "orphan-list-first": ("chain", "manifests are listed first, then commits; one without the other goes"),
    "chain-no-look": ("chain", "the writer of an increment does not look at its parent"),
    "chain-exist-first": ("chain", "it sees that the parent exists, then looks for its tombstone"),
    "chain-pending": ("chain", "S4 passes over increments without a commit"),
    "chain-condemned-no-dep": ("chain", "S4 passes over increments that are condemned"),
    "chain-list-first": ("chain-of-two", "the manifests are read (S4) before the tombstone is put (S1)"),
    "chain-untomb": ("chain", "S4 finds an increment, and the tombstone is taken back"),
    "hold-no-look": ("chain", "who adds a hold does not look"),
    "hold-look-before": ("chain", "who adds a hold looks before it is published"),
    "hold-exist-first": ("chain", "who adds a hold sees the snapshot, then looks for its tombstone"),
    "delete-holds-before-tombstone": ("chain", "the holds are read (S3) before the tombstone is put (S1)"),
}
OTHERS = {
    "no-settle-writer": ("lag", "the writer does not wait W between its manifest and its look"),
    "no-settle-pruner": ("lag", "the pruner does not wait W between its tombstones and its look"),
    "no-settle-adopted": ("lag", "a run finishes tombstones that it found without waiting W then"),
    "no-settle-untomb": ("lag-pruners", "the pruner does not wait W between a pack and its tombstone"),
    "no-settle-hold": ("lag-chain", "who adds a hold does not wait W before the look"),
    "no-settle-commit": ("lag-chain", "the writer does not wait W between its commit and W7"),
    "no-settle-remover": ("lag-chain", "the remover does not wait W between its tombstone and its looks"),
    "no-settle-snapshot-untomb": ("lag-chain", "it does not wait W between a manifest and its tombstone"),
    "trust-index": ("index", "P5 looks only at chunks that the index it read connects with the packs due"),
    "find-index-only": ("index", "a reader believes the index, and reads no directories"),
    "group-one-by-one": ("groups", "one member is removed before the next one's tombstone is put"),
    "group-finish-own": ("groups", "a run finishes tombstones it finds, not the rest of their occurrence"),
}
LOSE = PACKS | SNAPSHOTS | OTHERS

SAFE = {
    "no-recheck-copy": (
        ("pruners", "pruners-flipped", "copies-first-pruners", "plain", "deltas-pruners"),
        "P5 does not look again at what it copied itself",
        "it is younger than the tombstones: who condemns it looks later, and cannot count on the packs due"),
    "orphan-no-record": (
        ("chain", "chain-of-two"), "a commit without manifest is removed without a record",
        "whoever removed the manifest wrote the record before"),
    "merge-delete-first": (
        ("index-merged",), "the index is merged by deleting first",
        "a stop leaves packs that no index object names, and nothing relies on those but speed"),
    "copy-no-index": (
        ("index-merged",), "copies get no index object",
        "readers find them by listing packs, and pruners stop where they know too little"),
}
