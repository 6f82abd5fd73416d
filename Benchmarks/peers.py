"""The tools that are measured, each on a repository of its own, and how each is called.

Every tool has its defaults and is encrypted. restic and borg open their repositories with a password; repo with a key
file, as a nightly job would, and with a password for the figures that say so.
"""
import json
import os
import shutil
import subprocess
import sys

from running import program


# What swift build -c release makes.
BUILT = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), ".build", "release", "repo")


class Tool:
    """One tool. Commands are lists; a dump comes on standard input and goes to standard output."""

    name = binary = ""
    version_command = "--version"

    def __init__(self, directory):
        self.directory = directory
        self.repository = os.path.join(directory, "repository")
        self.environment = {key: os.environ[key] for key in ("PATH", "HOME", "LANG", "TMPDIR") if key in os.environ}
        self.environment["XDG_CACHE_HOME"] = os.path.join(directory, "cache")
        self.with_password = self.environment

    def version(self):
        try:
            said = subprocess.run([self.binary, self.version_command], check=True, stdout=subprocess.PIPE, text=True)
        except (OSError, subprocess.CalledProcessError) as error:
            sys.exit(f"{program()}: {self.name} cannot be run: {error}")
        return " ".join(said.stdout.split()[:2])

    def begin(self):
        """A new, empty repository."""
        shutil.rmtree(self.directory, ignore_errors=True)
        os.makedirs(self.directory)
        self.prepare()

    def call(self, *command):
        """Runs a command that is not measured; its output."""
        done = subprocess.run(command, env=self.environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE, text=True)
        if done.returncode != 0:
            sys.exit(f"{program()}: {' '.join(command)} ended with {done.returncode}: {done.stderr.strip()[-2000:]}")
        return done.stdout

    def summary(self, output):
        """What a backup said of itself in its output."""
        return {}

    def size(self):
        return sum(os.lstat(os.path.join(directory, name)).st_size
                   for directory, _, names in os.walk(self.repository) for name in names)


class Repo(Tool):
    name = "repo"

    def __init__(self, directory):
        super().__init__(directory)
        self.binary = os.environ.get("REPO_BIN") or BUILT
        self.password = os.path.join(directory, "password")
        self.key_file = os.path.join(directory, "key")
        self.environment["REPO_REPOSITORY"] = self.repository
        self.with_password = self.environment | {"REPO_PASSWORD_FILE": self.password}
        self.environment["REPO_KEY_FILE"] = self.key_file
        self.list = [self.binary, "list"]
        self.check = [self.binary, "check", "--read-data"]

    def prepare(self):
        with open(self.password, "w") as out:
            out.write("benchmark\n")
        with open(os.open(self.key_file, os.O_WRONLY | os.O_CREAT, 0o600), "wb") as out:
            out.write(os.urandom(32))
        self.call(self.binary, "init", "--recovery-key-file", os.path.join(self.directory, "recovery"))
        self.call(self.binary, "key", "add", "--new-password-file", self.password)

    def backup(self, label):
        return [self.binary, "add", "dump", "--json", "--no-progress"]

    def summary(self, output):
        said = json.loads(output.splitlines()[-1])
        return {key: said[key] for key in ("snapshot", "bytes_new", "bytes_stored", "chunks", "chunks_new",
                                           "frames_delta")}

    def restore(self, label, snapshot="dump"):
        return [self.binary, "cat", snapshot]

    def chunks(self):
        """The chunks that the repository holds."""
        return json.loads(self.call(self.binary, "check", "--json").splitlines()[-1])["chunks"]

    def index_bytes(self):
        """What the local index of them takes on disk."""
        return sum(os.path.getsize(os.path.join(directory, name))
                   for directory, _, names in os.walk(self.environment["XDG_CACHE_HOME"])
                   for name in names if name.startswith("run"))


class Restic(Tool):
    name = binary = "restic"
    version_command = "version"

    def __init__(self, directory):
        super().__init__(directory)
        self.environment |= {"RESTIC_REPOSITORY": self.repository, "RESTIC_PASSWORD": "benchmark"}
        self.list = [self.binary, "snapshots"]
        self.check = [self.binary, "check", "--read-data"]

    def prepare(self):
        self.call(self.binary, "init")

    def backup(self, label):
        return [self.binary, "backup", "--quiet", "--host", "here", "--stdin", "--stdin-filename", "dump"]

    def restore(self, label):
        return [self.binary, "dump", "--quiet", "latest", "dump"]


class Borg(Tool):
    name = binary = "borg"

    def __init__(self, directory):
        super().__init__(directory)
        self.environment |= {"BORG_REPO": self.repository, "BORG_PASSPHRASE": "benchmark",
                             "BORG_BASE_DIR": os.path.join(directory, "cache")}
        self.list = [self.binary, "list"]
        self.check = [self.binary, "check", "--verify-data"]

    def prepare(self):
        self.call(self.binary, "init", "--encryption", "repokey")

    def backup(self, label):
        return [self.binary, "create", "--compression", "zstd,3", "::" + label, "-"]

    def restore(self, label):
        return [self.binary, "extract", "--stdout", "::" + label]


KINDS = {kind.name: kind for kind in (Repo, Restic, Borg)}
