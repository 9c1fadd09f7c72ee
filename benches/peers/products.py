"""The products of W2 at batch 1024, forward and back: the CPU device beside PyTorch's (MKL), by turns.

    python3 -m venv torch-venv && torch-venv/bin/pip install torch numpy --extra-index-url https://download.pytorch.org/whl/cpu
    cargo bench --bench matmul --no-run
    torch-venv/bin/python benches/peers/products.py [ROUNDS]

Each row is what both do of a layer: the product with bias and ReLU, the gradient of its inputs through a ReLU, that of its weights and biases. Prints GFLOP/s
of each product, medians over the rounds, and what a step's products take together. PyTorch runs in a process of its own, whose threads would spin otherwise.
"""

import math
import os
import statistics
import subprocess
import sys
import time

OURS = ["cargo", "bench", "--quiet", "--bench", "matmul", "--", "cpu"]
# Time for a product, in seconds: as in benches/matmul.rs.
BUDGET = 0.125


def timed(run):
    """Shortest time of several stretches of runs, as benches/matmul.rs takes it."""
    run()
    runs, best, begin = 1, float("inf"), time.perf_counter()
    while time.perf_counter() - begin < BUDGET:
        start = time.perf_counter()
        for _ in range(runs):
            run()
        stretch = time.perf_counter() - start
        best = min(best, stretch / runs)
        if stretch < BUDGET / 8:
            runs *= 2
    return best


def theirs(labels):
    """A line `label GFLOP/s` for each."""
    import torch

    torch.set_num_threads(len(os.sched_getaffinity(0)))
    for label in labels:
        kind, extents = label.split(" ")[-2:]
        m, n, k = map(int, extents.split("x"))
        random = lambda *shape: torch.rand(*shape) - 0.5
        if kind == "forward":
            x, w, bias, y = random(m, k), random(n, k), random(n), random(m, n)
            run = lambda: torch.addmm(bias, x, w.t(), out=y).relu_()
        elif kind == "input-gradient":
            dy, w, y, dx = random(m, k), random(k, n), random(m, n), random(m, n)
            run = lambda: torch.ops.aten.threshold_backward.grad_input(torch.mm(dy, w, out=dx), y, 0.0, grad_input=dx)
        else:
            dy, x, dw, db = random(k, m), random(k, n), random(m, n), random(m)
            run = lambda: (torch.mm(dy.t(), x, out=dw), torch.sum(dy, 0, out=db))
        print(f"{label} {2 * m * n * k / timed(run) * 1e-9:.1f}")


def told(command):
    """The lines `label GFLOP/s` that a command prints."""
    output = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    words = [line.removesuffix(" GFLOP/s").rsplit(" ", 1) for line in output.splitlines() if line.startswith("cpu ")]
    return [(label, float(rate)) for label, rate in words]


def main():
    if sys.argv[1:2] == ["--torch"]:
        return theirs(sys.argv[2:])
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 5
    found = []
    for _ in range(rounds):
        ours = told(OURS)
        peers = told([sys.executable, __file__, "--torch", *(label for label, _ in ours)])
        found.append([(label, rate, peer) for (label, rate), (_, peer) in zip(ours, peers)])
    seconds = lambda label, rate: 2 * math.prod(map(int, label.split(" ")[-1].split("x"))) / rate * 1e-9
    for row in zip(*found):
        label, ratios = row[0][0], [rate / peer for _, rate, peer in row]
        rate, peer = (statistics.median(each[i] for each in row) for i in (1, 2))
        print(f"{label:<40} {rate:6.1f} {peer:6.1f} GFLOP/s  {statistics.median(ratios):.2f} ({min(ratios):.2f}–{max(ratios):.2f})")
    totals = [[sum(seconds(row[0], row[i]) for row in round) for i in (1, 2)] for round in found]
    ratios = [peer / ours for ours, peer in totals]
    print(f"a step's products {' '.join(f'{statistics.median(each) * 1e3:.1f}' for each in zip(*totals))} ms"
          f"  {statistics.median(ratios):.2f} ({min(ratios):.2f}–{max(ratios):.2f}) times as fast as PyTorch")


main()
