"""interrupt.py SIGNAL BYTES COMMAND...: pipes BYTES random bytes into COMMAND, and when they have been taken and the
pipe is still open, sends it SIGNAL. Exits as COMMAND did, with 128 + N where a signal ended it."""
import os
import random
import signal
import subprocess
import sys

name, count, command = sys.argv[1], int(sys.argv[2]), sys.argv[3:]


def as_from_a_terminal():
    # a shell script's background jobs ignore the interrupt, and so would what they start
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)


child = subprocess.Popen(command, stdin=subprocess.PIPE, preexec_fn=as_from_a_terminal)
generator = random.Random(count)
try:
    while count > 0:
        block = generator.randbytes(min(count, 1 << 20))
        child.stdin.write(block)
        count -= len(block)
    child.stdin.flush()
    os.kill(child.pid, getattr(signal, "SIG" + name))
    code = child.wait(timeout=60)
except BrokenPipeError:
    code = child.wait(timeout=60)
except subprocess.TimeoutExpired:
    print("the program ran on for a minute after the signal", file=sys.stderr)
    child.kill()
    code = child.wait()
sys.exit(code if code >= 0 else 128 - code)
