#!/usr/bin/env bash
# Build the web page (or `check`: its types and tests) with the machine's node >= 20 and npm, or with node from PyPI in .venv.
set -euo pipefail
cd "$(dirname "$0")/.."

machine_node_is_good() {
    command -v node >/dev/null && command -v npm >/dev/null &&
        node -e 'process.exit(Number(process.versions.node.split(".")[0]) >= 20 ? 0 : 1)'
}

if ! machine_node_is_good; then
    if [[ ! -x .venv/bin/npm ]]; then
        scripts/step.sh "node (no node >= 20 on this machine)" \
            .venv/bin/pip install --require-hashes --requirement requirements/page.txt
    fi
    PATH="$PWD/.venv/bin:$PATH"
    export PATH
fi
if [[ ${1:-} == check ]]; then
    scripts/step.sh "TypeScript check" npm --prefix web run check
    scripts/step.sh "the page's own tests" npm --prefix web test
    exit
fi
scripts/step.sh "the page's packages" npm --prefix web ci --no-audit --no-fund
scripts/step.sh "the page" npm --prefix web run build
