"""Data of one's own, five seeds each, beside what scikit-learn makes of the same rows: the tables of docs/data.md.

    python3 -m venv data-venv && data-venv/bin/pip install scikit-learn
    cargo build --release
    data-venv/bin/python benches/peers/own_data.py target/release/gpu-ae [CIFAR]

CIFAR is a folder of CIFAR-10's binary batches; without it the third table is left out. Every seed draws its own test rows
of the first two, which both sides get as files.
"""

import csv
import gzip
import json
import pathlib
import statistics
import subprocess
import sys
import tempfile

import numpy as np
from sklearn.datasets import load_breast_cancer, load_digits
from sklearn.decomposition import PCA
from sklearn.ensemble import IsolationForest
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import train_test_split

SEEDS = range(5)


def run(program, *arguments):
    """The JSON that a command prints."""
    done = subprocess.run([program, *map(str, arguments), "--json"], capture_output=True, text=True)
    if done.returncode:
        raise SystemExit(f"{' '.join(map(str, arguments))}: {done.stderr}")
    return json.loads(done.stdout)


def told(name, values):
    print(f"{name:<44} {statistics.mean(values):.4f} ± {statistics.stdev(values):.4f}   {[round(v, 4) for v in values]}")


def pca_error(train, test, width):
    pca = PCA(width, svd_solver="full").fit(train)
    return float(((pca.inverse_transform(pca.transform(test)) - test) ** 2).mean())


def digits(program, folder):
    """8 x 8 grey digits, test MSE of shares from 0 to 1."""
    x, y = load_digits(return_X_y=True)
    x = (x / 16).astype(np.float32)
    widths = (6, 16)
    ours, theirs = {w: [] for w in widths}, {w: [] for w in widths}
    for seed in SEEDS:
        x_train, x_test, y_train, y_test = train_test_split(x, y, test_size=0.2, random_state=seed, stratify=y)
        file = folder / f"digits{seed}.npz"
        image = lambda rows: rows.reshape(-1, 8, 8)
        np.savez(file, x_train=image(x_train), y_train=y_train, x_test=image(x_test), y_test=y_test)
        for width in widths:
            out = folder / f"digits{seed}-{width}"
            layers = f"[{{linear=128,activation='relu'}},{{linear={width}}}]"
            back = "[{linear=128,activation='relu'},{linear=64,activation='sigmoid'}]"
            flags = ["--data", file, "--recipe", "plain", "--epochs", 200, "--batch-size", 64, "--seed", seed, "--out", out]
            result = run(program, "train", *flags, "--set", f"encoder={layers}", "--set", f"decoder={back}", "--device", "cpu")
            ours[width].append(result["test_mse"])
            theirs[width].append(pca_error(x_train, x_test, width))
    for width in widths:
        told(f"digits, code {width}: gpu-ae, test MSE", ours[width])
        told(f"digits, code {width}: PCA", theirs[width])


def cancer(program, folder):
    """Learnt from benign rows alone; AUROC of malignant test rows."""
    data = load_breast_cancer()
    x, y = data.data, data.target
    scores = {"gpu-ae": [], "isolation forest": [], "PCA of 5": []}
    for seed in SEEDS:
        x_train, x_test, y_train, y_test = train_test_split(x, y, test_size=0.3, random_state=seed, stratify=y)
        benign = x_train[y_train == 1]
        place = folder / f"cancer{seed}"
        place.mkdir()
        for name, rows, labels in [("train", benign, np.ones(len(benign))), ("test", x_test, y_test)]:
            with open(place / f"{name}.csv", "w", newline="") as file:
                table = csv.writer(file)
                table.writerow([*data.feature_names, "diagnosis"])
                table.writerows([*row, data.target_names[int(label)]] for row, label in zip(rows, labels))
        out = folder / f"cancer-run{seed}"
        flags = ["--data", place, "--label", "diagnosis", "--recipe", "plain", "--epochs", 300, "--batch-size", 32]
        layers = "[{linear=32,activation='relu'},{linear=5}]"
        back = "[{linear=32,activation='relu'},{linear=30}]"
        run(program, "train", *flags, "--seed", seed, "--out", out, "--set", f"encoder={layers}", "--set", f"decoder={back}", "--device", "cpu")
        scores["gpu-ae"].append(run(program, "score", out, "--anomaly", "malignant")["auroc"])
        mean, deviation = benign.mean(0), benign.std(0)
        known, asked = (benign - mean) / deviation, (x_test - mean) / deviation
        is_odd = y_test == 0
        forest = IsolationForest(random_state=seed).fit(known)
        scores["isolation forest"].append(roc_auc_score(is_odd, -forest.score_samples(asked)))
        pca = PCA(5).fit(known)
        missed = ((pca.inverse_transform(pca.transform(asked)) - asked) ** 2).mean(1)
        scores["PCA of 5"].append(roc_auc_score(is_odd, missed))
    for name, values in scores.items():
        told(f"breast cancer, AUROC: {name}", values)


def colours(program, cifar, folder):
    """Colour images, 32 x 32: test MSE beside PCA of the same code."""
    def rows(pattern):
        raw = b"".join(gzip.open(file).read() if file.suffix == ".gz" else file.read_bytes()
                       for file in sorted(pathlib.Path(cifar).glob(pattern)))
        return np.frombuffer(raw, np.uint8).reshape(-1, 3073)[:, 1:].astype(np.float32) / 255
    train, test = rows("data_batch*"), rows("test_batch*")
    width, ours = 64, []
    for seed in SEEDS:
        out = folder / f"cifar{seed}"
        # A straight way beside a bent one, and codes of one scale, without which few of the 64 are used after so few steps.
        bent = lambda outputs: f"{{residual=[{{linear=256,activation='relu'}},{{linear={outputs}}}],shortcut=[{{linear={outputs}}}]}}"
        flags = ["--data", cifar, "--recipe", "plain", "--epochs", 40, "--lr", "3e-3", "--seed", seed, "--out", out, "--device", "cpu"]
        halves = ["--set", f"encoder=[{bent(width)},{{norm='batch'}}]", "--set", f"decoder=[{bent(3072)}]"]
        result = run(program, "train", *flags, *halves, "--set", "lr_schedule.kind=cosine")
        ours.append(result["test_mse"])
    told(f"colour, code {width}: gpu-ae, test MSE", ours)
    print(f"{'colour, code 64: PCA':<44} {pca_error(train, test, width):.4f}")


def main():
    program = sys.argv[1]
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        digits(program, folder)
        cancer(program, folder)
        if len(sys.argv) > 2:
            colours(program, sys.argv[2], folder)


if __name__ == "__main__":
    main()
