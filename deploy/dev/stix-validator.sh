#!/usr/bin/env bash
# The OASIS STIX validator in a Python environment of its own; prints the path of its program, to be used as
#
#   STIX2_VALIDATOR=$(deploy/dev/stix-validator.sh) cargo test --workspace
#
# Environment:
#   STIX_VALIDATOR_DIR   folder of the environment (default: .dev/stix-validator in the checkout)
#   PYTHON               interpreter (default: python3)
#
# Installed once. The package ships the JSON schemas of STIX 2.0 and 2.1, so that validation needs no network.
# Exit codes: 0 fine, 1 failure, 3 no usable Python.

set -euo pipefail

# 3.3.0 and 3.3.1 were published without the schemas and reject every object.
version=3.2.0
checkout=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")/../.." && pwd)
dir=${STIX_VALIDATOR_DIR:-$checkout/.dev/stix-validator}
python=${PYTHON:-python3}
program=$dir/bin/stix2_validator

fail() { local code=$1; shift; printf 'stix-validator.sh: %s\n' "$*" >&2; exit "$code"; }

if [ ! -x "$program" ] || [ "$(cat -- "$dir/.version" 2>/dev/null)" != "$version" ]; then
    command -v "$python" >/dev/null 2>&1 || fail 3 "no $python"
    "$python" -c 'import venv, ensurepip' 2>/dev/null ||
        fail 3 "$python cannot make virtual environments (Debian: apt-get install python3-venv)"
    rm -rf -- "$dir"
    "$python" -m venv "$dir" >&2 || fail 1 "cannot make $dir"
    "$dir/bin/python" -m pip install --quiet --disable-pip-version-check "stix2-validator==$version" >&2 ||
        fail 1 "pip install of stix2-validator failed"
    [ -x "$program" ] || fail 1 "the package has no stix2_validator program"
    printf '%s\n' "$version" >"$dir/.version"
fi
printf '%s\n' "$program"
