"""Every single measurement of a comparison, and the figures that are made of them."""
import statistics


class Measurements:
    def __init__(self, entries=()):
        self.all = list(entries)

    def add(self, **entry):
        self.all.append(entry)

    def has(self, corpus):
        return any(entry["corpus"] == corpus for entry in self.all)

    def of(self, corpus, operation, tool, figure, day=None):
        """A figure of each measurement of an operation, in the order they were taken."""
        return [figure(entry) for entry in self.all
                if (entry["corpus"], entry["operation"], entry["tool"]) == (corpus, operation, tool)
                and day in (None, entry["day"])]

    def median(self, corpus, operation, tool, figure, day=None):
        """None where nothing was measured."""
        values = self.of(corpus, operation, tool, figure, day)
        return statistics.median(values) if values else None

    def greatest(self, corpus, operations, tool, figure):
        return max((value for operation in operations for value in self.of(corpus, operation, tool, figure)),
                   default=None)

    def ratio(self, corpus, operation, figure, peer="restic", day=None):
        """Ours to a peer's; None where one of them is missing."""
        ours, theirs = (self.median(corpus, operation, tool, figure, day) for tool in ("repo", peer))
        return ours / theirs if ours is not None and theirs else None


def speed(entry):
    """MB/s of what was read or restored; of check, of the repository."""
    return entry["input_bytes"] / entry["seconds"] / 1e6


def cpu(entry):
    """CPU seconds per GB."""
    return entry["cpu"] / (entry["input_bytes"] / 1e9)


def peak(entry):
    """Peak memory in MB."""
    return entry["peak_bytes"] / 1e6


def growth(entry):
    """What the repository grew by, in MB."""
    return (entry["repository_after"] - entry["repository_before"]) / 1e6


def size(entry):
    """The repository afterwards, in MB."""
    return entry["repository_after"] / 1e6


def seconds(entry):
    return entry["seconds"]
