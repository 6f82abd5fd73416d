"""Runs one command and measures the whole process: seconds, CPU seconds, the largest resident set.

A dump comes through a pipe from cat and what is written goes into one to cat: neither's cost is counted. A process is
never seen smaller than the one that started it, some 20 MB.
"""
import hashlib
import os
import platform
import shutil
import signal
import subprocess
import sys
import tempfile
import time


def run(command, environment, source=None, sink=None, keep_output=False):
    """Runs a command and says what it took; ends the whole run when it fails, since half a table misleads.

    source: a command that writes what is read from standard input, as a list.
    sink: a command that reads standard output, as a list.
    keep_output: the standard output comes back as "output".
    """
    processes = []
    with tempfile.TemporaryFile() as errors, tempfile.TemporaryFile() as output:
        try:
            feed = drain = None
            if source:
                feed = subprocess.Popen(source, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE)
                processes.append(feed)
            if sink:
                drain = subprocess.Popen(sink, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
                processes.append(drain)
            started = time.monotonic()
            process = subprocess.Popen(
                command, env=environment, stderr=errors,
                stdin=feed.stdout if feed else subprocess.DEVNULL,
                stdout=drain.stdin if drain else output if keep_output else subprocess.DEVNULL)
            processes.append(process)
            if feed:
                feed.stdout.close()
            if drain:
                drain.stdin.close()
            _, status, usage = os.wait4(process.pid, 0)
            seconds = time.monotonic() - started
            process.returncode = os.waitstatus_to_exitcode(status)
            if process.returncode != 0:
                errors.seek(0)
                said = errors.read()[-2000:].decode(errors="replace").strip()
                sys.exit(f"{program()}: {' '.join(command)} ended with {process.returncode}: {said}")
            took = {"seconds": seconds, "cpu": usage.ru_utime + usage.ru_stime, "peak_bytes": usage.ru_maxrss * 1024}
            if drain:
                took["output"] = drain.stdout.read().decode()
                if drain.wait() != 0:
                    sys.exit(f"{program()}: {' '.join(sink)} ended with {drain.returncode}")
            elif keep_output:
                output.seek(0)
                took["output"] = output.read().decode()
            return took
        finally:
            for process in processes:
                if process.returncode is None and process.poll() is None:
                    process.kill()
                    process.wait()


def through_pipe(command, environment):
    """Like `run`, into a pipe that is emptied at once."""
    return run(command, environment, sink=["sh", "-c", "exec cat >/dev/null"])


def hash_of_output(command, environment):
    """Like `run`, with the SHA-256 of what the command wrote as "output"."""
    digest = "import hashlib, sys; print(hashlib.file_digest(sys.stdin.buffer, 'sha256').hexdigest())"
    took = run(command, environment, sink=[sys.executable, "-c", digest])
    return took | {"output": took["output"].strip()}


def hash_of_file(path):
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def warm(path):
    """Reads a file once, so that it is in memory; its length."""
    with open(path, "rb") as file:
        while file.read(1 << 20):
            pass
    return os.path.getsize(path)


def machine():
    with open("/proc/cpuinfo") as file:
        models = [line.split(":", 1)[1].strip() for line in file if line.startswith("model name")]
    with open("/proc/meminfo") as file:
        memory = int(file.readline().split()[1]) * 1024
    with open("/etc/os-release") as file:
        system = [line.split("=", 1)[1].strip().strip('"') for line in file if line.startswith("PRETTY_NAME=")]
    return {"processor": models[0] if models else platform.machine(), "processors": os.cpu_count(),
            "memory_bytes": memory, "system": (system or [platform.system()])[0], "kernel": platform.release(),
            "load_before": round(os.getloadavg()[0], 2)}


def describe(machine):
    return (f"{machine['processors']} cores of {machine['processor']}, {machine['memory_bytes'] / 2**30:.0f} GiB, "
            f"{machine['system']}, load before {machine['load_before']}")


def program():
    return os.path.splitext(os.path.basename(sys.argv[0]))[0]


def tell(text):
    print(time.strftime("%H:%M:%S"), text, file=sys.stderr, flush=True)


class Workplace:
    """A new directory for repositories, gone at the end however the run ends."""

    def __init__(self, parent):
        self.parent = os.path.abspath(parent)

    def __enter__(self):
        signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(f"{program()}: terminated"))
        os.makedirs(self.parent, exist_ok=True)
        self.directory = tempfile.mkdtemp(prefix="repositories-", dir=self.parent)
        return self.directory

    def __exit__(self, kind, error, trace):
        shutil.rmtree(self.directory, ignore_errors=True)


def main_guarded(main):
    """Runs a script's main; an interruption needs no trace."""
    try:
        main()
    except KeyboardInterrupt:
        sys.exit(f"{program()}: interrupted")
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(1)
