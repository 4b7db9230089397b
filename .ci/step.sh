#!/usr/bin/env bash
# `step.sh TITLE COMMAND…`: run one step under a title, and say how long it took.
set -euo pipefail

title=$1
shift
echo "=== $title"
"$@" || { status=$?; echo "=== $title: FAILED (exit status $status, $SECONDS s)" >&2; exit "$status"; }
echo "=== $title: ok ($SECONDS s)"
