#!/usr/bin/env bash
# OpenCTI's client library for Python in an environment of its own; prints the path of that interpreter, to be used as
#
#   PYCTI_PYTHON=$(deploy/dev/pycti.sh) cargo test -p opencti-client --all-features
#
# Environment:
#   PYCTI_DIR   folder of the environment (default: .dev/pycti in the checkout)
#   PYTHON      interpreter (default: python3)
#
# Installed once. Tests compare with it what it does with bundles; nothing else uses it.
# Exit codes: 0 fine, 1 failure, 3 no usable Python.

set -euo pipefail

version=7.261026.0
checkout=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")/../.." && pwd)
dir=${PYCTI_DIR:-$checkout/.dev/pycti}
python=${PYTHON:-python3}
program=$dir/bin/python

fail() { local code=$1; shift; printf 'pycti.sh: %s\n' "$*" >&2; exit "$code"; }

if [ ! -x "$program" ] || [ "$(cat -- "$dir/.version" 2>/dev/null)" != "$version" ]; then
    command -v "$python" >/dev/null 2>&1 || fail 3 "no $python"
    "$python" -c 'import venv, ensurepip' 2>/dev/null ||
        fail 3 "$python cannot make virtual environments (Debian: apt-get install python3-venv)"
    rm -rf -- "$dir"
    "$python" -m venv "$dir" >&2 || fail 1 "cannot make $dir"
    "$program" -m pip install --quiet --disable-pip-version-check "pycti==$version" >&2 ||
        fail 1 "pip install of pycti failed"
    printf '%s\n' "$version" >"$dir/.version"
fi
printf '%s\n' "$program"
