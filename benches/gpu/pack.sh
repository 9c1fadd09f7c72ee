#!/usr/bin/env bash
# Packs what proves and measures this program on a machine with a GPU that has neither Rust nor a network: the program, its
# benchmarks, and the Vulkan loader in case that machine lacks it. Everything lies in .gpu afterwards, which git ignores.
#
#     benches/gpu/pack.sh                    # here, a machine that builds, of the same processor family
#     bash .gpu/measure [PART_OF_NAME]    # there, in a copy of this folder with .gpu; figures come to .gpu/out
#
# Where Rust is at hand both are run on one machine.
set -euo pipefail
cd "$(dirname "$0")/../.."
pack=.gpu
rm -rf "$pack"
mkdir -p "$pack/benches" "$pack/loader"

cargo build --release --quiet
cp "${CARGO_TARGET_DIR:-target}/release/gpu-ae" "$pack/"
for bench in matmul step kernels; do
    # Cargo names what it built: "Executable benches/step.rs (target/release/deps/step-…)".
    built=$(cargo bench --no-run --bench "$bench" 2>&1 | sed -n 's/^ *Executable .*(\(.*\))$/\1/p' | tail -n 1)
    [ -n "$built" ] || { echo "pack.sh: cargo built no benchmark '$bench'" >&2; exit 1; }
    cp "$built" "$pack/benches/$bench"
    strip "$pack/benches/$bench" 2>/dev/null || true
done

# The loader alone: a GPU's own driver belongs to its machine. Some of those drivers load GL's dispatch libraries.
if command -v apt-get >/dev/null; then
    (cd "$pack/loader" && apt-get -qq download libvulkan1 libegl1 libglvnd0 libgl1 libglx0 libgles2 libopengl0) ||
        echo "pack.sh: no Vulkan loader could be had; the machine needs its own" >&2
fi
cp benches/gpu/measure.sh "$pack/measure"
# A third of the size: what carries it there may carry little.
tar -C "$pack" -czf "$pack/programs.tgz" gpu-ae benches
rm -r "$pack/gpu-ae" "$pack/benches"
du -sh "$pack"
