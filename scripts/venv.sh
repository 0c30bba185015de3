#!/usr/bin/env bash
# Create .venv with the first Python >= 3.11 on this machine, or say in one sentence what is missing.
set -euo pipefail
cd "$(dirname "$0")/.."

# PYTHON=... on the command line of make overrides the search.
find_python() {
    local candidate
    for candidate in ${PYTHON:-} python3 python3.11 python3.12 python3.13; do
        if command -v "$candidate" >/dev/null &&
            "$candidate" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
            command -v "$candidate"
            return
        fi
    done
    echo "Vedette needs Python 3.11 or newer; this machine has none (Debian: apt-get install python3)." >&2
    exit 1
}

python=$(find_python)
if [[ -x .venv/bin/python ]] && .venv/bin/python -c 'import pip' 2>/dev/null; then
    exit 0
fi
if ! "$python" -c 'import ensurepip, venv' 2>/dev/null; then
    scripts/debian.sh python3-venv
fi
"$python" -m venv .venv || { rm -rf .venv; exit 1; }
