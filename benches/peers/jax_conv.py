"""Training steps of the convolutional autoencoders of conv.py on JAX's CPU, an epoch as one scan: jax_conv.py SIZE DEPTH BATCH ROWS
CHANNELS..., one round in a process of its own. Prints samples a second and peak memory."""

import functools
import json
import os
import resource
import sys
import time

os.environ["JAX_PLATFORMS"] = "cpu"

import jax
import jax.numpy as jnp
import numpy

CODE, RATE, BETA1, BETA2, EPSILON = 16, 1e-3, 0.9, 0.999, 1e-8
LAYOUT = ("NHWC", "HWIO", "NHWC")


def drawn(random, shape, inputs):
    return jnp.asarray(random.uniform(-inputs**-0.5, inputs**-0.5, shape), jnp.float32)


def initial(size, depth, channels, random):
    """Kernels and biases of halving convolutions, two linear layers, doubling convolutions."""
    parameters, before = [], depth
    for c in channels:
        parameters.append((drawn(random, (3, 3, before, c), 9 * before), drawn(random, (c,), 9 * before)))
        before = c
    flat = (size >> len(channels)) ** 2 * before
    for inputs, outputs in [(flat, CODE), (CODE, flat)]:
        parameters.append((drawn(random, (inputs, outputs), inputs), drawn(random, (outputs,), inputs)))
    for c in [*channels[:-1][::-1], depth]:
        parameters.append((drawn(random, (4, 4, before, c), 16 * before), drawn(random, (c,), 16 * before)))
        before = c
    return parameters


def loss(parameters, x, halvings, side, width):
    y = x
    for kernel, bias in parameters[:halvings]:
        y = jax.nn.relu(jax.lax.conv_general_dilated(y, kernel, (2, 2), ((1, 1), (1, 1)), dimension_numbers=LAYOUT) + bias)
    (weight, bias), (back, shift) = parameters[halvings:halvings + 2]
    y = jax.nn.relu((y.reshape(len(x), -1) @ weight + bias) @ back + shift).reshape(len(x), side, side, width)
    for number, (kernel, bias) in enumerate(parameters[halvings + 2:]):
        # A stride of two from a kernel of four and a padding of one, as a convolution of the dilated input.
        y = jax.lax.conv_general_dilated(y, kernel, (1, 1), ((2, 2), (2, 2)), lhs_dilation=(2, 2), dimension_numbers=LAYOUT) + bias
        y = jax.nn.sigmoid(y) if number + 1 == halvings else jax.nn.relu(y)
    return jnp.mean((y - x) ** 2)


@functools.partial(jax.jit, static_argnums=(3, 4, 5), donate_argnums=1)
def epoch(images, state, order, halvings, side, width):
    def step(state, rows):
        parameters, mean, square, count = state
        gradients = jax.grad(loss)(parameters, jnp.take(images, rows, axis=0, mode="clip"), halvings, side, width)
        count += 1
        mean = jax.tree.map(lambda m, g: BETA1 * m + (1 - BETA1) * g, mean, gradients)
        square = jax.tree.map(lambda v, g: BETA2 * v + (1 - BETA2) * g * g, square, gradients)
        scale = [1 - BETA1**count, 1 - BETA2**count]
        moved = lambda p, m, v: p - RATE * (m / scale[0]) / (jnp.sqrt(v / scale[1]) + EPSILON)
        return (jax.tree.map(moved, parameters, mean, square), mean, square, count), None

    return jax.lax.scan(step, state, order)[0]


def main():
    size, depth, batch, rows, *channels = map(int, sys.argv[1:])
    random = numpy.random.default_rng(0)
    images = jnp.asarray(random.random((rows, size, size, depth)), jnp.float32)
    parameters = initial(size, depth, channels, random)
    zeros = lambda: jax.tree.map(jnp.zeros_like, parameters)
    state = (parameters, zeros(), zeros(), jnp.float32(0))
    fixed = (len(channels), size >> len(channels), channels[-1])
    order = lambda: jnp.asarray(random.permutation(rows).reshape(-1, batch))
    state = jax.block_until_ready(epoch(images, state, order(), *fixed))
    start = time.perf_counter()
    jax.block_until_ready(epoch(images, state, order(), *fixed))
    print(json.dumps([rows / (time.perf_counter() - start), resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3]))


if __name__ == "__main__":
    main()
