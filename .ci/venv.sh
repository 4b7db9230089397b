#!/usr/bin/env bash
# `venv.sh DIRECTORY WANTED`: a virtual environment whose pip knows dependency groups (25.1).
# WANTED is as for python.sh. An environment that works and fits is kept.
set -euo pipefail

directory=$1
wanted=$2
find_python() { bash "$(dirname "${BASH_SOURCE[0]}")/python.sh" "$wanted" "$@"; }

if ! find_python "$directory/bin/python" >/dev/null 2>&1; then
    python=$(find_python)
    echo "Making $directory with $("$python" -V)"
    "$python" -m venv --clear "$directory"
fi
"$directory/bin/python" -m pip install -qq --upgrade "pip>=25.1"
