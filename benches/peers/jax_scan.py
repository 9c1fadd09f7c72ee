"""The workloads on JAX's CPU, a scan over several steps at a time: jax_scan.py w1|w2 BATCH SECONDS IMAGES."""

import workload as w

import functools
import os

os.environ["JAX_PLATFORMS"] = "cpu"

import jax
import jax.numpy as jnp
import numpy

BETA1, BETA2, EPSILON = 0.9, 0.999, 1e-8


def initial(widths, rng):
    """Weights and biases as PyTorch draws them."""
    parameters = []
    for inputs, outputs in zip(widths, widths[1:]):
        bound = inputs**-0.5
        draw = lambda *shape: jnp.asarray(rng.uniform(-bound, bound, shape), jnp.float32)
        parameters.append((draw(inputs, outputs), draw(outputs)))
    return parameters


def entropy(weight, bias):
    """Renyi entropy of how active a layer's neurons are: their incoming weights and bias."""
    activeness = jnp.abs(weight).sum(0) + jnp.abs(bias)
    shares = activeness / activeness.sum()
    return jnp.log((shares**w.ALPHA).sum()) / (1 - w.ALPHA)


def loss(parameters, x, entropic):
    y = x
    for number, (weight, bias) in enumerate(parameters):
        y = y @ weight + bias
        y = jax.nn.sigmoid(y) if number + 1 == len(parameters) else jax.nn.relu(y)
    result = jnp.mean((y - x) ** 2)
    if entropic:
        narrow = [layer for layer in parameters if layer[0].shape[1] == w.ENTROPIC_WIDTH]
        result = w.LAMBDA_MSE * result + w.LAMBDA_ENTROPY * sum(entropy(*layer) for layer in narrow)
    return result


def step(entropic, images, state, rows):
    """One step of Adam."""
    parameters, mean, square, count = state
    x = jnp.take(images, rows, axis=0, mode="clip")
    value, gradients = jax.value_and_grad(loss)(parameters, x, entropic)
    count += 1
    mean = jax.tree.map(lambda m, g: BETA1 * m + (1 - BETA1) * g, mean, gradients)
    square = jax.tree.map(lambda v, g: BETA2 * v + (1 - BETA2) * g * g, square, gradients)
    correction1, correction2 = 1 - BETA1**count, 1 - BETA2**count

    def moved(p, m, v):
        return p - w.LEARNING_RATE * (m / correction1) / (jnp.sqrt(v / correction2) + EPSILON)

    return (jax.tree.map(moved, parameters, mean, square), mean, square, count), value


@functools.partial(jax.jit, static_argnums=0, donate_argnums=2)
def scan(entropic, images, state, rows):
    return jax.lax.scan(functools.partial(step, entropic, images), state, rows)


def main():
    name, batch, seconds, path = w.arguments()
    rng = numpy.random.default_rng(0)
    images = jnp.asarray(w.load(path))
    parameters = initial(w.WIDTHS[name], rng)
    zeros = lambda: jax.tree.map(jnp.zeros_like, parameters)
    state = (parameters, zeros(), zeros(), jnp.float32(0))
    # As many steps a scan as make it worth its start, and no more than an epoch has.
    length = min(max(8192 // batch, 7), len(images) // batch)
    order, position = numpy.empty(0, numpy.int32), 0

    def run(steps):
        nonlocal state, order, position
        for _ in range(steps // length):
            if position + length * batch > len(order):
                order, position = rng.permutation(len(images)).astype(numpy.int32), 0
            rows = order[position : position + length * batch].reshape(length, batch)
            position += length * batch
            state, losses = scan(name == "w1", images, state, rows)
        jax.block_until_ready(state)
        return losses[0]

    w.measure("jax-scan", name, batch, seconds, run, unit=length)


main()
