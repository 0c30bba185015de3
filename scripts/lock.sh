#!/usr/bin/env bash
# Resolve every requirement to exact versions with the hashes of all published wheels.
# The resolver is kept away from this machine's pip settings, so that no address or path of this
# machine can decide what is locked, or end up in the files.
set -euo pipefail
cd "$(dirname "$0")/.."

export PIP_CONFIG_FILE=/dev/null CUSTOM_COMPILE_COMMAND="make lock"
unset PIP_FIND_LINKS PIP_INDEX_URL PIP_EXTRA_INDEX_URL PIP_TRUSTED_HOST

UPGRADE=()
if [[ ${1:-} == --upgrade ]]; then UPGRADE=(--upgrade); fi

cd requirements
PIP_COMPILE=../.venv/bin/pip-compile
compile() {
    echo "locking requirements/$1.txt"
    "$PIP_COMPILE" --quiet --no-config --generate-hashes --allow-unsafe --strip-extras \
        --no-emit-index-url --no-emit-find-links --no-emit-trusted-host --no-emit-options \
        "${UPGRADE[@]}" --output-file "$1.txt" "$1.in"
}
for name in run test fuzz page lock; do compile "$name"; done
