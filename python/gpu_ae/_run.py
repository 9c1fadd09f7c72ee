"""A finished run: its network, its metrics, its pictures."""

from __future__ import annotations

import json
import os
from pathlib import Path

import numpy as np

from . import _native


def as_rows(rows):
    """Rows as the library takes them: bytes as they are, all else as float32, one row behind the other."""
    rows = np.asarray(rows)
    return np.ascontiguousarray(rows, dtype=None if rows.dtype == np.uint8 else np.float32)


class Picture:
    """A picture that a notebook shows."""

    def __init__(self, png: bytes):
        self.png = png

    def _repr_png_(self) -> bytes:
        return self.png

    def save(self, path: str | os.PathLike) -> None:
        """Writes it as a PNG file."""
        Path(path).write_bytes(self.png)


class Run:
    """A finished run.

    Rows are `[rows, values]` or images `[rows, height, width]` and `[rows, height, width, channels]`: uint8, of which 255 stands
    for 1, or anything that becomes float32.
    """

    def __init__(self, trained):
        self._trained = trained

    @property
    def path(self) -> Path:
        """The run directory."""
        return Path(self._trained.path)

    @property
    def config(self) -> str:
        """The whole configuration, as `config.toml` has it."""
        return self._trained.config

    @property
    def metrics(self):
        """One row an epoch, a column for each figure of `metrics.jsonl`: a frame of pandas."""
        try:
            import pandas
        except ImportError as error:
            raise ImportError("Run.metrics is a frame of pandas, which is not installed: pip install pandas") from error
        return pandas.DataFrame(self.epochs).set_index("epoch")

    @property
    def epochs(self) -> list[dict]:
        """The same as a dictionary for each epoch."""
        lines = (self.path / "metrics.jsonl").read_text(encoding="utf-8").splitlines()
        return [json.loads(line) for line in lines]

    def encode(self, rows) -> np.ndarray:
        """Codes of rows, `[rows, width of the code]`; of a variational network their means."""
        return self._trained.encode(as_rows(rows))

    def decode(self, codes) -> np.ndarray:
        """What the decoder makes of codes, `[rows, values]`, as the training rows were stored."""
        return self._trained.decode(as_rows(codes))

    def answers(self, rows) -> np.ndarray:
        """The network's last layer: of a classifier or of clusters logits, `[rows, classes]`."""
        return self._trained.answers(as_rows(rows))

    def errors(self, rows) -> np.ndarray:
        """Mean squared error of each row's reconstruction, `[rows]`, of values as the network sees them."""
        return self._trained.errors(as_rows(rows))[:, 0]

    def reconstructions(self, rows, most: int = 20) -> Picture:
        """A picture of the first images over their reconstructions."""
        image = self._trained.image
        if image is None:
            raise ValueError("rows of this run are no images")
        rows = as_rows(rows)[:most]
        made = self.decode(self.encode(rows))
        seen = rows.reshape(len(rows), -1) / np.float32(255 if rows.dtype == np.uint8 else 1)
        bands = [("test", np.ascontiguousarray(seen, np.float32)), ("made", np.ascontiguousarray(made))]
        return Picture(_native.image_grid("", bands, image, len(rows)))

    def __repr__(self) -> str:
        return f"Run({str(self.path)!r}, {self._trained.epoch} epochs, codes of {self._trained.code_width})"


def load(path: str | os.PathLike, device: str | None = None) -> Run:
    """Opens a run directory; `device` is "auto", "gpu", "cpu" or a part of a name, the run's own if nothing is said."""
    return Run(_native.load(os.fspath(path), device))
