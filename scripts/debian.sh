#!/usr/bin/env bash
# debian.sh PACKAGE...: install Debian packages where we may (as root, or sudo that asks nothing).
# Otherwise say in one sentence what is missing, and fail.
set -euo pipefail

if [[ $(id -u) == 0 ]]; then
    as_root=()
elif command -v sudo >/dev/null && sudo -n true 2>/dev/null; then
    as_root=(sudo -n)
else
    echo "Please have an administrator run: apt-get install $*" >&2
    exit 1
fi
if ! command -v apt-get >/dev/null; then
    echo "This machine has no apt-get; please install what Debian calls: $*" >&2
    exit 1
fi

install() {
    "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -qq --yes \
        --no-install-recommends "$@" </dev/null
}
# The package lists of a machine in use are mostly good enough; fetch them only when they are not.
install "$@" || { "${as_root[@]}" apt-get update -qq </dev/null && install "$@"; }
