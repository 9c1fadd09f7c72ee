"""Training steps of models that learn by more than an error, on the processor: gpu-ae beside PyTorch eager, by turns.

    python3 -m venv torch-venv && torch-venv/bin/pip install torch numpy --extra-index-url https://download.pytorch.org/whl/cpu
    cargo build --release
    torch-venv/bin/python benches/peers/models.py target/release/gpu-ae [ROUNDS] [WORD]

`vae` (784-400-20, Bernoulli), `denoising` (784-512-128, Gaussian noise of 0.3) and `cluster --augment vat` (784-400-400-10 with batch
norms, one power iteration), 60,000 rows of random bytes as in MNIST's files, Adam, f32, all cores, gathering of the batch included;
PyTorch flushes subnormal numbers, which is not its default. Prints samples a second of every round and the ratio of the medians. WORD
picks workloads.
"""

import json
import pathlib
import shutil
import statistics
import struct
import subprocess
import sys
import tempfile
import time

import numpy as np

ROWS, TEST_ROWS, SIDE = 60_000, 1_000, 28
FEATURES = SIDE * SIDE
WORKLOADS = {
    "vae, batch 128": (["train", "--model", "vae"], 128),
    "denoising, batch 128": (["train", "--model", "denoising"], 128),
    "cluster --augment vat, batch 256": (["cluster", "--augment", "vat"], 256),
}


def vae(torch):
    nn = torch.nn
    encoder = nn.Sequential(nn.Linear(FEATURES, 400), nn.ReLU())
    mean, log_variance = nn.Linear(400, 20), nn.Linear(400, 20)
    decoder = nn.Sequential(nn.Linear(20, 400), nn.ReLU(), nn.Linear(400, FEATURES))
    parts = nn.ModuleList([encoder, mean, log_variance, decoder])

    def loss(x, _):
        h = encoder(x)
        mu, logs = mean(h), log_variance(h)
        z = mu + torch.exp(0.5 * logs) * torch.randn_like(mu)
        likelihood = nn.functional.binary_cross_entropy_with_logits(decoder(z), x, reduction="sum")
        divergence = -0.5 * torch.sum(1 + logs - mu.pow(2) - logs.exp())
        return (likelihood + divergence) / len(x)

    return parts, 1e-3, loss


def denoising(torch):
    nn = torch.nn
    net = nn.Sequential(nn.Linear(FEATURES, 512), nn.ReLU(), nn.Linear(512, 128), nn.ReLU(), nn.Linear(128, 512), nn.ReLU(),
                        nn.Linear(512, FEATURES), nn.Sigmoid())
    return net, 1e-3, lambda x, _: nn.functional.mse_loss(net(x + 0.3 * torch.randn_like(x)), x)


def vat(torch):
    nn, f = torch.nn, torch.nn.functional
    hidden = lambda inputs: [nn.Linear(inputs, 400, bias=False), nn.BatchNorm1d(400), nn.ReLU()]
    net = nn.Sequential(*hidden(FEATURES), *hidden(400), nn.Linear(400, 10))

    def divergence(logits, x):
        return f.kl_div(net(x).log_softmax(1), logits.softmax(1), reduction="batchmean")

    def loss(x, lengths):
        logits = net(x)
        p = logits.softmax(1)
        entropy = -(p * logits.log_softmax(1)).sum(1).mean()
        average = p.mean(0)
        balance = (average * (average * p.shape[1]).log()).sum()
        probe = (10 * f.normalize(torch.randn_like(x), dim=1)).requires_grad_()
        direction, = torch.autograd.grad(divergence(logits.detach(), x + probe), probe)
        perturbation = 0.2 * lengths[:, None] * f.normalize(direction, dim=1)
        return entropy + 4 * balance + 10 * divergence(logits.detach(), x + perturbation)

    return net, 1e-2, loss


def theirs(name, images):
    """One round of PyTorch, in a process of its own: samples a second of the second epoch."""
    import torch

    torch.set_flush_denormal(True)
    torch.manual_seed(0)
    module, rate, loss = {"vae": vae, "denoising": denoising, "cluster": vat}[name.split(",")[0].split(" ")[0]](torch)
    adam = torch.optim.Adam(module.parameters(), rate)
    x = torch.from_numpy(np.fromfile(images, np.uint8, offset=16).reshape(-1, FEATURES).astype(np.float32) / 255)
    lengths, batch = torch.ones(len(x)), WORKLOADS[name][1]

    def epoch():
        order = torch.randperm(len(x))
        for first in range(0, len(x), batch):
            chosen = order[first:first + batch]
            adam.zero_grad(set_to_none=True)
            loss(x[chosen], lengths[chosen]).backward()
            adam.step()

    epoch()
    start = time.perf_counter()
    epoch()
    print(len(x) / (time.perf_counter() - start))


def ours(program, name, folder):
    command, batch = WORKLOADS[name]
    out = folder / "run"
    flags = ["--data", "mnist", "--data-dir", folder, "--device", "cpu", "--epochs", 3, "--batch-size", batch, "--quiet"]
    subprocess.run([str(part) for part in [program, *command, *flags, "--out", out]], check=True, stdout=subprocess.DEVNULL)
    speeds = [json.loads(line)["samples_per_second"] for line in (out / "metrics.jsonl").read_text().splitlines()[1:]]
    shutil.rmtree(out)
    return statistics.harmonic_mean(speeds)


def make_data(folder):
    random = np.random.default_rng(0)
    for stem, rows in [("train", ROWS), ("t10k", TEST_ROWS)]:
        pixels = random.integers(0, 256, rows * FEATURES, dtype=np.uint8) * (random.random(rows * FEATURES) < 0.19)
        head = struct.pack(">4I", 0x803, rows, SIDE, SIDE)
        (folder / f"{stem}-images-idx3-ubyte").write_bytes(head + pixels.astype(np.uint8).tobytes())
        labels = (np.arange(rows) % 10).astype(np.uint8)
        (folder / f"{stem}-labels-idx1-ubyte").write_bytes(struct.pack(">2I", 0x801, rows) + labels.tobytes())


def main():
    if sys.argv[1] == "--torch":
        return theirs(sys.argv[2], sys.argv[3])
    program, rounds = sys.argv[1], int(sys.argv[2]) if len(sys.argv) > 2 else 5
    word = sys.argv[3] if len(sys.argv) > 3 else ""
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        make_data(folder)
        for name in [name for name in WORKLOADS if word in name]:
            found = {"gpu-ae": [], "PyTorch": []}
            for _ in range(rounds):
                run = [sys.executable, __file__, "--torch", name, str(folder / "train-images-idx3-ubyte")]
                found["gpu-ae"].append(ours(program, name, folder))
                found["PyTorch"].append(float(subprocess.run(run, capture_output=True, text=True, check=True).stdout))
                print(f"{name}: {', '.join(f'{who} {rates[-1]:.0f}' for who, rates in found.items())} samples/s", flush=True)
            ratios = [a / b for a, b in zip(*found.values())]
            print(f"{name}: {statistics.median(ratios):.2f} times PyTorch ({min(ratios):.2f}–{max(ratios):.2f})", flush=True)


if __name__ == "__main__":
    main()
