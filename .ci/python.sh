#!/usr/bin/env bash
# `python.sh WANTED [CANDIDATE…]`: print the path of a working Python.
# WANTED is 3.13 for exactly that one, 3.11+ for that or newer; candidates replace the usual places.
#
# A name on PATH proves nothing: `python3.13` may be a shim of pyenv that only fails, and Debian ships
# Pythons without venv. So every candidate has to answer.
set -euo pipefail

wanted=$1
shift

usual_places() {
    local versions=("$wanted") version
    if [[ $wanted == *+ ]]; then
        # What people mean by "python" comes first, if it is new enough.
        type -aP python3 python || true
        versions=(3.13 3.12 3.14 "${wanted%+}")
    fi
    for version in "${versions[@]}"; do
        type -aP "python$version" || true
        printf '%s\n' "${PYENV_ROOT:-$HOME/.pyenv}/versions/$version".*/bin/python3 \
            {/usr,/usr/local,/opt/homebrew}/bin/"python$version"
        if command -v uv >/dev/null; then uv python find "$version" 2>/dev/null || true; fi
    done
}

answer='
import sys, ensurepip, venv
wanted = sys.argv[1]
minimum = tuple(map(int, wanted.rstrip("+").split(".")))
if sys.version_info[:2] == minimum or wanted.endswith("+") and sys.version_info[:2] > minimum:
    print(sys.executable)
'

while read -r candidate; do
    found=$("$candidate" -I -c "$answer" "$wanted" 2>/dev/null) || continue
    if [[ -n $found ]]; then
        echo "$found"
        exit 0
    fi
done < <(if (($#)); then printf '%s\n' "$@"; else usual_places; fi)

echo "no Python ${wanted/+/ or newer} that has venv; looked at ${*:-PATH, pyenv, /usr/bin, /usr/local/bin and uv}" >&2
exit 1
