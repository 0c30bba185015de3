#!/usr/bin/env bash
# Fuzz every decoder, one after the other: nightly.sh [SECONDS for each, default 300].
set -euo pipefail
cd "$(dirname "$0")/.."

seconds=${1:-300}
failed=()
for fuzzer in tests/fuzz/fuzz_*.py; do
    [[ -e $fuzzer ]] || { echo "no fuzzers under tests/fuzz" >&2; exit 1; }
    echo "== $fuzzer, $seconds s" >&2
    .venv/bin/python "$fuzzer" --seconds "$seconds" || failed+=("$fuzzer")
done
if ((${#failed[@]})); then
    printf 'found faults: %s\n' "${failed[*]}" >&2
    exit 1
fi
