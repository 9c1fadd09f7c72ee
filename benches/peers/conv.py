"""Training steps of convolutional networks on the processor, gpu-ae beside PyTorch eager and, of autoencoders and where it is
installed, JAX, by turns.

    python3 -m venv torch-venv && torch-venv/bin/pip install torch numpy jax --extra-index-url https://download.pytorch.org/whl/cpu
    cargo build --release
    torch-venv/bin/python benches/peers/conv.py target/release/gpu-ae [ROUNDS]

Three workloads: the model `conv` on 28 x 28 grey and on 64 x 64 colour images (four strided layers), batch 128, and ResNet-18 on
32 x 32 colour images, batch 32. Adam, f32, channels last, all cores. Prints samples a second of every round and the ratio of the
medians; memory is the peak of each process.
"""

import importlib.util
import json
import os
import pathlib
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

import numpy as np

CODE = 16


def convolutions(size, depth, channels):
    """Blocks of gpu-ae, and the same network of PyTorch, for square images."""
    sides = [size >> step for step in range(len(channels) + 1)]
    conv = [f"{{conv={c},kernel=3,stride=2,padding=1,activation='relu'}}" for c in channels]
    back = [*channels[:-1][::-1], depth]
    turned = [f"{{conv_transpose={c},kernel=4,stride=2,padding=1,activation='{'relu' if i + 1 < len(back) else 'identity'}'}}"
              for i, c in enumerate(back)]
    last = sides[-1]
    encoder = f"[{{unflatten='{size}x{size}x{depth}'}},{','.join(conv)},{{flatten=true}},{{linear={CODE}}}]"
    decoder = (f"[{{linear={last * last * channels[-1]},activation='relu'}},{{unflatten='{last}x{last}x{channels[-1]}'}},"
               f"{','.join(turned)},{{flatten=true}},{{activation='sigmoid'}}]")
    return encoder, decoder


def autoencoder(torch, size, depth, channels):
    nn, last = torch.nn, size >> len(channels)
    layers, before = [], depth
    for c in channels:
        layers += [nn.Conv2d(before, c, 3, 2, 1), nn.ReLU()]
        before = c
    layers += [nn.Flatten(), nn.Linear(last * last * before, CODE), nn.Linear(CODE, last * last * before), nn.ReLU()]
    layers += [nn.Unflatten(1, (before, last, last))]
    for c in channels[:-1][::-1]:
        layers += [nn.ConvTranspose2d(before, c, 4, 2, 1), nn.ReLU()]
        before = c
    return nn.Sequential(*layers, nn.ConvTranspose2d(before, depth, 4, 2, 1), nn.Sigmoid())


def resnet18(torch):
    nn = torch.nn

    class Block(nn.Module):
        def __init__(self, before, channels, stride):
            super().__init__()
            self.conv1, self.bn1 = nn.Conv2d(before, channels, 3, stride, 1, bias=False), nn.BatchNorm2d(channels)
            self.conv2, self.bn2 = nn.Conv2d(channels, channels, 3, 1, 1, bias=False), nn.BatchNorm2d(channels)
            same = stride == 1 and before == channels
            self.around = nn.Identity() if same else nn.Sequential(
                nn.Conv2d(before, channels, 1, stride, bias=False), nn.BatchNorm2d(channels))

        def forward(self, x):
            return torch.relu(self.bn2(self.conv2(torch.relu(self.bn1(self.conv1(x))))) + self.around(x))

    layers, before = [nn.Conv2d(3, 64, 3, 1, 1, bias=False), nn.BatchNorm2d(64), nn.ReLU()], 64
    for channels, stride in [(64, 1), (128, 2), (256, 2), (512, 2)]:
        layers += [Block(before, channels, stride), Block(channels, channels, 1)]
        before = channels
    return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(512, 10))


WORKLOADS = {
    "conv 28x28x1, batch 128": (28, 1, [16, 32], 128, 128 * 60),
    "conv 64x64x3, batch 128": (64, 3, [16, 32, 64, 128], 128, 128 * 6),
    "resnet18 32x32x3, batch 32": (32, 3, None, 32, 32 * 8),
}


def theirs(name):
    """One round of PyTorch, in a process of its own: samples a second."""
    import torch

    size, depth, channels, batch, rows = WORKLOADS[name]
    torch.manual_seed(0)
    model = (autoencoder(torch, size, depth, channels) if channels else resnet18(torch)).to(memory_format=torch.channels_last)
    adam = torch.optim.Adam(model.parameters(), 1e-3)
    x = torch.rand(rows, depth, size, size).to(memory_format=torch.channels_last)
    y = torch.randint(0, 10, (rows,))

    def epoch():
        order = torch.randperm(rows)
        for first in range(0, rows, batch):
            chosen = order[first:first + batch]
            images = x[chosen]
            adam.zero_grad(set_to_none=True)
            out = model(images)
            loss = torch.nn.functional.mse_loss(out, images) if channels else torch.nn.functional.cross_entropy(out, y[chosen])
            loss.backward()
            adam.step()

    epoch()
    start = time.perf_counter()
    epoch()
    rate = rows / (time.perf_counter() - start)
    print(json.dumps([rate, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3]))


def jax(name):
    """One round of JAX: samples a second and peak memory; nothing where there is none."""
    size, depth, channels, batch, rows = WORKLOADS[name]
    if not channels or not importlib.util.find_spec("jax"):
        return None
    script = pathlib.Path(__file__).with_name("jax_conv.py")
    arguments = [str(number) for number in (size, depth, batch, rows, *channels)]
    run = subprocess.run([sys.executable, script, *arguments], capture_output=True, text=True, check=True)
    return json.loads(run.stdout)


def ours(program, name, folder):
    size, depth, channels, batch, rows = WORKLOADS[name]
    file = folder / f"{size}x{depth}.npz"
    if not file.exists():
        random = np.random.default_rng(0)
        image = lambda count: random.integers(0, 256, (count, size, size, depth), dtype=np.uint8)
        np.savez(file, x_train=image(rows), y_train=np.arange(rows) % 10, x_test=image(20), y_test=np.arange(20) % 10)
    out = folder / "run"
    command = [program, "train", "--data", file, "--epochs", 2, "--batch-size", batch, "--device", "cpu", "--quiet", "--out", out]
    if channels:
        encoder, decoder = convolutions(size, depth, channels)
        command += ["--model", "conv", "--set", f"encoder={encoder}", "--set", f"decoder={decoder}"]
    else:
        command += ["--model", "resnet18"]
    child = subprocess.Popen([str(part) for part in command], stdout=subprocess.DEVNULL)
    _, status, used = os.wait4(child.pid, 0)
    if status:
        raise SystemExit(f"{name}: gpu-ae ended with {status}")
    lines = (out / "metrics.jsonl").read_text().splitlines()
    shutil.rmtree(out)
    return json.loads(lines[-1])["samples_per_second"], used.ru_maxrss / 1e3


def main():
    if sys.argv[1] == "--torch":
        return theirs(sys.argv[2])
    program, rounds = sys.argv[1], int(sys.argv[2]) if len(sys.argv) > 2 else 5
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        for name in WORKLOADS:
            rounds_of = {"gpu-ae": [], "PyTorch": [], "JAX": []}
            for _ in range(rounds):
                run = [sys.executable, __file__, "--torch", name]
                rounds_of["gpu-ae"].append(ours(program, name, folder))
                rounds_of["PyTorch"].append(json.loads(subprocess.run(run, capture_output=True, text=True, check=True).stdout))
                rounds_of["JAX"] += [found for found in [jax(name)] if found]
                told = (f"{who} {found[-1][0]:.0f} ({found[-1][1]:.0f} MB)" for who, found in rounds_of.items() if found)
                print(f"{name}: {', '.join(told)} samples/s (peak memory)", flush=True)
            median = {who: statistics.median(rate for rate, _ in found) for who, found in rounds_of.items() if found}
            for who in list(median)[1:]:
                print(f"{name}: {median['gpu-ae'] / median[who]:.2f} times {who}'s median", flush=True)


if __name__ == "__main__":
    main()
