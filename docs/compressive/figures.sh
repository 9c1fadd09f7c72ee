#!/usr/bin/env bash
# The figures and tables of "Entropy Constrained Compressive Representation Learning".
#
#     bash docs/compressive/figures.sh digits runs/digits     # MNIST, layers 784-400-128, on a processor, in an hour or two
#     bash docs/compressive/figures.sh small runs/figures     # CIFAR-10, networks of widths 16, 32 and 64, on a processor
#     bash docs/compressive/figures.sh paper runs/paper       # CIFAR-10, ResNet-18 with a code of 512, on a GPU
#
# GPU_AE is the program, GPU_AE_DATA the folder of the data, DATA other data than the usual, FLAGS whatever every training is to be given
# besides (as "--device cpu"), ATTACK the same of every attack, SEEDS, KINDS (regularised plain), BETAS and BETAS_OF_VIEWS what is trained (empty: no classes, no views),
# EPOCHS and EPOCHS_OF_VIEWS for how long. A run that is there is not made again, so that what was interrupted goes on.
set -euo pipefail

size=${1:?expected digits, small or paper}
out=${2:?expected a folder for the runs}
program=${GPU_AE:-gpu-ae}
seeds=${SEEDS:-1 2 3}
here=$(dirname "$0")
read -ra flags <<<"${FLAGS:-}"
read -ra attack <<<"${ATTACK:-}"
data=${DATA:-cifar10} betas=${BETAS-0 0.5 2 8 32} betas_of_views=${BETAS_OF_VIEWS-0 0.05 0.1 0.5} maps=5
plain=(--set augment.flip=0 --set augment.crop=0)
regularised=(--set optimiser.kind=adamw --set optimiser.weight_decay=0.05)
views=(--model simclr --epochs "${EPOCHS_OF_VIEWS:-60}" --lr 1e-3 --set rate.model=factorized --set rate.quantise=noise)
case $size in
digits)
    supervised=(--model compressive --epochs "${EPOCHS:-16}" --lr 2e-3 --set lr_schedule.kind=cosine --set rate.model=factorized --set rate.warm_up=4)
    data=${DATA:-mnist} betas=${BETAS-0 0.1 0.45 1 3} betas_of_views=${BETAS_OF_VIEWS-} maps=
    plain=() regularised=(--set augment.crop=2 --set optimiser.kind=adamw --set optimiser.weight_decay=0.05)
    ;;
small)
    supervised=(--config "$here/resnet-64.toml" --epochs "${EPOCHS:-60}")
    plain+=(--set optimiser.kind=adam --set optimiser.weight_decay=0)
    ;;
paper)
    supervised=(--model resnet18 --epochs "${EPOCHS:-200}" --set rate.model=hyperprior --set rate.warm_up=10)
    views=(--model simclr --config "$here/simclr-512.toml" --epochs "${EPOCHS_OF_VIEWS:-1000}" --batch-size 512 --set rate.model=hyperprior)
    ;;
*)
    echo "figures.sh $size: expected digits, small or paper" >&2
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
for kind in ${KINDS:-regularised plain}; do
    more=("${plain[@]}")
    [ "$kind" = regularised ] && more=("${regularised[@]}")
    for beta in $betas; do
        for seed in $seeds; do
            run=$out/classes-$kind-$beta-$seed
            train "$run" "${supervised[@]}" --data "$data" "${more[@]}" --set rate.beta="$beta" --seed "$seed"
            told "$run" eval.json eval "$run"
            told "$run" inspect.json inspect "$run" --codes
            told "$run" attack.json attack "$run" --out "$run/attack" "${attack[@]}"
            accuracy=$(awk "BEGIN { print 1 - $(number test_error "$run/eval.json") }")
            table+=("$kind,beta=$beta $accuracy $(number test_rate "$run/eval.json") $(number test_side_bits_per_dim "$run/eval.json") \
$(number test_nonzero "$run/eval.json") $(number clean_accuracy "$run/attack.json") $(number accuracy_with_restarts "$run/attack.json") \
$(number square_accuracy "$run/attack.json") $(number worst_accuracy "$run/attack.json")")
        done
    done
done
[ -z "$betas" ] || {
    echo "| classes | accuracy | bits a dimension | of which side | not 0 | attacked rows, clean | 7 steps, restarts | square | worst of all |"
    echo "|---|---|---|---|---|---|---|---|---|"
    printf '%s\n' "${table[@]}" | means
} >"$out/classes.md"

# Table I: views at each price, judged by linear evaluation.
table=()
for beta in $betas_of_views; do
    for seed in $seeds; do
        run=$out/views-$beta-$seed
        train "$run" "${views[@]}" --data "$data" --set rate.beta="$beta" --set rate.warm_up=4 --seed "$seed"
        told "$run" eval.json eval "$run"
        told "$run" probe.json probe "$run"
        read -r trained untrained rows <<<"$(grep -o '"linear_accuracy":[-0-9.e]*' "$run/probe.json" | cut -d: -f2 | tr '\n' ' ')"
        table+=("beta=$beta $trained $untrained $rows $(number test_rate "$run/eval.json") $(number test_nonzero "$run/eval.json")")
    done
done
[ -z "$betas_of_views" ] || {
    echo "| views | linear accuracy | of an untrained encoder | of the pixels | bits a dimension | not 0 |"
    echo "|---|---|---|---|---|---|"
    printf '%s\n' "${table[@]}" | means
} >"$out/views.md"

# Figures 4 and 6 of the first seed: saliency, and the maps of a network that codes behind its second convolution.
seed=${seeds%% *}
for run in "$out"/classes-*-*-"$seed"; do
    [ -f "$run/saliency.png" ] || [ ! -f "$run/done" ] || "$program" saliency "$run" --quiet
done
if [ -n "$maps" ] && [ -n "$betas" ]; then
    run=$out/maps-$seed
    train "$run" "${supervised[@]}" --data "$data" --set rate.beta=0.5 --set rate.layer=$maps --seed "$seed"
    told "$run" inspect.json inspect "$run" --codes
fi
[ -z "$betas" ] || cat "$out/classes.md"
[ -z "$betas_of_views" ] || cat "$out/views.md"
