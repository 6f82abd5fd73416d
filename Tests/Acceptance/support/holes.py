"""holes.py SAVED RESTORED: reads the summary of `repo restore --allow-damaged --json`, and fails unless RESTORED is SAVED
with zeros in the ranges of data that are said to be lost, and nowhere else. Prints how many bytes those are."""
import json
import sys

saved, restored = (bytearray(open(path, "rb").read()) for path in sys.argv[1:])
summary = [json.loads(line) for line in sys.stdin if line.startswith("{")][-1]
lost = 0
for stream in summary["lost"]:
    if stream["stream"] != "data":
        continue
    for hole in stream["ranges"]:
        start, count = hole["offset"], hole["length"]
        saved[start:start + count] = bytes(count)
        lost += count
if saved != restored or lost == 0:
    sys.exit(f"{lost} bytes are said to be lost; the rest is {'the same' if saved == restored else 'another'}")
print(f"# {lost} bytes are lost")
