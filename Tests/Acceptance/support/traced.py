"""Runs a program under ptrace and kills it at a chosen system call, whichever of its threads makes it.

strace's `inject` counts the calls of every thread by itself, so it cannot name the hundredth call of a program with
twelve threads; and it kills before a call or lets it be, while a write that a signal cuts short is a third case.
Linux on x86-64 only; root, because a program that is not dumpable shows its memory to nobody else.
"""
import ctypes
import os
import signal
import struct

libc = ctypes.CDLL(None, use_errno=True)
libc.ptrace.restype = ctypes.c_long
libc.ptrace.argtypes = (ctypes.c_long, ctypes.c_long, ctypes.c_void_p, ctypes.c_void_p)
TRACEME, POKEUSER, SETOPTIONS, SYSCALL, GET_SYSCALL_INFO = 0, 6, 0x4200, 24, 0x420E
SYSGOOD, CLONE, EXITKILL, WALL = 1, 8, 1 << 20, 0x40000000
THIRD_ARGUMENT = 12 * 8     # where user_regs_struct has rdx
ENTRY, EXIT = 1, 2

# What each call names, by the places of its arguments: a descriptor, or a directory's descriptor and a path.
BY_DESCRIPTOR = {
    0: "read", 1: "write", 3: "close", 5: "fstat", 17: "pread64", 18: "pwrite64", 19: "readv", 20: "writev", 42: "connect",
    44: "sendto", 45: "recvfrom", 46: "sendmsg", 47: "recvmsg", 74: "fsync", 75: "fdatasync", 77: "ftruncate",
    91: "fchmod", 93: "fchown", 217: "getdents64", 285: "fallocate", 295: "preadv", 296: "pwritev"}
BY_PATH = {
    2: ("open", (None, 0)), 4: ("stat", (None, 0)), 6: ("lstat", (None, 0)), 21: ("access", (None, 0)),
    82: ("rename", (None, 0), (None, 1)), 83: ("mkdir", (None, 0)), 84: ("rmdir", (None, 0)),
    86: ("link", (None, 0), (None, 1)), 87: ("unlink", (None, 0)), 88: ("symlink", (None, 1)), 90: ("chmod", (None, 0)),
    257: ("openat", (0, 1)), 258: ("mkdirat", (0, 1)), 262: ("newfstatat", (0, 1)), 263: ("unlinkat", (0, 1)),
    264: ("renameat", (0, 1), (2, 3)), 265: ("linkat", (0, 1), (2, 3)), 266: ("symlinkat", (1, 2)),
    268: ("fchmodat", (0, 1)), 280: ("utimensat", (0, 1)), 316: ("renameat2", (0, 1), (2, 3)), 332: ("statx", (0, 1))}
WRITES = {"write", "pwrite64", "sendto"}
SHORTENED = {"read", "pread64", "write", "pwrite64"}
CHANGES = WRITES | {"writev", "pwritev", "sendmsg", "ftruncate", "fallocate", "rename", "renameat", "renameat2", "mkdir",
                    "mkdirat", "rmdir", "link", "linkat", "unlink", "unlinkat", "symlink", "symlinkat", "fchmod",
                    "connect", "fsync", "fdatasync"}
O_CREAT = 0o100


class Call:
    """One call at its entry: its name, what it names, whether it changes something."""

    def __init__(self, name, places, changes):
        self.name, self.places, self.changes = name, places, changes


def ptrace(request, tid, address=0, data=0):
    result = libc.ptrace(request, tid, address, data)
    if result < 0:
        error = ctypes.get_errno()
        raise OSError(error, os.strerror(error))
    return result


class Tracee:
    def __init__(self, command, environment, output, errors):
        self.pid = os.fork()
        if self.pid == 0:
            try:
                os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
                os.dup2(output.fileno(), 1)
                os.dup2(errors.fileno(), 2)
                ptrace(TRACEME, 0)
                os.execve(command[0], command, environment)
            finally:
                os._exit(127)
        _, status = os.waitpid(self.pid, 0)
        if not os.WIFSTOPPED(status):
            raise OSError(f"{command[0]} cannot be traced")
        ptrace(SETOPTIONS, self.pid, 0, SYSGOOD | CLONE | EXITKILL)
        self.memory = os.open(f"/proc/{self.pid}/mem", os.O_RDONLY)
        self.info = ctypes.create_string_buffer(88)

    def text(self, address):
        page = 4096 - address % 4096
        data = os.pread(self.memory, page, address)
        if b"\0" not in data:
            data += os.pread(self.memory, 4096, address + page)
        return os.fsdecode(data.split(b"\0", 1)[0])

    def descriptor(self, number):
        number = number & 0xFFFFFFFF
        try:
            return os.readlink(f"/proc/{self.pid}/fd/{number}")
        except OSError:
            return ""

    def call(self, tid):
        """Which stop this is, and of an entry the call, None for one that names nothing."""
        ptrace(GET_SYSCALL_INFO, tid, len(self.info), ctypes.addressof(self.info))
        if self.info.raw[0] != ENTRY:
            return self.info.raw[0], None
        number, *arguments = struct.unpack_from("<7Q", self.info.raw, 24)
        if number in BY_DESCRIPTOR:
            name = BY_DESCRIPTOR[number]
            return ENTRY, Call(name, [self.descriptor(arguments[0])], name in CHANGES)
        if number not in BY_PATH:
            return ENTRY, None
        name, *pairs = BY_PATH[number]
        places = []
        for directory, path in pairs:
            place = self.text(arguments[path])
            if not place.startswith("/") and directory is not None:
                place = os.path.join(self.descriptor(arguments[directory]), place).rstrip("/")
            places.append(place)
        changes = name in CHANGES or name == "openat" and bool(arguments[2] & O_CREAT)
        return ENTRY, Call(name, places, changes)

    def halve(self, tid):
        """Of the call that `tid` is about to make: half of what it would read or write, as if a signal had come meanwhile;
        whole sectors, as far as there are any, because some files take no others."""
        length = struct.unpack_from("<7Q", self.info.raw, 24)[3]
        ptrace(POKEUSER, tid, THIRD_ARGUMENT, length // 1024 * 512 or (length + 1) // 2)


def run(command, environment, output, errors, counts, at=None, how="before"):
    """Runs `command`; of the calls of which counts(call) says yes, kills it at number `at`, from 0: before it, after it,
    or `half` way through. `short` kills it never, and has every call that counts read or write half. The exit status, None
    where it was killed, and the calls that counted."""
    tracee = Tracee(command, environment, output, errors)
    counted, due, threads, status = [], None, {tracee.pid}, None

    def kill():
        os.kill(tracee.pid, signal.SIGKILL)

    ptrace(SYSCALL, tracee.pid)
    while True:
        try:
            tid, stop = os.waitpid(-1, WALL)
        except ChildProcessError:
            break
        if os.WIFEXITED(stop) or os.WIFSIGNALED(stop):
            if tid == tracee.pid:
                status = os.waitstatus_to_exitcode(stop)
            continue
        signal_number, event, deliver = os.WSTOPSIG(stop), stop >> 16, 0
        try:
            if signal_number == signal.SIGTRAP | 0x80:
                kind, call = tracee.call(tid)
                if kind == EXIT and due == tid:
                    kill()
                    continue
                if call and counts(call):
                    counted.append(call)
                    if how == "short":
                        tracee.halve(tid)
                    if at == len(counted) - 1:
                        if how == "before":
                            kill()
                            continue
                        if how == "half":
                            tracee.halve(tid)
                        due = tid
            elif event == 0 and tid in threads:
                deliver = signal_number
            threads.add(tid)
            ptrace(SYSCALL, tid, 0, deliver)
        except ProcessLookupError:
            pass    # it died meanwhile
    os.close(tracee.memory)
    return None if status is not None and status < 0 else status, counted
