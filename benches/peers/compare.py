"""Interleaved rounds of gpu-ae and its peers, and the table; compare.sh says how to start it.

Within a row of the table everyone runs in turn, A B C A B C, so that a machine that slows down slows
everyone down. A ratio is taken within a round; the table has the median over the rounds.
"""

import argparse
import importlib.util
import statistics
import sys
import time
from dataclasses import dataclass, field

import contestants as c


@dataclass
class Row:
    """One comparison: a workload on a device, and the ratio each peer should be beaten by, if there is one."""

    workload: str
    batch: int
    device: str
    peers: dict
    metric: str = "samples_per_second"
    results: dict = field(default_factory=dict)

    def title(self):
        what = "first step, cold" if self.metric == "first_step_seconds" else "training"
        return f"{self.workload.upper()}, batch {self.batch}, {self.device}: {what}"


CPU = {"PyTorch eager": None, "JAX scan": None, "candle": None}
FIRST = "first_step_seconds"
ROWS = [
    Row("w1", 128, "cpu", {**CPU, "PyTorch eager": 2.5, "JAX scan": 1.0}),
    Row("w1", 1024, "cpu", {**CPU, "JAX scan": 1.0}),
    Row("w1", 8192, "cpu", {**CPU, "JAX scan": 1.0}),
    Row("w2", 1024, "cpu", {**CPU, "PyTorch eager": 1.0}),
    Row("w1", 128, "vulkan", {"burn wgpu": 12.0}),
    Row("w1", 8192, "vulkan", {"burn wgpu": 2.5}),
    Row("w2", 1024, "vulkan", {"burn wgpu": 2.0}),
    Row("w1", 128, "cpu", CPU, FIRST),
    Row("w1", 128, "vulkan", {"burn wgpu": 20.0}, FIRST),
]


def say(message):
    print(message, file=sys.stderr, flush=True)


def installed(names):
    """Those of the named peers that are there, built if need be; says how to get the others."""
    wanted = {name: peer for name, peer in c.PEERS.items() if name in names}
    if any(isinstance(peer, c.Program) for peer in wanted.values()):
        say(f"building the Rust peers in {c.TARGET}; from nothing this takes a quarter of an hour on two cores")
        c.build()
    peers = {}
    for name, peer in wanted.items():
        if isinstance(peer, c.Script) and not importlib.util.find_spec(peer.module):
            say(f"{name} is left out: no module '{peer.module}' here; {sys.executable} -m pip install {peer.module}")
        elif isinstance(peer, c.Program) and not peer.path().exists():
            say(f"{name} is left out: it could not be built, as the compiler says above")
        else:
            peers[name] = peer
    return peers


def measure(row, rounds, peers):
    """Fills in the row's results."""
    taking_part = {"gpu-ae": c.GpuAe(row.device), **{name: peers[name] for name in row.peers if name in peers}}
    if len(taking_part) == 1:
        say(f"{row.title()}: none of {', '.join(row.peers)} is there")
        return
    say(row.title())

    def attempt(name, action):
        """The action's result, or None and one contestant less."""
        try:
            return action(row.workload, row.batch)
        except c.Failed as problem:
            say(f"  {name} is left out: {problem}")
            del taking_part[name]
            row.results.pop(name, None)

    if row.metric != FIRST:
        for name, contestant in list(taking_part.items()):
            begin = time.time()
            if attempt(name, contestant.prepare):
                say(f"  {name} is tuned ({time.time() - begin:.0f} s)")
    for number in range(rounds):
        for name, contestant in list(taking_part.items()):
            if "gpu-ae" not in taking_part:
                return
            busy = c.wait_for_quiet()
            result = attempt(name, contestant.first_step if row.metric == FIRST else contestant.train)
            if result is None:
                continue
            row.results.setdefault(name, []).append(result)
            figure = result[row.metric]
            text = f"{figure:.2f} s" if row.metric == FIRST else f"{figure:,.0f} samples/s"
            say(f"  round {number + 1}: {name} {text}" + (f", beside {busy:.0%} other load" if busy > c.LOUD else ""))


def ratios(row, name):
    """gpu-ae's advantage in each round."""
    pairs = zip(row.results["gpu-ae"], row.results[name])
    if row.metric == FIRST:
        return [theirs[FIRST] / ours[FIRST] for ours, theirs in pairs]
    return [ours[row.metric] / theirs[row.metric] for ours, theirs in pairs]


def table(rows, metric):
    """The rows of one metric as Markdown."""
    unit = "s" if metric == FIRST else "samples/s"
    lines = [
        f"| workload, batch, device | gpu-ae, {unit} | peer | peer, {unit} | ratio | rounds | target |"
        + (" peak memory |" if metric != FIRST else ""),
        "|---|---|---|---|---|---|---|" + ("---|" if metric != FIRST else ""),
    ]

    def median(results, key):
        return statistics.median(result[key] for result in results)

    def figure(results):
        value = median(results, metric)
        return f"{value:.2f}" if metric == FIRST else f"{value:,.0f}"

    for row in rows:
        if row.metric != metric or "gpu-ae" not in row.results:
            continue
        what = f"{row.workload.upper()}, {row.batch}, {row.device}"
        for name, target in row.peers.items():
            if name not in row.results:
                lines.append(f"| {what} | | {name} | not measured |" + " |" * (3 if metric == FIRST else 4))
                continue
            each = ratios(row, name)
            ratio = statistics.median(each)
            aim = "" if target is None else f"≥ {target:g}: {'met' if ratio >= target else 'MISSED'}"
            ours, theirs = row.results["gpu-ae"], row.results[name]
            line = (
                f"| {what} | {figure(ours)} | {name} | {figure(theirs)} "
                f"| **{ratio:.2f}** | {min(each):.2f}–{max(each):.2f} | {aim} |"
            )
            if metric != FIRST:
                line += f" {median(ours, 'peak_mib'):.0f} : {median(theirs, 'peak_mib'):.0f} MiB |"
            lines.append(line)
    return "\n".join(lines) if len(lines) > 2 else ""


def main():
    parser = argparse.ArgumentParser(prog="compare.sh", description="Times gpu-ae beside its peers.")
    parser.add_argument("--quick", action="store_true", help="one round instead of three")
    parser.add_argument("--rounds", type=int, default=3, help="how many rounds [3]")
    parser.add_argument("--only", action="append", default=[], metavar="WORD", help="only the rows that have this word")
    arguments = parser.parse_args()
    rounds = 1 if arguments.quick else max(1, arguments.rounds)
    words = [word.lower() for word in arguments.only]
    rows = [row for row in ROWS if all(word in f"{row.title()} {list(row.peers)}".lower() for word in words)]

    begin = time.time()
    peers = installed({name for row in rows for name in row.peers})
    c.make_data()
    for row in rows:
        measure(row, rounds, peers)
    print(f"{c.machine()}; {time.strftime('%Y-%m-%d')}; medians of {rounds} interleaved rounds; {c.load_seen()}.\n")
    for metric in ["samples_per_second", FIRST]:
        print(table(rows, metric), end="\n\n")
    say(f"took {(time.time() - begin) / 60:.0f} minutes")


main()
