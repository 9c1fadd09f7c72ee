"""A CSV of 1,000,000 x 30 numbers: gpu-ae's reader beside pandas' read_csv, by turns, on the same file.

    cargo bench --bench tables --no-run     # names the program
    python benches/tables.py PROGRAM        # needs numpy and pandas

Prints the seconds of each round and their ratio; the file is written anew, with all digits and with four decimals.
"""
import pathlib
import subprocess
import sys
import tempfile
import time

import numpy as np
import pandas as pd

ROUNDS = 5
table = pd.DataFrame(np.random.default_rng(0).standard_normal((1_000_000, 30)), columns=[f"c{i}" for i in range(30)])
with tempfile.TemporaryDirectory() as folder:
    for name, digits in [("all digits", table), ("four decimals", table.round(4))]:
        path = pathlib.Path(folder) / "table.csv"
        digits.to_csv(path, index=False)
        for _ in range(ROUNDS):
            ours = float(subprocess.run([sys.argv[1], path], capture_output=True, text=True, check=True).stdout.split()[0])
            start = time.perf_counter()
            pd.read_csv(path)
            theirs = time.perf_counter() - start
            print(f"{name}: {ours:.3f} s, pandas {pd.__version__} {theirs:.3f} s, ratio {ours / theirs:.2f}", flush=True)
