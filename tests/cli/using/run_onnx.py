"""Checks exported ONNX files, and that they make of rows what this program makes of them.

    python run_onnx.py FOLDER ROWS.npy CODES.npy [ANSWERS.npy]

Prints what agrees, a line a file; ends with status 1 at the first that does not.
"""

import pathlib
import sys

import numpy as np
import onnx
import onnxruntime

NEAR = 1e-5


def compare(what, found, expected):
    if found.shape != expected.shape:
        sys.exit(f"{what}: {found.shape}, expected {expected.shape}")
    difference = np.abs(found - expected).max() / max(1.0, np.abs(expected).max())
    # A NaN is no agreement.
    if not difference <= NEAR:
        sys.exit(f"{what}: differs by {difference:.1e} of the largest")


def check(path, rows, expected):
    onnx.checker.check_model(str(path), full_check=True)
    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    inputs = session.get_inputs()
    if len(inputs) != 1:
        sys.exit(f"{path}: {len(inputs)} inputs")
    # Any number of rows: all of them, one, and three.
    for count in (len(rows), 1, 3):
        found = session.run(None, {inputs[0].name: rows[:count]})
        compare(f"{path.name}, {count} rows", found[0], expected[:count])
    names = ", ".join(output.name for output in session.get_outputs())
    print(f"{path.name}: {inputs[0].name} to {names}")


folder = pathlib.Path(sys.argv[1])
rows, codes, *answers = [np.load(path).astype(np.float32) for path in sys.argv[2:]]
check(folder / "encoder.onnx", rows, codes)
for answer in answers:
    check(folder / "decoder.onnx", codes, answer)
    check(folder / "model.onnx", rows, answer)
