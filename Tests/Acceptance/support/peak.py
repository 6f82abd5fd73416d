"""peak.py FILE COMMAND...: runs COMMAND with our own input and output and writes to FILE what it took, as JSON:
wall and CPU seconds, peak resident bytes of its largest process, exit status. Exits as COMMAND did."""
import json
import os
import signal
import sys
import time

report, command = sys.argv[1], sys.argv[2:]
started = time.monotonic()
pid = os.fork()
if pid == 0:
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)
    try:
        os.execvp(command[0], command)
    except OSError as error:
        print(f"{command[0]}: {error.strerror}", file=sys.stderr)
        os._exit(127)
_, status, usage = os.wait4(pid, 0)
code = os.waitstatus_to_exitcode(status)
with open(report, "w") as out:
    json.dump({"type": "peak", "seconds": time.monotonic() - started, "cpu": usage.ru_utime + usage.ru_stime,
               "peak_bytes": usage.ru_maxrss * 1024, "status": code}, out)
    out.write("\n")
sys.exit(code if code >= 0 else 128 - code)
