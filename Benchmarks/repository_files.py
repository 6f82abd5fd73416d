"""What a repository of repo consists of: bytes by class of file (docs/format.md, sections 2 and 7)."""
import os

CLASSES = ("data packs", "list packs", "index", "manifests", "commits", "other")
FOLDERS = {"index": "index", "snapshots": "manifests", "commits": "commits"}


def kind_of(path, folder):
    if folder != "packs":
        return FOLDERS.get(folder, "other")
    with open(path, "rb") as file:
        header = file.read(9)
    return "list packs" if header[8] == 1 else "data packs"


class RepositoryFiles:
    """Follows a repository and tells how much of each class came since one looked last."""

    def __init__(self, repository):
        self.repository = repository
        self.known = {}

    def look(self):
        """Bytes by class that came since; what went counts against its class."""
        grown = dict.fromkeys(CLASSES, 0)
        now = {}
        for directory, _, names in os.walk(self.repository):
            folder = os.path.relpath(directory, self.repository).split(os.sep)[0]
            for name in names:
                path = os.path.join(directory, name)
                now[path] = self.known.get(path) or (kind_of(path, folder), os.lstat(path).st_size)
        for path in now.keys() - self.known.keys():
            kind, size = now[path]
            grown[kind] += size
        for path in self.known.keys() - now.keys():
            kind, size = self.known[path]
            grown[kind] -= size
        self.known = now
        return grown


def metadata_share(grown):
    """The share of everything but data packs."""
    total = sum(grown.values())
    return 1 - grown["data packs"] / total if total else 0
