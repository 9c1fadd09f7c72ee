"""A CSV of 1,000,000 x 30 numbers: gpu-ae's reader beside pandas' read_csv, by turns, on the same file.

    cargo bench --bench tables --no-run     # names the program
    python benches/tables.py PROGRAM        # needs numpy and pandas

Prints the seconds of each round, and those that processors were at work, user and system together, which other programs on
the machine change less, and the ratios of both; the file is written anew, with all digits and with four decimals.
"""
import pathlib
import resource
import subprocess
import sys
import tempfile
import time

import numpy as np
import pandas as pd

ROUNDS = 5


def worked(whose):
    usage = resource.getrusage(whose)
    return usage.ru_utime + usage.ru_stime


table = pd.DataFrame(np.random.default_rng(0).standard_normal((1_000_000, 30)), columns=[f"c{i}" for i in range(30)])
with tempfile.TemporaryDirectory() as folder:
    for name, digits in [("all digits", table), ("four decimals", table.round(4))]:
        path = pathlib.Path(folder) / "table.csv"
        digits.to_csv(path, index=False)
        for _ in range(ROUNDS):
            before = worked(resource.RUSAGE_CHILDREN)
            ours = float(subprocess.run([sys.argv[1], path], capture_output=True, text=True, check=True).stdout.split()[0])
            our_work = worked(resource.RUSAGE_CHILDREN) - before
            before, start = worked(resource.RUSAGE_SELF), time.perf_counter()
            frame = pd.read_csv(path)
            theirs, their_work = time.perf_counter() - start, worked(resource.RUSAGE_SELF) - before
            del frame
            print(
                f"{name}: {ours:.3f} s, pandas {pd.__version__} {theirs:.3f} s, ratio {ours / theirs:.2f}; "
                f"at work {our_work:.2f} s, pandas {their_work:.2f} s, ratio {our_work / their_work:.2f}",
                flush=True,
            )
