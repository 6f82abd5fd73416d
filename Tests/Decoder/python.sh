#!/usr/bin/env bash
# Prints a Python that has what decoder.py needs; what it lacks is installed into .build/decoder-venv, once.
set -euo pipefail
top=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
python=python3
if ! python3 -c 'import cryptography, zstandard' 2>/dev/null; then
    python=$top/.build/decoder-venv/bin/python
    if ! "$python" -c 'import cryptography, zstandard' 2>/dev/null; then
        python3 -m venv "$top/.build/decoder-venv" >&2 || {
            echo "python3 makes no virtual environment: is python3-venv there?" >&2
            exit 1
        }
        "$python" -m pip install --quiet --disable-pip-version-check cryptography zstandard >&2 || {
            echo "pip does not install cryptography and zstandard" >&2
            exit 1
        }
    fi
fi
echo "$python"
