"""tree.py make DIR: fills DIR with every kind of file that a user's directory can hold.
tree.py list DIR: describes DIR, one JSON line per entry with all that a restore has to bring back; two equal trees
give equal lines. Run as root it makes and lists owners, devices and trusted attributes too."""
import hashlib
import json
import os
import socket
import stat
import sys

root = os.geteuid() == 0
MIB = 1 << 20


def make(top):
    os.makedirs(top)
    os.chdir(top)
    os.umask(0o022)

    def write(name, content, mode=0o644):
        directory = os.path.dirname(name)
        if directory:
            os.makedirs(directory, exist_ok=True)
        with open(name, "wb") as out:
            out.write(content)
        os.chmod(name, mode)

    write("THIS-IS-THE-TOP", b"")
    write("empty", b"")
    write("one-byte", b"x")
    write("text.conf", b"key = value\n" * 1000)
    write("random.bin", os.urandom(5 * MIB))
    for size in (4095, 4096, 4097, 65535, 65536, 65537, 131072, 1048577):
        write(f"sizes/{size}", hashlib.shake_128(str(size).encode()).digest(size))
    for mode in (0o400, 0o600, 0o640, 0o755, 0o777, 0o444, 0o4755, 0o2755, 0o1644):
        write(f"modes/{mode:04o}", b"mode", mode)
    os.makedirs("directories/closed", mode=0o700)
    os.makedirs("directories/sticky")
    os.chmod("directories/sticky", 0o1777)
    os.makedirs("directories/empty")
    os.makedirs("/".join(["deep"] * 40))
    write("/".join(["deep"] * 40) + "/bottom", b"down here")
    for number in range(300):
        write(f"many/{number % 10}/{number}", str(number).encode() * number)

    # names that are no words
    for name in (b" leading and trailing ", b"-r", b"--help", b"new\nline", b"tab\tquote'\"back\\slash", b"*?[a]",
                 "größe-笑-😀".encode(), b"not-utf8-\xff\xfe", b"n" * 255, b"...", b"caf\xc3\xa9", b"cafe\xcc\x81"):
        with open(b"names-" + name if len(name) < 200 and not name.startswith((b"-", b".")) else name, "wb") as out:
            out.write(name)

    # links
    os.symlink("text.conf", "link-to-file")
    os.symlink("sizes", "link-to-directory")
    os.symlink("nowhere at all", "link-to-nothing")
    os.symlink("../" * 50 + "etc/passwd", "link-out")
    os.symlink(b"\xff\xfe", b"link-not-utf8")
    write("linked", b"one file, three names")
    os.link("linked", "linked-too")
    os.link("linked", "sizes/linked-three")
    os.link("link-to-file", "symlink-linked")

    # holes
    with open("all-hole", "wb") as out:
        out.truncate(64 * MIB)
    with open("some-holes", "wb") as out:
        for place in (0, 8, 20):
            out.seek(place * MIB)
            out.write(os.urandom(4096))
        out.truncate(40 * MIB)
    write("real-zeros", bytes(MIB))

    # attributes
    write("with-attributes", b"attributes")
    try:
        os.setxattr("with-attributes", "user.comment", "größer".encode())
        os.setxattr("with-attributes", "user.bytes", bytes(range(256)))
        os.setxattr("with-attributes", "user.empty", b"")
        os.setxattr("directories", "user.of-a-directory", b"yes")
        if root:
            os.setxattr("with-attributes", "trusted.secret", b"for root")
    except OSError:
        pass  # a file system without them

    # what is no file
    os.mkfifo("fifo", 0o640)
    listener = socket.socket(socket.AF_UNIX)
    listener.bind("socket")
    listener.close()
    if root:
        os.mknod("device-null", stat.S_IFCHR | 0o666, os.makedev(1, 3))
        os.mknod("device-block", stat.S_IFBLK | 0o660, os.makedev(7, 200))
        write("owned", b"by somebody else")
        os.chown("owned", 12345, 54321)
        os.chown("many", 1, 2)
        os.lchown("link-to-nothing", 12345, 54321)

    # times, last, since all the above changes them
    odd = {"one-byte": 0, "text.conf": 1, "random.bin": 1234567890_123456789, "empty": 4102444800_999999999,
           "linked": 951782400_000000001, "sizes/4096": -86400 * 10**9}
    for name, when in odd.items():
        os.utime(name, ns=(when, when))
    os.utime("link-to-nothing", ns=(5 * 10**9, 7 * 10**9 + 7), follow_symlinks=False)
    for directory, _, _ in sorted(os.walk(b"."), key=lambda entry: -len(entry[0])):
        os.utime(directory, ns=(0, 1_600_000_000_000_000_000 + len(directory)))


def describe(path, first_names):
    status = os.lstat(path)
    kind = stat.S_IFMT(status.st_mode)
    entry = {"mode": f"{stat.S_IMODE(status.st_mode):04o}", "mtime": status.st_mtime_ns,
             "kind": {stat.S_IFREG: "file", stat.S_IFDIR: "directory", stat.S_IFLNK: "symlink", stat.S_IFIFO: "fifo",
                      stat.S_IFSOCK: "socket", stat.S_IFCHR: "character", stat.S_IFBLK: "block"}[kind]}
    if root:
        entry["owner"] = [status.st_uid, status.st_gid]
    if kind == stat.S_IFLNK:
        entry["target"] = os.fsdecode(os.readlink(path))
        del entry["mode"]
    if kind in (stat.S_IFCHR, stat.S_IFBLK):
        entry["device"] = [os.major(status.st_rdev), os.minor(status.st_rdev)]
    if kind == stat.S_IFREG:
        entry["size"] = status.st_size
        digest = hashlib.sha256()
        try:
            with open(path, "rb") as content:
                while block := content.read(MIB):
                    digest.update(block)
            entry["sha256"] = digest.hexdigest()
        except PermissionError:
            entry["sha256"] = "unreadable"
        if status.st_size >= 8 * MIB:
            entry["is_sparse"] = status.st_blocks * 512 < status.st_size // 2
    if kind != stat.S_IFDIR and status.st_nlink > 1:
        entry["same_as"] = first_names.setdefault((status.st_dev, status.st_ino), os.fsdecode(path))
    try:
        names = os.listxattr(path, follow_symlinks=False)
        entry["attributes"] = {name: os.getxattr(path, name, follow_symlinks=False).hex() for name in sorted(names)}
    except OSError:
        pass
    return entry


def listing(top):
    os.chdir(top)
    first_names = {}
    paths = [b"."]
    for directory, directories, files in os.walk(b"."):
        paths += [os.path.join(directory, name) for name in directories + files]
    for path in sorted(paths):
        print(json.dumps({"path": os.fsdecode(path), **describe(path, first_names)}, sort_keys=True))


{"make": make, "list": listing}[sys.argv[1]](sys.argv[2])
