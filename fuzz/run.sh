#!/usr/bin/env bash
# Builds the fuzz targets with the stable toolchain and runs each for some seconds:
#
#   ./run.sh [seconds] [target ...]
#
# Default: 60 seconds, every target. Inputs that reach new code are kept in corpus/, what breaks a law in artifacts/.
# With cargo-fuzz the same is `cargo fuzz run --sanitizer none TARGET`.
#
# Environment:
#   CARGO_TARGET_DIR   where to build; default: target/

set -euo pipefail
cd -- "$(dirname -- "${BASH_SOURCE[0]}")"

seconds=${1:-60}
shift || true
targets=("$@")
if [ ${#targets[@]} -eq 0 ]; then
    for file in fuzz_targets/*.rs; do
        targets+=("$(basename "$file" .rs)")
    done
fi

# The counters that libFuzzer reads. A target triple keeps them out of build scripts and procedural macros.
triple=$(rustc -vV | sed -n 's/^host: //p')
export RUSTFLAGS="${RUSTFLAGS:-} --cfg fuzzing -Cpasses=sancov-module -Cllvm-args=-sanitizer-coverage-level=4 \
-Cllvm-args=-sanitizer-coverage-inline-8bit-counters -Cllvm-args=-sanitizer-coverage-pc-table \
-Cllvm-args=-sanitizer-coverage-trace-compares -Ccodegen-units=1"
cargo build --release --target "$triple" --bins

failed=()
for target in "${targets[@]}"; do
    mkdir -p "corpus/$target" "artifacts/$target"
    options=(-max_total_time="$seconds" -timeout=10 -rss_limit_mb=2048 -max_len=4096 -print_final_stats=1)
    [ -f "$target.dict" ] && options+=(-dict="$target.dict")
    echo "--- $target, $seconds seconds" >&2
    "${CARGO_TARGET_DIR:-target}/$triple/release/$target" "${options[@]}" -artifact_prefix="artifacts/$target/" \
        "corpus/$target" "seeds/$target" || failed+=("$target")
done
if [ ${#failed[@]} -ne 0 ]; then
    echo "a law was broken: ${failed[*]}" >&2
    exit 1
fi
