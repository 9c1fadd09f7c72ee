#!/usr/bin/env bash
# The figures and tables of "Entropy Constrained Compressive Representation Learning", on CIFAR-10.
#
#     bash docs/compressive/figures.sh small runs/figures     # networks of widths 16, 32 and 64, on a processor
#     bash docs/compressive/figures.sh paper runs/figures     # ResNet-18 with a code of 512, on a GPU
#
# GPU_AE is the program, GPU_AE_DATA the folder of the data, FLAGS whatever every training is to be given besides (as "--device cpu"), SEEDS,
# BETAS and BETAS_OF_VIEWS what is trained, EPOCHS and EPOCHS_OF_VIEWS for how long. A run that is there is not made again, so that what was interrupted goes on.
set -euo pipefail

size=${1:?expected small or paper}
out=${2:?expected a folder for the runs}
program=${GPU_AE:-gpu-ae}
seeds=${SEEDS:-1 2 3}
here=$(dirname "$0")
read -ra flags <<<"${FLAGS:-}"
case $size in
small)
    supervised=(--config "$here/resnet-64.toml" --data cifar10 --epochs "${EPOCHS:-40}")
    views=(--model simclr --epochs "${EPOCHS_OF_VIEWS:-60}" --lr 1e-3 --set rate.model=factorized --set rate.quantise=noise)
    ;;
paper)
    supervised=(--model resnet18 --data cifar10 --epochs "${EPOCHS:-200}" --set rate.model=hyperprior --set rate.warm_up=10)
    views=(--model simclr --config "$here/simclr-512.toml" --epochs "${EPOCHS_OF_VIEWS:-1000}" --batch-size 512 --set rate.model=hyperprior)
    ;;
*)
    echo "figures.sh $size: expected small or paper" >&2
    exit 2
    ;;
esac
mkdir -p "$out"

# The number behind a key of a line of JSON, the first one.
number() { grep -o "\"$1\":[-0-9.e]*" "$2" | head -n 1 | cut -d: -f2; }

# train RUN flags…: the run, unless it is there.
train() {
    local run=$1
    shift
    [ -f "$run/done" ] && return
    rm -rf "$run"
    "$program" train "$@" "${flags[@]}" --quiet --out "$run"
    touch "$run/done"
}

# told RUN FILE command…: what a command says of a run, as JSON, unless it has said so.
told() {
    local file=$1/$2
    shift 2
    [ -s "$file" ] || { "$program" "$@" --json >"$file.new" && mv "$file.new" "$file"; }
}

# Means and deviations of columns over the seeds: lines of a name and numbers in, a line of Markdown a name out.
means() {
    awk '{ n[$1]++; for (i = 2; i <= NF; i++) { s[$1, i] += $i; q[$1, i] += $i * $i } if (!($1 in seen)) { order[++k] = $1; seen[$1] = 1 } w = NF }
        END { for (r = 1; r <= k; r++) { name = order[r]; line = "| " name " |"
            for (i = 2; i <= w; i++) { m = s[name, i] / n[name]; v = n[name] > 1 ? (q[name, i] - n[name] * m * m) / (n[name] - 1) : 0
                line = line sprintf(" %.4f ± %.4f |", m, v > 0 ? sqrt(v) : 0) } print line } }'
}

# Figures 3 and 5, Table II: classifiers at each price, with and without augmentation and weight decay, judged and attacked.
table=()
for regularised in yes no; do
    more=()
    [ $regularised = no ] && more=(--set augment.flip=0 --set augment.crop=0)
    [ $regularised = yes ] && more=(--set optimiser.kind=adamw --set optimiser.weight_decay=5e-4)
    for beta in ${BETAS:-0 0.5 2 8 32}; do
        for seed in $seeds; do
            run=$out/classes-$regularised-$beta-$seed
            train "$run" "${supervised[@]}" "${more[@]}" --set rate.beta="$beta" --seed "$seed"
            told "$run" eval.json eval "$run"
            told "$run" inspect.json inspect "$run" --codes
            told "$run" attack.json attack "$run" --out "$run/attack"
            accuracy=$(awk "BEGIN { print 1 - $(number test_error "$run/eval.json") }")
            table+=("beta=$beta,regularised=$regularised $accuracy $(number test_rate "$run/eval.json") $(number test_side_bits_per_dim "$run/eval.json") \
$(number test_nonzero "$run/eval.json") $(number clean_accuracy "$run/attack.json") $(number accuracy_with_restarts "$run/attack.json") \
$(number square_accuracy "$run/attack.json") $(number worst_accuracy "$run/attack.json")")
        done
    done
done
{
    echo "| classes | accuracy | bits a dimension | of which side | not 0 | attacked rows, clean | 7 steps, restarts | square | worst of all |"
    echo "|---|---|---|---|---|---|---|---|---|"
    printf '%s\n' "${table[@]}" | means
} >"$out/classes.md"

# Table I: views at each price, judged by linear evaluation.
table=()
for beta in ${BETAS_OF_VIEWS:-0 0.05 0.1 0.5}; do
    for seed in $seeds; do
        run=$out/views-$beta-$seed
        train "$run" "${views[@]}" --data cifar10 --set rate.beta="$beta" --set rate.warm_up=4 --seed "$seed"
        told "$run" eval.json eval "$run"
        told "$run" probe.json probe "$run"
        read -r trained untrained rows <<<"$(grep -o '"linear_accuracy":[-0-9.e]*' "$run/probe.json" | cut -d: -f2 | tr '\n' ' ')"
        table+=("beta=$beta $trained $untrained $rows $(number test_rate "$run/eval.json") $(number test_nonzero "$run/eval.json")")
    done
done
{
    echo "| views | linear accuracy | of an untrained encoder | of the pixels | bits a dimension | not 0 |"
    echo "|---|---|---|---|---|---|"
    printf '%s\n' "${table[@]}" | means
} >"$out/views.md"

# Figures 4 and 6 of the first seed: saliency, and the maps of a network that codes behind its second convolution.
seed=${seeds%% *}
for run in "$out"/classes-yes-*-"$seed"; do
    [ -f "$run/saliency.png" ] || "$program" saliency "$run" --quiet
done
run=$out/maps-$seed
train "$run" "${supervised[@]}" --set rate.beta=0.5 --set rate.layer=5 --seed "$seed"
told "$run" inspect.json inspect "$run" --codes
cat "$out/classes.md" "$out/views.md"
