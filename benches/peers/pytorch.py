"""The workloads on PyTorch's CPU, eager: pytorch.py w1|w2 BATCH SECONDS IMAGES."""

import workload as w

import os

import torch
from torch import nn


def entropy(layer):
    """Renyi entropy of how active a layer's neurons are: their incoming weights and bias."""
    activeness = layer.weight.abs().sum(1) + layer.bias.abs()
    shares = activeness / activeness.sum()
    return shares.pow(w.ALPHA).sum().log() / (1 - w.ALPHA)


def main():
    name, batch, seconds, path = w.arguments()
    torch.set_num_threads(w.processors())
    torch.manual_seed(0)
    # As XLA does and gpu-ae in its own way: subnormal numbers cost PyTorch up to two thirds of its speed on W2.
    torch.set_flush_denormal("PEERS_SUBNORMAL" not in os.environ)
    images = torch.from_numpy(w.load(path))
    pairs = list(zip(w.WIDTHS[name], w.WIDTHS[name][1:]))
    linears = [nn.Linear(inputs, outputs) for inputs, outputs in pairs]
    activations = [nn.ReLU() for _ in pairs[1:]] + [nn.Sigmoid()]
    model = nn.Sequential(*[module for pair in zip(linears, activations) for module in pair])
    entropic = [layer for layer in linears if layer.out_features == w.ENTROPIC_WIDTH] if name == "w1" else []
    adam = torch.optim.Adam(model.parameters(), lr=w.LEARNING_RATE)
    order, position = torch.empty(0, dtype=torch.int64), 0

    def run(steps):
        nonlocal order, position
        for _ in range(steps):
            if position + batch > len(order):
                order, position = torch.randperm(len(images)), 0
            x = images.index_select(0, order[position : position + batch])
            position += batch
            loss = nn.functional.mse_loss(model(x), x)
            if entropic:
                loss = w.LAMBDA_MSE * loss + w.LAMBDA_ENTROPY * sum(entropy(layer) for layer in entropic)
            adam.zero_grad()
            loss.backward()
            adam.step()
        return loss.item()

    w.measure("pytorch", name, batch, seconds, run)


main()
