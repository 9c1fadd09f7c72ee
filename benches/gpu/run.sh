#!/usr/bin/env bash
# Measures a real GPU, for the day one is at hand: proves every kernel on it, then times kernels, the
# training step (W1) and a whole run. Give part of the adapter's name, as 'gpu-ae devices' shows it:
#
#     benches/gpu/run.sh nvidia | tee results.txt
#
# Software adapters are refused, since their figures say nothing about a GPU.
set -euo pipefail
cd "$(dirname "$0")/../.."
name=${1:?usage: benches/gpu/run.sh PART_OF_ADAPTER_NAME}

cargo build --release --quiet
program=target/release/gpu-ae
"$program" devices
if "$program" devices | grep -i -- "$name" | grep -q software; then
    echo "'$name' is a software adapter" >&2
    exit 2
fi

"$program" doctor --device "$name"
GPU_AE_TEST_DEVICE="$name" cargo bench --bench kernels
GPU_AE_TEST_DEVICE="$name" GPU_AE_BENCH_KERNELS=1 cargo bench --bench step

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
for batch in 64 128 1024 8192; do
    printf 'batch %s: ' "$batch"
    "$program" train --device "$name" --epochs 3 --batch-size "$batch" --out "$folder/$batch" --json
done
