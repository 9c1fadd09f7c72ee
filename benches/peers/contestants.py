"""Who is compared, and how each is started, timed and kept from helping itself to a warm cache."""

import json
import os
import platform
import random
import statistics
import struct
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).resolve().parent
TARGET = Path(os.environ["PEERS_TARGET"]).resolve()
GPU_AE = Path(os.environ["PEERS_GPU_AE"]).resolve()
DATA = TARGET / "data"
IMAGES = DATA / "train-images-idx3-ubyte"
ROWS, TEST_ROWS, SIDE = 60_000, 1_000, 28

SECONDS = 1.5
"""Length of a timed window."""
PATIENCE = 1800
"""Seconds after which a process is given up: burn's tuning takes minutes."""
LOUD = 0.15
"""Other load beyond which a figure is suspect."""

busy_seen = []
device_seen = {}


class Failed(Exception):
    """A contestant did not bring a result."""


def environment(**more):
    """Both sides of a Vulkan comparison go without the driver's shader cache."""
    env = {**os.environ, "MESA_SHADER_CACHE_DISABLE": "true", "PEERS_START": repr(time.time()), **more}
    if "XDG_RUNTIME_DIR" not in env:
        # Mesa's device-select layer complains on every start where there is no desktop session.
        env["NODEVICE_SELECT"] = "1"
    return env


def run(command, cwd=None, **more):
    """Runs to the end; the output, or Failed with the last line of complaint."""
    command = [str(part) for part in command]
    try:
        done = subprocess.run(
            command, cwd=cwd, env=environment(**more), capture_output=True, text=True, timeout=PATIENCE
        )
    except subprocess.TimeoutExpired:
        raise Failed(f"no result after {PATIENCE} s") from None
    if done.returncode != 0:
        complaint = done.stderr.strip().splitlines() or [f"exit status {done.returncode}"]
        raise Failed(f"{' '.join(command[:3])}: {complaint[-1]}")
    return done.stdout


class GpuAe:
    """gpu-ae itself, end to end: 'train' with the workload's configuration file."""

    def __init__(self, device):
        self.device = "gpu" if device == "vulkan" else device
        self.epochs = 1

    def command(self, workload, batch, epochs, out):
        config = HERE / f"{workload}.toml"
        settings = ["--data", "mnist", "--data-dir", DATA, "--batch-size", batch, "--epochs", epochs]
        return [GPU_AE, "train", "--config", config, "--device", self.device, *settings, "--out", out]

    def prepare(self, workload, batch):
        """Nothing is tuned."""
        return False

    def train(self, workload, batch):
        """As many epochs as fill the window; found out the first time."""
        result = self.train_epochs(workload, batch)
        if result["seconds"] < SECONDS:
            self.epochs += 1 + int(self.epochs * SECONDS / result["seconds"])
            result = self.train_epochs(workload, batch)
        return result

    def train_epochs(self, workload, batch):
        """Samples a second from the program's own metrics: real rows over the time of the steps, without the first
        epoch where there are several, without the first step where there is one."""
        with tempfile.TemporaryDirectory() as folder:
            out = Path(folder) / "run"
            command = [str(part) for part in self.command(workload, batch, self.epochs, out)]
            process = subprocess.Popen(
                [*command, "--json"], env=environment(), stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
            )
            complaint = process.stderr.read().strip()
            _, status, usage = os.wait4(process.pid, 0)
            process.returncode = os.waitstatus_to_exitcode(status)
            if process.returncode != 0:
                raise Failed(complaint.splitlines()[-1] if complaint else f"exit status {process.returncode}")
            with open(out / "metrics.jsonl") as lines:
                epochs = [json.loads(line)["samples_per_second"] for line in lines]
        timed = epochs[1:] or epochs
        seconds = sum(ROWS / speed for speed in timed)
        per_mib = 1 << 20 if sys.platform == "darwin" else 1 << 10
        return {
            "samples_per_second": ROWS * len(timed) / seconds,
            "seconds": seconds,
            "peak_mib": usage.ru_maxrss / per_mib,
        }

    def first_step(self, workload, batch):
        """Seconds from the start of the process to the line that tells of the first step, with no cache to read."""
        with tempfile.TemporaryDirectory() as folder:
            command = [str(part) for part in self.command(workload, batch, 1, Path(folder) / "run")]
            env = environment(XDG_CACHE_HOME=folder)
            begin = time.time()
            process = subprocess.Popen(command, env=env, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
            seconds, complaint = None, "it said nothing"
            for line in process.stderr:
                complaint = line.strip()
                if " with " in complaint:
                    device_seen[self.device] = complaint.rsplit(" with ", 1)[1]
                if complaint.startswith("first step"):
                    seconds = time.time() - begin
                    break
            process.terminate()
            process.stderr.close()
            process.wait()
        if seconds is None:
            raise Failed(complaint)
        return {"first_step_seconds": seconds}


class Peer:
    """A program that prints one JSON line."""

    def invoke(self, workload, batch, seconds, cwd=None, **more):
        output = run([*self.command(), workload, batch, seconds, IMAGES], cwd, **more)
        try:
            return json.loads(output.strip().splitlines()[-1])
        except (IndexError, ValueError):
            raise Failed(f"it printed no result: {output[-200:]!r}") from None

    def prepare(self, workload, batch):
        return False

    def train(self, workload, batch):
        return self.invoke(workload, batch, SECONDS)

    def first_step(self, workload, batch):
        return self.invoke(workload, batch, 0)


@dataclass
class Script(Peer):
    """A peer in Python."""

    file: str
    module: str

    def command(self):
        return [sys.executable, HERE / self.file]


@dataclass
class Program(Peer):
    """A peer in Rust."""

    name: str

    def path(self):
        return TARGET / "release" / self.name

    def command(self):
        return [self.path()]


class Burn(Program):
    """burn tunes itself for every shape and keeps the result; here in a folder of its own."""

    cache = TARGET / "burn-cache"

    def invoke_in(self, folder, workload, batch, seconds):
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "cubecl.toml").write_text('[environment]\npath = "local"\n')
        return self.invoke(workload, batch, seconds, cwd=folder, XDG_CACHE_HOME=str(folder))

    def prepare(self, workload, batch):
        self.train(workload, batch)
        return True

    def train(self, workload, batch):
        return self.invoke_in(self.cache, workload, batch, SECONDS)

    def first_step(self, workload, batch):
        with tempfile.TemporaryDirectory() as folder:
            return self.invoke_in(Path(folder), workload, batch, 0)


PEERS = {
    "PyTorch eager": Script("pytorch.py", "torch"),
    "JAX scan": Script("jax_scan.py", "jax"),
    "candle": Program("peer-candle"),
    "burn wgpu": Burn("peer-burn"),
}


def build():
    """Brings the Rust peers up to date. Always all of them: one alone would have other features of its dependencies,
    and compile them again."""
    options = ["--release", "--quiet", "--locked", "--keep-going", "--manifest-path", HERE / "Cargo.toml"]
    subprocess.run(["cargo", "build", *options], env={**os.environ, "CARGO_TARGET_DIR": str(TARGET)})


def make_data():
    """60,000 rows of random bytes, 19 % of them not zero, as MNIST's files; labels and test rows are there for form."""
    if IMAGES.exists():
        return
    generator = random.Random(0)
    # Of the 256 values of a byte, 49 stay: 19 %.
    pixels = bytes(5 * value + 10 if value < 49 else 0 for value in range(256))
    DATA.mkdir(parents=True, exist_ok=True)
    for stem, rows in [("t10k", TEST_ROWS), ("train", ROWS)]:
        labels = struct.pack(">2I", 0x801, rows) + bytes(rows)
        (DATA / f"{stem}-labels-idx1-ubyte").write_bytes(labels)
        images = generator.randbytes(rows * SIDE * SIDE).translate(pixels)
        # In place only when it is whole.
        part = DATA / "part"
        part.write_bytes(struct.pack(">4I", 0x803, rows, SIDE, SIDE) + images)
        part.rename(DATA / f"{stem}-images-idx3-ubyte")


def busy():
    """Share of the processors that is in use over 0.4 s; 0 where it cannot be told."""

    def read():
        with open("/proc/stat") as file:
            times = [int(word) for word in file.readline().split()[1:]]
        return sum(times), times[3] + times[4]

    try:
        before, after = read(), time.sleep(0.4) or read()
    except OSError:
        return 0.0
    return 1 - (after[1] - before[1]) / max(after[0] - before[0], 1)


def wait_for_quiet():
    """Waits a few seconds for other work to end, since PyTorch above all collapses beside it; what is left of it."""
    for _ in range(4):
        share = busy()
        if share <= LOUD:
            break
        time.sleep(0.6)
    busy_seen.append(share)
    return share


def load_seen():
    """How quiet the machine was, in words."""
    if not busy_seen:
        return "nothing was run"
    loud = sum(share > LOUD for share in busy_seen)
    typical = statistics.median(busy_seen)
    return f"other load before a run: median {typical:.0%}, over {LOUD:.0%} before {loud} of {len(busy_seen)}"


def machine():
    """Processor and adapter, in words."""
    try:
        with open("/proc/cpuinfo") as file:
            name = next(line.split(":", 1)[1].strip() for line in file if line.startswith("model name"))
    except (OSError, StopIteration):
        name = platform.processor() or platform.machine()
    adapter = f"; vulkan is {device_seen['gpu']}" if "gpu" in device_seen else ""
    return f"{os.cpu_count()} x {name}{adapter}"
