#!/usr/bin/env bash
# Fuzz every decoder, one after the other: nightly.sh [SECONDS for each, default 300]. Each is fuzzed twice:
# by our own mutations for SECONDS, and by coverage (atheris) for a quarter of that, 60 s at least. Then the
# tracker's properties, with SECONDS / 10 times as many examples as in the suite, 2,000 or more of each over short
# flights, and a day of clutter; and the tests of the tracker with every index of its kernels checked.
set -euo pipefail
cd "$(dirname "$0")/.."

seconds=${1:-300}
guided=$((seconds / 4 > 60 ? seconds / 4 : 60))
failed=()
if ! .venv/bin/python -c "import atheris" 2>/dev/null; then
    echo "atheris has no wheel for this machine: coverage-guided runs are left out" >&2
    guided=0
fi
for fuzzer in tests/fuzz/fuzz_*.py; do
    [[ -e $fuzzer ]] || { echo "no fuzzers under tests/fuzz" >&2; exit 1; }
    echo "== $fuzzer, $seconds s" >&2
    .venv/bin/python "$fuzzer" --seconds "$seconds" || failed+=("$fuzzer")
    ((guided)) || continue
    echo "== $fuzzer, by coverage, $guided s" >&2
    .venv/bin/python "$fuzzer" --seconds "$guided" --guided 2>&1 | grep -v "# Uses:" || failed+=("$fuzzer --guided")
done
factor=$((seconds / 10 > 1 ? seconds / 10 : 1))
echo "== properties of the tracker, and a day of clutter" >&2
VEDETTE_PROPERTY_FACTOR=$factor VEDETTE_CLUTTER_HOURS=24 \
    .venv/bin/pytest tests/fuse/test_properties.py tests/fuse/test_properties_memory.py || failed+=("properties")
echo "== the same over short flights" >&2
VEDETTE_PROPERTY_FACTOR=$((factor > 500 ? factor : 500)) VEDETTE_PROPERTY_SECONDS=1 \
    .venv/bin/pytest tests/fuse/test_properties.py || failed+=("properties of short flights")
echo "== the tracker, with every index checked" >&2
checked=$(mktemp -d)
NUMBA_BOUNDSCHECK=1 NUMBA_CACHE_DIR=$checked .venv/bin/pytest tests/fuse || failed+=("indices")
rm -rf "$checked"
if ((${#failed[@]})); then
    printf 'found faults: %s\n' "${failed[*]}" >&2
    exit 1
fi
