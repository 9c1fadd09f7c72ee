#!/usr/bin/env bash
# Proves the packed program on an adapter and measures it, beside PyTorch with CUDA where there is one; pack.sh says how it comes there.
#
#     bash .gpu/measure [PART_OF_NAME]     # of the adapter, as 'gpu-ae devices' shows it; nvidia if nothing is said
#
# About eight minutes. What matters most comes first, and every part has its limit, so that an end by force takes the least.
# Figures come to the folder $OUT, .gpu/out if nothing is said, and to the terminal.
set -uo pipefail
pack=$(cd "$(dirname "$0")" && pwd)
name=${1:-nvidia}
out=${OUT:-$pack/out}
mkdir -p "$out"
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
tar -C "$scratch" -xzf "$pack/programs.tgz"
export XDG_RUNTIME_DIR=${XDG_RUNTIME_DIR:-$scratch} GPU_AE_CACHE=${GPU_AE_CACHE:-$scratch/cache}

# A loader where the system has none, without touching the system.
if ! ldconfig -p 2>/dev/null | grep -q 'libvulkan\.so'; then
    for archive in "$pack"/loader/*.deb; do dpkg -x "$archive" "$scratch/loader"; done
    LD_LIBRARY_PATH=$(find "$scratch/loader" -name 'lib*.so*' -exec dirname {} + | sort -u | paste -sd:):${LD_LIBRARY_PATH:-}
    export LD_LIBRARY_PATH
fi
# In containers NVIDIA's driver lies beside the system's own folders.
if ! "$scratch/gpu-ae" devices 2>/dev/null | grep -qi -- "$name" && [ -d /usr/local/nvidia/share ]; then
    export VK_DRIVER_FILES=/usr/local/nvidia/share/vulkan/icd.d/nvidia_icd.json
    export __EGL_VENDOR_LIBRARY_FILENAMES=/usr/local/nvidia/share/glvnd/egl_vendor.d/10_nvidia.json
fi
if ! "$scratch/gpu-ae" devices 2>&1 | tee "$out/devices.txt" | grep -i -- "$name"; then
    echo "measure.sh $name: no such adapter; there are:" >&2
    cat "$out/devices.txt" >&2
    exit 2
fi

# part SECONDS TITLE LINES command…: all of what it says in a file, its last lines on the terminal.
part() {
    local limit=$1 title=$2 lines=$3 status
    shift 3
    echo "--- $title"
    timeout "$limit" "$@" >"$out/$title.txt" 2>&1
    status=$?
    tail -n "$lines" "$out/$title.txt"
    [ "$status" = 0 ] || echo "$title: status $status" | tee -a "$out/failed.txt"
}

# speed TITLE flags…: samples a second of the last epoch.
speed() {
    local title=$1 run=$scratch/run figure
    shift
    timeout 60 "$scratch/gpu-ae" train --device "$name" --out "$run" --quiet "$@" >"$scratch/said" 2>&1 ||
        echo "$title: $(tail -n 1 "$scratch/said")" | tee -a "$out/failed.txt"
    figure=$(grep -o '"samples_per_second":[0-9.e+]*' "$run/metrics.jsonl" 2>/dev/null | tail -n 1 | cut -d: -f2)
    echo "$title: ${figure:-no} samples/s" | tee -a "$out/samples.txt"
    rm -rf "$run"
}

nvidia-smi --query-gpu=name,driver_version,clocks.sm,memory.total --format=csv 2>/dev/null | tee "$out/gpu.txt"
part 120 doctor 12 "$scratch/gpu-ae" doctor --device "$name"

# Rows of random bytes in MNIST's format, which everybody trains on.
data=$scratch/data
mkdir "$data"
for side in train:60000 t10k:1000; do
    rows=${side#*:}
    word() { printf "\\x$(printf %02x $((($1 >> 24) & 255)))\\x$(printf %02x $((($1 >> 16) & 255)))\\x$(printf %02x $((($1 >> 8) & 255)))\\x$(printf %02x $(($1 & 255)))"; }
    { word 2051 && word "$rows" && word 28 && word 28 && head -c $((rows * 784)) /dev/urandom; } >"$data/${side%:*}-images-idx3-ubyte"
    { word 2049 && word "$rows" && head -c "$rows" /dev/zero; } >"$data/${side%:*}-labels-idx1-ubyte"
done
own=(--data mnist --data-dir "$data")
for batch in 128 1024 8192; do
    speed "w1, batch $batch, tuned" --config benches/peers/w1.toml "${own[@]}" --epochs 4 --batch-size $batch --tune force
done
speed "w1, batch 128, as for its kind" --config benches/peers/w1.toml "${own[@]}" --epochs 4 --batch-size 128 --tune off
speed "w2, batch 1024, tuned" --config benches/peers/w2.toml "${own[@]}" --epochs 3 --batch-size 1024 --tune force
for model in vae denoising; do speed "$model" --model $model "${own[@]}" --epochs 3; done

python=${PEERS_PYTHON:-python3}
if "$python" -c 'import torch, sys; sys.exit(not torch.cuda.is_available())' 2>/dev/null; then
    part 150 pytorch 30 "$python" benches/gpu/pytorch_cuda.py "$data/train-images-idx3-ubyte"
else
    echo "no PyTorch with CUDA in $python: no comparison"
fi
export GPU_AE_TEST_DEVICE=$name
part 90 matmul 30 "$scratch/benches/matmul" --bench
part 60 profiled 4 "$scratch/gpu-ae" train --device "$name" --config benches/peers/w1.toml "${own[@]}" --epochs 1 --out "$scratch/profiled" --profile --quiet
cp "$scratch/profiled/profile.txt" "$out/" 2>/dev/null && head -n 40 "$out/profile.txt"
part 90 step 30 env GPU_AE_BENCH_KERNELS=1 "$scratch/benches/step" --bench
part 120 kernels 90 "$scratch/benches/kernels" --bench
echo "---"
cat "$out/samples.txt"
[ ! -f "$out/failed.txt" ] || { echo "failed:" && cat "$out/failed.txt"; }
