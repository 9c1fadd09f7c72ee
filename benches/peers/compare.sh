#!/usr/bin/env bash
# Times gpu-ae beside burn, PyTorch, JAX and candle and prints the table of README.md.
#
#     benches/peers/compare.sh [--quick] [--only WORD]...
#
# Builds what is missing; burn takes a quarter of an hour on two cores, once. A peer that cannot be
# built or is not installed is left out, with a word on how to get it. What may be set:
#
#     PEERS_TARGET   where the peers are built, and keep data and caches   [target, beside this file]
#     PEERS_PYTHON   a Python 3.9 or newer, with torch and jax             [python3]
#     PEERS_SUBNORMAL  if set, PyTorch computes with subnormal numbers, its default
#     PEERS_GPU_AE   the gpu-ae to measure                                 [built from this checkout]
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
export PEERS_TARGET=${PEERS_TARGET:-$here/target}
export PEERS_PYTHON=${PEERS_PYTHON:-python3}

if [ -z "${PEERS_GPU_AE:-}" ]; then
    echo "building gpu-ae" >&2
    cargo build --release --quiet --locked --manifest-path "$root/Cargo.toml"
    export PEERS_GPU_AE=${CARGO_TARGET_DIR:-$root/target}/release/gpu-ae
fi
exec "$PEERS_PYTHON" "$here/compare.py" "$@"
