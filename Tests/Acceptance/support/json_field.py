"""json_field.py TYPE KEY: reads JSON lines, prints KEY of the last object of TYPE as one word: a string bare,
everything else as JSON. Prints nothing where there is none."""
import json
import sys

wanted_type, key = sys.argv[1:]
found = None
for line in sys.stdin.buffer:
    try:
        value = json.loads(line)
    except ValueError:
        continue
    if isinstance(value, dict) and value.get("type") == wanted_type:
        found = value
if found is not None and key in found:
    value = found[key]
    print(value if isinstance(value, str) else json.dumps(value, sort_keys=True))
