"""The workloads of benches/peers on PyTorch with CUDA: eager, torch.compile, CUDA graphs; and cuBLAS at 4096^3.

pytorch_cuda.py IMAGES, a file of 60,000 x 784 bytes in MNIST's format. Prints one JSON line a measurement.
"""

import json
import pathlib
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).parent.parent / "peers"))
import workload as w  # noqa: E402

import torch  # noqa: E402
from torch import nn  # noqa: E402

WINDOW = 1.5


def entropy(layer):
    """Renyi entropy of how active a layer's neurons are: their incoming weights and bias."""
    activeness = layer.weight.abs().sum(1) + layer.bias.abs()
    shares = activeness / activeness.sum()
    return shares.pow(w.ALPHA).sum().log() / (1 - w.ALPHA)


def tell(**line):
    print(json.dumps(line), flush=True)


def rate(run, amount):
    """Amount of work a second of run(), once warm."""
    for _ in range(20):
        run()
    torch.cuda.synchronize()
    begin, runs = time.perf_counter(), 0
    while time.perf_counter() - begin < WINDOW:
        for _ in range(20):
            run()
        runs += 20
        torch.cuda.synchronize()
    return amount * runs / (time.perf_counter() - begin)


def step_of(name, batch, images, capturable):
    """A function that makes one training step, and the buffer of row numbers that it reads."""
    pairs = list(zip(w.WIDTHS[name], w.WIDTHS[name][1:]))
    linears = [nn.Linear(inputs, outputs, device="cuda") for inputs, outputs in pairs]
    activations = [nn.ReLU() for _ in pairs[1:]] + [nn.Sigmoid()]
    model = nn.Sequential(*[module for pair in zip(linears, activations) for module in pair])
    entropic = [layer for layer in linears if layer.out_features == w.ENTROPIC_WIDTH] if name == "w1" else []
    adam = torch.optim.Adam(model.parameters(), lr=w.LEARNING_RATE, capturable=capturable)
    rows = torch.zeros(batch, dtype=torch.int64, device="cuda")

    def step():
        x = images.index_select(0, rows)
        loss = nn.functional.mse_loss(model(x), x)
        if entropic:
            loss = w.LAMBDA_MSE * loss + w.LAMBDA_ENTROPY * sum(entropy(layer) for layer in entropic)
        adam.zero_grad(set_to_none=not capturable)
        loss.backward()
        adam.step()

    return step, rows


def graphed(step):
    """The step captured once as a CUDA graph."""
    side = torch.cuda.Stream()
    side.wait_stream(torch.cuda.current_stream())
    with torch.cuda.stream(side):
        for _ in range(3):
            step()
    torch.cuda.current_stream().wait_stream(side)
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        step()
    return graph.replay


def measure(name, batch, mode, images):
    step, rows = step_of(name, batch, images, capturable=mode == "graphs")
    order, position = torch.randperm(len(images), device="cuda"), 0
    made = {"eager": lambda: step, "compile": lambda: torch.compile(step), "graphs": lambda: graphed(step)}[mode]()

    def run():
        nonlocal order, position
        if position + batch > len(order):
            order, position = torch.randperm(len(images), device="cuda"), 0
        rows.copy_(order[position : position + batch])
        position += batch
        made()

    tell(peer=f"pytorch cuda {mode}", workload=name, batch=batch, samples_per_second=round(rate(run, batch)))


def main():
    if len(sys.argv) != 2 or not torch.cuda.is_available():
        sys.exit(f"usage: {sys.argv[0]} IMAGES, on a machine with CUDA")
    torch.backends.cuda.matmul.allow_tf32 = False
    images = torch.from_numpy(w.load(sys.argv[1])).cuda()
    for name, batches in [("w1", [128, 1024, 8192]), ("w2", [1024])]:
        for batch in batches:
            for mode in ["eager", "compile", "graphs"]:
                measure(name, batch, mode, images)
    for kind in [torch.float32, torch.float16]:
        a, b = (torch.randn(4096, 4096, device="cuda", dtype=kind) for _ in range(2))
        tflops = rate(lambda: torch.mm(a, b), 2 * 4096**3) / 1e12
        tell(peer="cublas", product="4096^3", type=str(kind), tflops=round(tflops, 2))


main()
