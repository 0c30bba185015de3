#!/usr/bin/env bash
# The real programs that tests talk to. Missing ones are installed where we may; otherwise they are
# named, and the tests that need them skip (or fail, under VEDETTE_NO_SKIP=1).
set -euo pipefail
cd "$(dirname "$0")/.."

missing=()
for program in tshark chromium gcc dump1090-mutability mosquitto; do
    command -v "$program" >/dev/null || missing+=("$program")
done
[[ " ${missing[*]} " == *" gcc "* ]] && missing+=(libc6-dev)
command -v gdal_viewshed >/dev/null || missing+=(gdal-bin)
if ((${#missing[@]})); then
    scripts/step.sh "Debian packages for the tests: ${missing[*]}" scripts/debian.sh "${missing[@]}" ||
        echo "  tests that need these programs will skip: ${missing[*]}" >&2
fi
