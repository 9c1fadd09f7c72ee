"""What the peers written in Python share; the Rust ones have the same in common/src/lib.rs.

Imports nothing heavy, and tells when the process was started before anyone does.
"""

import json
import os
import sys
import time

START = float(os.environ.get("PEERS_START", time.time()))

FEATURES = 784
LEARNING_RATE = 1e-3
LAMBDA_MSE, LAMBDA_ENTROPY = 0.7, 0.3
ALPHA = 0.04
ENTROPIC_WIDTH = 20
WIDTHS = {
    "w1": [784, 64, 20, 20, 20, 64, 784],
    "w2": [784, 1024, 512, 256, 64, 256, 512, 1024, 784],
}

IDX_HEADER = 16


def arguments():
    """Workload, batch size, seconds of the timed window (0: the first step alone), file of images."""
    if len(sys.argv) != 5 or sys.argv[1] not in WIDTHS:
        sys.exit(f"usage: {sys.argv[0]} w1|w2 BATCH SECONDS IMAGES")
    return sys.argv[1], int(sys.argv[2]), float(sys.argv[3]), sys.argv[4]


def load(images):
    """The training rows, from 0 to 1."""
    import numpy

    pixels = numpy.fromfile(images, dtype=numpy.uint8, offset=IDX_HEADER)
    return pixels.reshape(-1, FEATURES).astype(numpy.float32) / 255


def processors():
    """Processors that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()


def measure(peer, workload, batch, seconds, run, unit=1):
    """Times run(steps), which waits for them and returns the last loss, and prints the line.

    Steps come in multiples of `unit`.
    """

    def timed(units):
        begin = time.perf_counter()
        run(units * unit)
        return time.perf_counter() - begin

    first_loss = run(unit)
    first_step = time.time() - START
    speed = 0.0
    if seconds > 0:
        timed(2)
        units = min(max(1, int(0.2 / timed(1))), 2000)
        units = max(2, int(seconds * units / timed(units)) + 1)
        speed = units * unit * batch / timed(units)
    line = {
        "peer": peer,
        "workload": workload,
        "batch": batch,
        "samples_per_second": round(speed, 1),
        "first_step_seconds": round(first_step, 3),
        "first_loss": round(float(first_loss), 4),
        "peak_mib": peak_mib(),
    }
    print(json.dumps(line), flush=True)


def peak_mib():
    """Largest resident memory so far, where Linux tells it."""
    try:
        with open("/proc/self/status") as status:
            peak = next(line for line in status if line.startswith("VmHWM:"))
    except (OSError, StopIteration):
        return 0
    return int(peak.split()[1]) // 1024
