#!/usr/bin/env bash
# Make the risk model again: fit_model.sh TOOL WORK [MODEL]. TOOL is the shared benchmark tool threat_bench.py;
# WORK a folder for what is made on the way (about 4 GB), where what is there already is used; MODEL the file to
# write, by default the one that is shipped. docs/threat-model.md says what each step is for.
set -euo pipefail
tool=$(realpath "$1") work=$2 model=${3:-src/vedette/assess/model.json}
here=$(cd "$(dirname "$0")/.." && pwd)
vedette=${VEDETTE:-$here/.venv/bin/vedette} python=${PYTHON:-$here/.venv/bin/python}
case $model in /*) ;; *) model=$PWD/$model ;; esac
[[ $# -ge 3 ]] || model=$here/src/vedette/assess/model.json
mkdir -p "$work"
cd "$work"

features() { # what the assessor computes of every pair, once a second
    [[ -e $1/features.npz ]] && return
    "$vedette" assess "$1" --features "$1/new.npz" >/dev/null
    mv "$1/new.npz" "$1/features.npz"
}
bench() { # NAME SEED: encounters of the shared tool
    [[ -e $1/labels.jsonl ]] || "$python" "$tool" make "$1" --hostile 240 --benign 600 --seed "$2" >/dev/null
    features "$1"
}
own() { # NAME COLLECTION FIRST COUNT [--mix MIX]: our own encounters
    [[ -e $1/site.json ]] || "$vedette" simulate --encounters "$2" --first "$3" --count "$4" "${@:5}" -o "$1" >/dev/null
    features "$1"
}

bench b1 1
bench b2 2
bench b3 3
bench b4 4
bench b5 5
bench b6 6
own ot training 0 560
own rid training 700 160 --mix remote-id-only
own oc calibration 0 280
"$vedette" fit b1 b2 b3 b4 b5 ot rid --share ot=2 --share rid=2 --held-out b6 --held-out oc -o "$model"
