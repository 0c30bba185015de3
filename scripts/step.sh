#!/usr/bin/env bash
# step.sh LABEL COMMAND...: run a long command quietly, show that it is alive and how long it took.
# What it prints is kept in .venv/log/ and shown only when it fails.
set -uo pipefail
label=$1
shift
folder="$(dirname "$0")/../.venv/log"
mkdir -p "$folder"
log="$folder/$(tr -cs 'a-zA-Z0-9' '-' <<<"$label" | sed 's/^-*//; s/-*$//').txt"

"$@" >"$log" 2>&1 </dev/null &
job=$!
trap 'kill "$job" 2>/dev/null; exit 130' INT TERM
started=$SECONDS
if [[ -t 2 ]]; then
    while kill -0 "$job" 2>/dev/null; do
        printf '\r  %-52s %4d s ' "$label" $((SECONDS - started)) >&2
        sleep 0.5
    done
    printf '\r' >&2
else
    printf '  %s ...\n' "$label" >&2
fi
if wait "$job"; then
    printf '  %-52s done, %d s\n' "$label" $((SECONDS - started)) >&2
else
    code=$?
    printf '  %-52s FAILED after %d s\n' "$label" $((SECONDS - started)) >&2
    tail -n 40 "$log" >&2
    printf '\nThe whole output: %s\n' "$log" >&2
    exit "$code"
fi
