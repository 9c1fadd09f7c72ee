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
GPU_AE_TEST_DEVICE="$name" cargo bench --bench matmul
GPU_AE_TEST_DEVICE="$name" GPU_AE_BENCH_KERNELS=1 cargo bench --bench step

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
results=$folder/results
run() { # WORKLOAD BATCH FURTHER_FLAGS...
    local workload=$1 batch=$2
    shift 2
    local metrics
    metrics=$("$program" train --device "$name" --config "benches/peers/$workload.toml" --epochs 3 --batch-size "$batch" \
        --out "$folder/$workload-$batch-$#" --json "$@")
    echo "$workload, batch $batch, $*: $(sed -E 's/.*"samples_per_second":([0-9.]+).*/\1/' <<<"$metrics") samples/s" |
        tee -a "$results"
}
for batch in 64 128 1024 8192; do
    run w1 "$batch" --tune force
    run w1 "$batch" --tune off
done
run w2 1024 --tune force
"$program" train --device "$name" --config benches/peers/w1.toml --epochs 1 --out "$folder/profile" --profile --quiet
cat "$folder/profile/profile.txt"

# PyTorch with CUDA on the same GPU, where there is one: eager, compiled, as CUDA graphs; and cuBLAS.
python=${PEERS_PYTHON:-python3}
if "$python" -c 'import torch, sys; sys.exit(not torch.cuda.is_available())' 2>/dev/null; then
    images=$folder/images
    { head -c 16 /dev/zero; head -c $((60000 * 784)) /dev/urandom; } >"$images"
    "$python" benches/gpu/pytorch_cuda.py "$images" | tee -a "$results"
else
    echo "no PyTorch with CUDA in $python: no comparison" >&2
fi
echo "--- $name"
cat "$results"
